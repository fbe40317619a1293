/* SPDX-License-Identifier: ISC */
/*
 * worker.h - keeps a monitor running: starts it, hears it, remembers what it
 * knew, and starts the next one where it stopped.
 *
 * A monitor that dies is started again at once, then slower and slower (10 s
 * at most).  A shutdown that one had begun is finished also if none lives to
 * say so or it hangs, and so is one that cannot be judged: on battery, with
 * HOPELESS monitors dead in a row.
 */
#ifndef WORKER_H
#define WORKER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"
#include "upgrade/handover.h"
#include "base/loop.h"
#include "monitor/monitor.h"
#include "guard/user.h"

struct worker_setup {
	struct conf *conf;	/* the guard's; a reload changes it in place */
	const struct user *user; /* the monitor becomes it; NULL: stays what it is */
	const sigset_t *wait;	/* for the monitor's loop */
	int ready_fd;		/* closed in the monitor; -1: none */
	bool one_process;
	int family;
	uint32_t connect_ms;
	void (*on_ready)(void);	/* called once */
	void (*in_child)(void);	/* gives up what only the guard may hold */
};

bool worker_init(const struct worker_setup *setup);

/* The monitor's client, for a loop of one process. */
const struct loop_client *worker_client(void);

void worker_start(void);
void worker_hear(int64_t now);
void worker_advance(int64_t now);
int64_t worker_deadline(void);

/* What is known, and whether it has changed since this was last asked. */
const struct snapshot *worker_snapshot(void);
bool worker_has_news(void);

/* The channel to the monitor, for poll(2); -1: none. */
int worker_fd(void);

void worker_fsd(int64_t now);

/* conf has changed, from old.  False while an earlier change is still on its way. */
bool worker_can_reload(void);
void worker_reload(const struct conf *old);

/*
 * For a hot upgrade: the monitor comes to rest and ends, and the snapshot has its
 * links; worker_is_handed() tells when.  worker_go_on() takes it back, at any
 * time; false from worker_hand_over(): now is not the time.
 */
bool worker_hand_over(void);
bool worker_is_handed(void);
bool worker_is_handing_over(void);
void worker_go_on(void);

/* In the new program, before worker_start(): where the old one stopped. */
void worker_take_over(const struct handover *h);

/* A shutdown is under way, or was asked for. */
bool worker_is_alarmed(void);

/* Asks the monitor to log out and end; worker_has_ended() tells when it has. */
void worker_stop(int64_t now);
bool worker_has_ended(void);
bool worker_has_failed(void);	/* it ended before it was ready */

/* Ends the monitor now. */
void worker_kill(void);

#endif
