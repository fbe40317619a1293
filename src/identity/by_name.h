/* SPDX-License-Identifier: ISC */
/*
 * by_name.h - an upsmon that is known by its name alone: can it be the one
 * that a pidfile means, while nobody holds the lock?
 *
 * Yes for NUT's own, which takes no lock, and for a nutlet whose lock was
 * removed, or linked, under it.  It is a stranger that only has the number, if
 *
 *  - it is a nutlet of another directory: it holds a lock there, or runs this
 *    very program file and holds none (upsmon -c, or a start);
 *  - it lives in another pid namespace: a container's;
 *  - neither it nor the upsmon that is its parent has the rights of `uid`
 *    (NUT's pidfile names its unprivileged client, whose parent is root's):
 *    who may write the file could name any process of his.
 *
 * What cannot be read counts for it: then it may be the one.
 */
#ifndef BY_NAME_H
#define BY_NAME_H

#include <stdbool.h>
#include <sys/types.h>

#include "identity/procname.h"

struct by_name {
	const char *root;	/* of /proc */
	int dir;		/* the pidfile's directory */
	uid_t uid;
	bool any_uid;		/* for a user who may not read the lock, and only asks */
};

bool by_name_may_be(const struct by_name *l, pid_t pid, const struct proc *p);

#endif
