/* SPDX-License-Identifier: ISC */
/*
 * lock.h - upsmon.lock: a file of mode 0600 whose fcntl write lock is the
 * identity of the running upsmon.
 *
 * Not flock, which a forked child would keep.  The kernel drops the lock at
 * any death, and F_GETLK names its holder.  Only a plain file of our own user
 * with one name can be the lock; anything else of that name was planted, and is
 * moved out of the way.  Read locks do not count: ours are write locks.
 *
 * An fcntl lock is lost when its holder closes ANY descriptor of the file.  So
 * the holder must not call lock_holder().
 */
#ifndef LOCK_H
#define LOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "identity/rundir.h"

#define LOCK_FILE "upsmon.lock"

/* What lock_holder() says beside a pid. */
enum {
	HOLDER_FOREIGN = 0,	/* a process of another pid namespace */
	HOLDER_NONE = -1,
	HOLDER_HIDDEN = -2,	/* it cannot be told; errno says why */
};

/*
 * Takes the lock.  Returns its descriptor (close on exec), or -1: then *holder
 * has it, or is HOLDER_NONE and errno says what failed.
 */
int lock_take(const struct rundir *d, pid_t *holder);

/*
 * Takes it once more by the same descriptor, which changes nothing while it is
 * held: after an exec, and after anything that may have dropped it.  False:
 * somebody else has it, and lock_rival() says who.
 */
bool lock_retake(int fd);
pid_t lock_rival(int fd);

/* The lock is on the file that has the name now, and no other name. */
bool lock_is_named(const struct rundir *d, int fd);

/* The holder's pid of upsmon.lock or another file, or one of the above. */
pid_t lock_holder(const struct rundir *d, const char *name);

#endif
