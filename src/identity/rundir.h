/* SPDX-License-Identifier: ISC */
/*
 * rundir.h - the directory of lock, pidfile and state, and files in it.
 *
 * It may belong to the unprivileged user, who can plant anything under our
 * names.  So: links are never followed, FIFOs and devices are never waited for,
 * and files of another owner or with a second name are never believed.  We write
 * only into a new file of our own, which then gets its name by rename.
 */
#ifndef RUNDIR_H
#define RUNDIR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

struct rundir {
	int fd;			/* -1: not open */
	const char *path;	/* the caller's; must outlive this */
};

/* On failure returns false with errno set, and the reason for people in why. */
bool rundir_open(struct rundir *d, const char *path, char *why, size_t size);
void rundir_close(struct rundir *d);

/* The path still leads to this directory. */
bool rundir_is_current(const struct rundir *d);

/* True for a directory in memory, which a power cut empties. */
bool rundir_is_volatile(const struct rundir *d);

/*
 * One at a time of those who take or heal the lock.  Whoever may read the
 * directory can keep us waiting here, so the wait is short and false means
 * that we go on without; what is at stake then, instance.h says.
 */
bool rundir_enter(const struct rundir *d);
void rundir_leave(const struct rundir *d);

/* Opens for reading a plain file with one name, and fills *st; -1 with errno set. */
int rundir_open_file(const struct rundir *d, const char *name, struct stat *st);

/* Reads a file that belongs to `owner`; its length, -1 for any other. */
ssize_t rundir_read(const struct rundir *d, const char *name, uid_t owner, char *text, size_t size);

/*
 * A file in two steps: a new one without its name (*st is filled), then the
 * name, in one move and from whatever had it.
 */
bool rundir_prepare(const struct rundir *d, const char *name, const char *text, size_t len,
		    struct stat *st);
bool rundir_commit(const struct rundir *d, const char *name);

/* Both at once. */
bool rundir_replace(const struct rundir *d, const char *name, const char *text, size_t len);

void rundir_remove(const struct rundir *d, const char *name);

/* Gets whatever has the name out of the way, a full directory too. */
bool rundir_clear(const struct rundir *d, const char *name);

#endif
