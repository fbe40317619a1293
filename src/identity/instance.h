/* SPDX-License-Identifier: ISC */
/*
 * instance.h - is upsmon running?  The lock, the pidfile, and the verdict.
 *
 * Guarantee: of all processes of one user that share the directory, at most
 * one holds the claim.  The kernel drops the claim at any death and at any power
 * cut, and names its holder, so a recycled number can never pass for it.  Nothing
 * that a crash leaves behind prevents the next start.
 *
 *   upsmon.lock  is the claim (lock.h).  Its text is a note for the next
 *                start: which pidfile its last owner wrote.  Never removed.
 *   upsmon.pid   for people, cat and start-stop-daemon: one number and a
 *                newline.  It proves nothing.  It is written as a whole, and
 *                removed at exit while the lock is still held.
 *
 * The directory may belong to the unprivileged user (rundir.h).  What that user
 * plants there is never followed, waited for or believed, and that user's locks
 * do not count for root.
 *
 * Limits: a user who may write to the directory can remove the lock of a running
 * daemon.  The daemon takes a new lock at its next check (instance_check()), and
 * leaves if another was quicker, so two may run for INSTANCE_CHECK_MS at most.
 * The same can happen if that user keeps the directory itself locked and plants a
 * file, and two daemons start in the same millisecond.
 */
#ifndef INSTANCE_H
#define INSTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "identity/lock.h"
#include "identity/procname.h"
#include "identity/rundir.h"

/* How often the holder calls instance_check(), at the least; and while something is wrong. */
#define INSTANCE_CHECK_MS 40000
#define INSTANCE_MEND_MS 5000

enum verdict_kind {
	VERDICT_FREE,		/* no lock, no pidfile */
	VERDICT_RUNNING_LOCK,	/* pid holds the lock; 0: in another pid namespace */
	VERDICT_RUNNING_NAME,	/* an upsmon without a lock, such as NUT's */
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
	struct rundir dir;
	int lock;		/* -1: not claimed */
	const char *proc_root;
	bool pid_written;
	struct stat pid_file;	/* what was written */
};

/*
 * Opens the directory; the string must outlive the instance.  On failure
 * returns false with errno set, and the reason for people in why.
 */
bool instance_open(struct instance *in, const char *dir, char *why, size_t size);

/*
 * Takes the claim, if it can be had.  Call after the last fork.  True: the
 * claim is held, and *v tells what the pidfile was found to be.  False: *v is
 * a RUNNING verdict, or UNKNOWN with the reason in why.
 */
bool instance_claim(struct instance *in, struct verdict *v, char *why, size_t size);

/*
 * Goes on with the claim of the program that this process ran before an exec;
 * lock is its descriptor.  False: it is somebody else's now.
 */
bool instance_adopt(struct instance *in, int lock);

/*
 * The same judgement without claiming or changing anything.  Not for the
 * holder of the claim (see lock.h).
 */
void instance_query(struct instance *in, struct verdict *v);

/*
 * The holder looks whether its lock still has its name, and mends what it can.
 * in->pid_written tells whether the pidfile is still the one that it wrote.
 */
enum claim {
	CLAIM_KEPT,
	CLAIM_RENEWED,	/* it had lost its name, and was taken anew; the pidfile is to be written */
	CLAIM_LOST,	/* *v says who has it now */
	CLAIM_UNSURE,	/* it has lost its name, and none can be made; why */
};
enum claim instance_check(struct instance *in, struct verdict *v, char *why, size_t size);

/* Writes this process's pid.  Needs the claim. */
bool instance_write_pid(struct instance *in, char *why, size_t size);

/* Removes the pidfile if it is still ours, then gives up the claim. */
void instance_release(struct instance *in);

/* Reads a file beside the lock; its length, -1 if it is not there or not the lock owner's. */
ssize_t instance_read(const struct instance *in, const char *name, char *text, size_t size);

/* For a forked child: forgets the descriptors; the claim stays the parent's. */
void instance_forget(struct instance *in);

bool verdict_is_running(const struct verdict *v);
void verdict_format(const struct verdict *v, char *text, size_t size);

#endif
