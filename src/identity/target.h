/* SPDX-License-Identifier: ISC */
/*
 * target.h - the proof that a signal needs: this process is the running upsmon.
 *
 * Guarantee: a signal reaches only the process that holds the lock: the guard,
 * or, for the monitor's user, the monitor (monitor_lock.h).  The process holds
 * the lock before and after we open a pidfd for it, and is called upsmon
 * (NUT_IGNORE_CHECKPROCNAME leaves out the name).  From then on the pidfd
 * guarantees that no other process can take its place.
 *
 * Limits: where the kernel has no pidfds (before 5.3), the lock, the name and
 * the start time are checked once more directly before kill(2).  To hit another
 * process, the daemon would have to end, and its number be reused, between that
 * check and kill(2).  A kernel reuses a number only after all other numbers: a
 * few microseconds against tens of thousands of forks.
 *
 * A process in another pid namespace, and an upsmon that takes no lock, such
 * as NUT's own, cannot be proved and are never signalled.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "identity/instance.h"

struct target {
	const char *lock;	/* whose holder it is */
	pid_t pid;
	int pidfd;	/* -1: the kernel has none */
	uint64_t start;	/* for then */
};

/*
 * Finds the process that holds this lock, LOCK_FILE or MONITOR_LOCK_FILE, and
 * proves that it is the one.  wanted: it must be this process, or the guard of
 * this monitor (0: any).  False, with the reason on stderr.
 */
bool target_find(struct target *t, struct instance *in, pid_t wanted, const char *lock);

/* False with errno set; ESRCH: it has ended, EOPNOTSUPP: no pidfd, and no start time. */
bool target_signal(const struct target *t, const struct instance *in, int sig);

/*
 * Whether it catches this signal: an older version would be ended by one that
 * it does not know.  False as well if that cannot be told.
 */
bool target_catches(const struct target *t, int sig);

/* Waits for its end, but not longer than this; false: it still holds the lock. */
bool target_wait(const struct target *t, const struct instance *in, int ms);

#endif
