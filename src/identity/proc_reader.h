/* SPDX-License-Identifier: ISC */
/*
 * proc_reader.h - the readers that procname.c uses, one for each kind of file
 * that kernels offer in a process's folder.
 *
 * A reader is given that folder and fills in what its file tells: at least the
 * name.  False: the file is not there (errno), or it is another kernel's file of
 * the same name (EBADMSG); then nothing was filled in.
 *
 * All readers are always compiled, so that none rots.  The table in procname.c
 * says which ones a build has, and the linker drops the others.
 */
#ifndef PROC_READER_H
#define PROC_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "identity/procname.h"

struct proc_found {
	struct proc *proc;
	pid_t pid;	/* the number that was asked for */
	char state;	/* Linux's letter, Z for a zombie; '\0' if unknown */
};

typedef bool proc_reader(int dir, struct proc_found *f);

proc_reader proc_stat_read;	/* Linux, and NetBSD with its Linux files */
proc_reader proc_status_read;	/* Linux */
proc_reader proc_bsd_read;	/* FreeBSD, NetBSD */
proc_reader proc_psinfo_read;	/* Solaris, illumos */

/* A file of the folder; its length, -1 with errno set.  A NUL is added. */
ssize_t proc_read_file(int dir, const char *file, char *text, size_t size);

/* The name as it goes into struct proc: cut, and without control characters. */
void proc_keep_name(struct proc_found *f, const char *name, size_t len);

#endif
