/* SPDX-License-Identifier: ISC */
/*
 * signals.h - signals as events.  They are blocked everywhere except inside
 * ppoll(2) and signals_take(), so a handler never interrupts anything, and no
 * signal is lost between a check and the wait.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>
#include <signal.h>

enum {
	SIGNALS_STOP = 1 << 0,		/* TERM, INT, QUIT */
	SIGNALS_RELOAD = 1 << 1,	/* HUP */
	SIGNALS_FSD = 1 << 2,		/* USR1 */
	SIGNALS_CHILD = 1 << 3,		/* CHLD */
	SIGNALS_UPGRADE = 1 << 4,	/* USR2 */
};

/* Catches and blocks; *wait is the mask for ppoll(). */
void signals_catch(sigset_t *wait);

/*
 * For the monitor: what is meant for the daemon goes to the guard, who passes
 * it on, so here it is ignored.  An init that sends TERM to everybody thus
 * reaches both in the right order.  Only FSD stays: its own user may ask for
 * that.  Commands start with default signals again through signals_restore().
 */
void signals_ignore_orders(void);

/* Says in the log who sent the last SIGNALS_FSD. */
void signals_log_fsd(void);

/* Everything as at a program's start, for a child. */
void signals_restore(void);

/*
 * Lets in what waits.  ppoll(2) lets no signal in where a descriptor was ready at
 * once: a peer that never stops talking could keep TERM away for ever.
 */
void signals_let_in(void);

/* The set of what was let in since the last call. */
unsigned int signals_take(void);

#endif
