/* SPDX-License-Identifier: ISC */
/*
 * instance.h - is upsmon running?  The lock, the pidfile, and the verdict.
 *
 * Guarantee: of all processes that share the directory, at most one holds the
 * claim.  The kernel drops the claim at any death and at any power cut, and
 * names its holder, so a recycled number can never stand for it.
 *
 *   upsmon.lock  mode 0600; its fcntl write lock is the identity.  Not flock,
 *                which a forked child would keep.  It holds the pid that the
 *                claim's owner wrote into the pidfile, as a note for the next
 *                start.  It is never removed.
 *   upsmon.pid   for people, cat and start-stop-daemon: one number and a
 *                newline.  It proves nothing.  It is written as a whole, and
 *                removed at exit while the lock is still held.
 *
 * The directory may belong to the unprivileged user: links, FIFOs and foreign
 * files in it are never followed, never waited for, never believed.
 *
 * Limits: whoever may write to the directory can unlink the lock of a running
 * daemon, and a second one could then start beside it.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "procname.h"

enum verdict_kind {
	VERDICT_FREE,		/* no lock, no pidfile */
	VERDICT_RUNNING_LOCK,	/* pid holds the lock; 0: in another pid namespace */
	VERDICT_RUNNING_NAME,	/* an upsmon that takes no lock, such as NUT's */
	VERDICT_STALE_OTHER,	/* the pidfile's pid is somebody else's now */
	VERDICT_STALE_GONE,	/* nobody has the pidfile's pid */
	VERDICT_STALE_SELF,	/* it is this process or one that started it */
	VERDICT_STALE_EMPTY,	/* the pidfile holds no number */
	VERDICT_UNKNOWN,	/* it cannot be told; error says why */
};

struct verdict {
	enum verdict_kind kind;
	pid_t pid;
	char name[PROC_NAME_MAX];
	int error;		/* an errno value */
};

struct instance {
	int dir;		/* the directory */
	int lock;		/* -1: not claimed */
	const char *dir_name;
	const char *proc_root;
	bool pid_written;
};

/*
 * Opens the directory; the string must outlive the instance.  On failure
 * returns false, with the reason for people in why.
 */
bool instance_open(struct instance *in, const char *dir, char *why, size_t size);

/*
 * Takes the claim, if it can be had.  Call after the last fork.  True: the
 * claim is held, and *v tells what the pidfile was found to be.  False: *v is
 * a RUNNING verdict, or UNKNOWN with the reason in why.
 */
bool instance_claim(struct instance *in, struct verdict *v, char *why, size_t size);

/*
 * The same judgement without claiming or changing anything.  Not for the
 * holder of the claim, nor is instance_holder(): closing any descriptor of the
 * lock file would drop an fcntl lock.
 */
void instance_query(struct instance *in, struct verdict *v);

/* Who holds the lock: -1 nobody, 0 another pid namespace, -2 cannot be told (errno). */
pid_t instance_holder(const struct instance *in);

/* Writes this process's pid.  Needs the claim. */
bool instance_write_pid(struct instance *in, char *why, size_t size);

/* Removes the pidfile if it is still ours, then gives up the claim. */
void instance_release(struct instance *in);

/* A file of this name in the directory, replaced as a whole.  Needs the claim. */
bool instance_replace(const struct instance *in, const char *name, const char *text, size_t len);
void instance_remove(const struct instance *in, const char *name);

/* Reads such a file; its length, -1 if it is not there or not the lock's owner's. */
ssize_t instance_read(const struct instance *in, const char *name, char *text, size_t size);

/* For a forked child: forgets the descriptors; the claim stays the parent's. */
void instance_forget(struct instance *in);

/* True for a directory in memory, which a power cut empties. */
bool instance_is_volatile(const struct instance *in);

bool verdict_is_running(const struct verdict *v);
void verdict_format(const struct verdict *v, char *text, size_t size);

#endif
