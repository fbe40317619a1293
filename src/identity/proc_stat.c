/* SPDX-License-Identifier: ISC */
/*
 * proc_stat.c - /proc/<pid>/stat: the state, the parent and the start time,
 * and the name for kernels without comm (Linux before 2.6.33, NetBSD).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "identity/proc_reader.h"

/*
 * "pid (name) state ppid ... start ...".  The name may hold spaces,
 * parentheses and newlines, and nothing in it is escaped, so only the last
 * parenthesis counts: behind it come letters and numbers only.
 */
bool proc_stat_read(int dir, struct proc_found *f)
{
	char text[512];
	const char *name, *end, *field;
	pid_t parent = 0;

	if (proc_read_file(dir, "stat", text, sizeof(text)) < 0)
		return false;
	errno = EBADMSG;
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end || end < name || end[1] != ' ' || end[2] == '\0')
		return false;
	name++;
	field = end + 3;
	/* field 3 is the state; 4 is the parent, 22 the start time */
	for (int i = 4; i <= 22; i++) {
		field = strchr(field, ' ');
		if (!field)
			return false;
		field++;
		if (i == 4)
			parent = (pid_t)strtol(field, NULL, 10);
	}
	proc_keep_name(f, name, (size_t)(end - name));
	f->state = end[2];
	f->proc->parent = parent;
	f->proc->start = strtoull(field, NULL, 10);
	return true;
}
