/* SPDX-License-Identifier: ISC */
#include "procname.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads <root>/<pid>/<file>; returns its length, -1 with errno set. */
static ssize_t read_file(const char *root, pid_t pid, const char *file, char *text, size_t size)
{
	char path[96];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%d/%s", root, (int)pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -1;
	len = read(fd, text, size - 1);
	close(fd);
	if (len >= 0)
		text[len] = '\0';
	return len;
}

/*
 * stat is "pid (name) state ppid ... start ...".  The name may hold spaces,
 * parentheses and newlines, so only the last parenthesis counts.  Returns the
 * state, 0 if it cannot be read.
 */
static char read_stat(const char *root, pid_t pid, struct proc *found)
{
	char text[512];
	char *field;
	char state;

	if (read_file(root, pid, "stat", text, sizeof(text)) <= 0)
		return 0;
	field = strrchr(text, ')');
	if (!field || field[1] != ' ' || field[2] == '\0')
		return 0;
	state = field[2];
	field += 3;
	/* field 3 is the state; 4 is the parent, 22 the start time */
	for (int i = 4; i <= 22; i++) {
		field = strchr(field, ' ');
		if (!field)
			return 0;
		field++;
		if (i == 4)
			found->parent = (pid_t)strtol(field, NULL, 10);
	}
	found->start = strtoull(field, NULL, 10);
	return state;
}

static void keep_name(struct proc *found, const char *comm, size_t len)
{
	if (len > 0 && comm[len - 1] == '\n')
		len--;
	if (len >= sizeof(found->name))
		len = sizeof(found->name) - 1;
	for (size_t i = 0; i < len; i++) {
		found->name[i] = comm[i];
		if ((unsigned char)comm[i] < ' ')
			found->name[i] = '?';
	}
	found->name[len] = '\0';
}

/*
 * /proc shows nothing of the process.  That alone does not say that it is
 * gone: with hidepid, or without /proc, it may well be there.  The kernel
 * knows; signal 0 asks and sends nothing.
 */
static enum proc_answer ask_kernel(pid_t pid)
{
	int error = errno;

	if (kill(pid, 0) < 0 && errno == ESRCH)
		return PROC_GONE;
	errno = error;
	return PROC_UNKNOWN;
}

enum proc_answer procname_check(const char *root, pid_t pid, const char *want, struct proc *found)
{
	char comm[64];
	char name[PROC_NAME_MAX];
	ssize_t len;
	char state;

	memset(found, 0, sizeof(*found));
	len = read_file(root, pid, "comm", comm, sizeof(comm));
	if (len <= 0)
		return ask_kernel(pid);
	keep_name(found, comm, (size_t)len);

	state = read_stat(root, pid, found);
	if (state == 'Z' || state == 'X')
		return PROC_GONE;
	snprintf(name, sizeof(name), "%s", want);
	return strcmp(found->name, name) == 0 ? PROC_MATCH : PROC_MISMATCH;
}
