/* SPDX-License-Identifier: ISC */
/*
 * by_name.h - a process that is known as an upsmon only by its name: can it be
 * the one that a pidfile means, while nobody holds the lock?
 *
 * Yes for NUT's own, which takes no lock, and for a nutlet whose lock was
 * removed or linked while it ran.  No, it only has the number by chance, if
 *
 *  - it is a nutlet of another directory: it holds a lock there, or runs this
 *    very program file and holds none (upsmon -c, or a start);
 *  - it lives in another pid namespace, that of a container;
 *  - neither it nor the upsmon that is its parent has the rights of `uid`: a user
 *    who may write the pidfile could name any of his own processes.  (NUT's
 *    pidfile names its unprivileged client, whose parent is root's.)
 *
 * What cannot be read counts as yes: then it may be the one.
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
