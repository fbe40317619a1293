/* SPDX-License-Identifier: ISC */
/*
 * proc_status.c - Linux's /proc/<pid>/status: the user, which no other file
 * tells (the owner of /proc/<pid> does not: a process that may not be dumped
 * has it owned by root), and the name, the state and the parent besides.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "identity/proc_reader.h"

/*
 * What stands behind a keyword, which is given with the newline before it: in
 * the name newlines are escaped, so none of them begins a line.
 */
static const char *value(const char *text, const char *keyword)
{
	const char *found = strstr(text, keyword);

	return found ? found + strlen(keyword) : NULL;
}

/* In the name, a newline is \n and a backslash is two. */
static void keep_escaped(struct proc_found *f, const char *name)
{
	char plain[PROC_NAME_MAX];
	size_t len = 0;

	while (*name != '\n' && *name != '\0' && len < sizeof(plain)) {
		plain[len] = *name++;
		if (plain[len] == '\\') {
			if (*name == 'n')
				plain[len] = '\n';
			if (*name == 'n' || *name == '\\')
				name++;
		}
		len++;
	}
	proc_keep_name(f, plain, len);
}

bool proc_status_read(int dir, struct proc_found *f)
{
	static const char name[] = "Name:\t";
	char text[512];
	const char *state, *field;
	char *end;

	if (proc_read_file(dir, "status", text, sizeof(text)) < 0)
		return false;
	/* the BSDs have a file of this name, too */
	state = value(text, "\nState:\t");
	if (strncmp(text, name, sizeof(name) - 1) != 0 || !state) {
		errno = EBADMSG;
		return false;
	}
	keep_escaped(f, text + sizeof(name) - 1);
	f->state = *state;
	field = value(text, "\nPPid:\t");
	if (field)
		f->proc->parent = (pid_t)strtol(field, NULL, 10);
	/* real, effective, saved, for files */
	field = value(text, "\nUid:\t");
	field = field ? strchr(field, '\t') : NULL;
	if (field) {
		unsigned long uid = strtoul(field + 1, &end, 10);

		/* a number that was cut off is another number */
		f->proc->uid_known = end > field + 1 && *end == '\t';
		f->proc->uid = f->proc->uid_known ? (uid_t)uid : 0;
	}
	return true;
}
