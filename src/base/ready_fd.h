/* SPDX-License-Identifier: ISC */
/*
 * ready_fd.h - tells our supervisor that we are ready, on a descriptor that it
 * has opened for this: a newline, as s6, OpenRC (notify=fd:3) and dinit expect.
 *
 * NUTLET_READY_FD is its number.  Without it, nothing is told.
 */
#ifndef READY_FD_H
#define READY_FD_H

#include <unistd.h>

#include "options.h"

#if WITH_SUPERVISOR

/*
 * Keeps the descriptor for later, and takes the variable away, so that no
 * child believes it.  Returns the first descriptor that is not in use.
 */
int ready_fd_keep(void);

/* Once; then it is closed. */
void ready_fd_tell(void);

/* For a child: it has nothing to tell, and keeps nothing open. */
void ready_fd_forget(void);
#else
static inline int ready_fd_keep(void)
{
	return STDERR_FILENO + 1;
}

static inline void ready_fd_tell(void)
{
}

static inline void ready_fd_forget(void)
{
}
#endif

#endif
