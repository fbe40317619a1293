/* SPDX-License-Identifier: ISC */
/*
 * detach.h - into the background, with an answer for the caller.
 *
 *	detach_open_stdio()  before anything else: some callers leave 0, 1 or 2
 *	                closed, and no descriptor of ours may get such a number
 *	detach_fork()   the caller's process waits here; it ends with 0 when the
 *	                daemon is ready, and with 1 if the daemon failed
 *	detach_ready()  in the daemon: lets the caller go
 *	detach_stdio()  in every process of the daemon: lets go of the terminal
 */
#ifndef DETACH_H
#define DETACH_H

void detach_open_stdio(void);

/*
 * Forks, and returns in the child only, as the leader of a new session; the
 * result is the descriptor for detach_ready().  -1 with errno set.
 */
int detach_fork(void);

void detach_ready(int fd);

/* From here on, messages go to syslog alone. */
void detach_stdio(void);

#endif
