/* SPDX-License-Identifier: ISC */
/*
 * worker.h - the process of the monitor: starts it, hears it, and replaces it.
 *
 * A monitor that dies is replaced: at once if it has lived for a while, or else
 * slower and slower (10 s at most).  One that hangs is detected by its silence:
 * each message says when the next one comes at the latest.  A monitor that
 * sends a bad message, or closes its channel, is ended.  The next one goes on
 * where the last one stopped (safeguard.h).
 *
 * A new configuration and a new program need a new monitor, too:
 *
 *	worker_rest()     the monitor tells all that it knows, and stops its work
 *	worker_relieve()  the next one starts beside it
 *
 * When the next one has tried each UPS, the old one logs out and ends.  So no
 * server ever finds this host logged out.  (With -p there is no second process:
 * the daemon logs out and in again.)
 */
#ifndef WORKER_H
#define WORKER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "core/conf.h"
#include "guard/retired.h"
#include "guard/user.h"

struct worker_setup {
	const struct conf *conf; /* the guard's; a reload changes it in place */
	const struct account *user; /* the monitor becomes it; NULL: stays what it is */
	const sigset_t *wait;	/* for the monitor's loop */
	int ready_fd;		/* closed in the monitor; -1: none */
	bool one_process;
	int family;
	uint32_t connect_ms;
	void (*on_ready)(void);	/* called once */
	int (*make_lock)(void);	/* for the monitor (monitor_lock.h); -1: it gets none */
	void (*in_child)(void);	/* gives up what only the guard may hold */
};

void worker_init(const struct worker_setup *setup);

/* The monitor's part of a loop of one process. */
const struct loop_client *worker_client(void);

void worker_start(void);
void worker_hear(int64_t now);
/* late: how much later this wake-up comes than was asked for, milliseconds. */
void worker_advance(int64_t late, int64_t now);
int64_t worker_deadline(void);

/* What the monitor says, for poll(2); -1: none. */
int worker_fd(void);

/* Not at a start or an end, and not while the last one that rested keeps its logins. */
bool worker_can_rest(void);
bool worker_rest(int64_t now);	/* false: it cannot, or does not listen */
bool worker_is_at_rest(void);	/* all is told, or none lives */
void worker_resume(int64_t now);
void worker_relieve(int64_t now);

/* Over an exec: who is at rest then, and before worker_start() in the new program. */
struct worker worker_current(void);
void worker_take_over(const struct worker *resting, int64_t now);

/* Asks the monitor to log out and end; worker_has_ended() tells when it has. */
void worker_stop(int64_t now);
bool worker_has_ended(void);
bool worker_has_failed(void);	/* it ended before it was ready */

/* Ends all of them now. */
void worker_kill(void);

#endif
