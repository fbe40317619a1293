/* SPDX-License-Identifier: ISC */
/*
 * proc_bsd.c - /proc/<pid>/status of FreeBSD and NetBSD, one line:
 *
 *   name pid ppid pgid sid major,minor flags start user system wchan euid ...
 *
 * where the times are "seconds,microseconds".  FreeBSD writes every byte of
 * the name that is not a visible character as a backslash and three octal
 * digits; NetBSD, and FreeBSD before 5, write it as it is, spaces and newlines
 * included.  There is no state in it.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity/proc_reader.h"

/* Longer names are FreeBSD's, and have no spaces. */
#define PLAIN_NAME_MAX 16

/* True for " pid ppid pgid sid major,": what comes behind the name. */
static bool is_tail(const char *p)
{
	char *end;

	for (int i = 0; i < 5; i++) {
		(void)strtol(p + 1, &end, 10);
		if (end == p + 1 || *end != (i < 4 ? ' ' : ','))
			return false;
		p = end;
	}
	return true;
}

/*
 * The space behind the name.  A name with spaces could hold something like a
 * tail itself, and then the true one comes after it; behind that the major
 * number's comma is in the wrong place.
 */
static const char *name_end(const char *text, pid_t pid)
{
	char lead[16];
	const char *end = NULL;
	const char *p;

	snprintf(lead, sizeof(lead), " %d ", (int)pid);
	for (p = strstr(text, lead); p && p - text <= PLAIN_NAME_MAX; p = strstr(p + 1, lead)) {
		if (is_tail(p))
			end = p;
	}
	if (end || !p || p != strchr(text, ' ') || !is_tail(p))
		return end;
	return p;
}

/* Whatever is not three octal digits stays as it is. */
static void keep_escaped(struct proc_found *f, const char *name, const char *end)
{
	char plain[PROC_NAME_MAX];
	size_t len = 0;

	while (name < end && len < sizeof(plain)) {
		plain[len] = *name++;
		if (plain[len] == '\\' && end - name >= 3 && strspn(name, "01234567") >= 3) {
			plain[len] = (char)((name[0] - '0') << 6 | (name[1] - '0') << 3 |
					    (name[2] - '0'));
			name += 3;
		}
		len++;
	}
	proc_keep_name(f, plain, len);
}

bool proc_bsd_read(int dir, struct proc_found *f)
{
	char text[512];
	const char *field;
	char *end;
	long long seconds;

	if (proc_read_file(dir, "status", text, sizeof(text)) < 0)
		return false;
	errno = EBADMSG;
	field = name_end(text, f->pid);
	/* Linux's begins like this, and there the rest is the process's choice */
	if (!field || strncmp(text, "Name:\t", 6) == 0)
		return false;
	keep_escaped(f, text, field);
	/* field 1 is the pid; 2 is the parent, 7 the start time, 11 the user */
	for (int i = 1; field && i <= 11; i++) {
		field++;
		if (i == 2)
			f->proc->parent = (pid_t)strtol(field, NULL, 10);
		if (i == 7) {
			seconds = strtoll(field, &end, 10);
			/* -1,-1 is a process that is swapped out */
			if (seconds > 0 && *end == ',')
				f->proc->start = (uint64_t)seconds * 1000000 +
						 strtoull(end + 1, NULL, 10);
		}
		if (i == 11) {
			unsigned long uid = strtoul(field, &end, 10);

			/* a wait channel with a space would put something else here */
			f->proc->uid_known = isdigit((unsigned char)*field) && *end == ' ';
			f->proc->uid = f->proc->uid_known ? (uid_t)uid : 0;
		}
		field = strchr(field, ' ');
	}
	return true;
}
