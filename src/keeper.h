/* SPDX-License-Identifier: ISC */
/*
 * keeper.h - keeps a monitor running: starts it, hears it, remembers what it
 * knew, and starts the next one where it stopped.
 *
 * A monitor that dies is started again at once, then slower and slower (10 s
 * at most).  A shutdown that one had begun is finished also if none lives to
 * say so or it hangs, and so is one that cannot be judged: on battery, with
 * HOPELESS monitors dead in a row.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "handover.h"
#include "loop.h"
#include "monitor.h"
#include "user.h"

struct keeper_setup {
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

bool keeper_init(const struct keeper_setup *setup);

/* The monitor's half, for a loop of one process. */
const struct loop_half *keeper_half(void);

void keeper_start(void);
void keeper_hear(int64_t now);
void keeper_advance(int64_t now);
int64_t keeper_deadline(void);

/* What is known, and whether it has changed since this was last asked. */
const struct past *keeper_past(void);
bool keeper_has_news(void);

/* The channel to the monitor, for poll(2); -1: none. */
int keeper_fd(void);

void keeper_fsd(int64_t now);

/* conf has changed, from old.  False while an earlier change is still on its way. */
bool keeper_can_reload(void);
void keeper_reload(const struct conf *old);

/*
 * For a hot upgrade: the monitor comes to rest and ends, and past has its
 * links; keeper_is_handed() tells when.  keeper_go_on() takes it back, at any
 * time; false from keeper_hand_over(): now is not the time.
 */
bool keeper_hand_over(void);
bool keeper_is_handed(void);
bool keeper_is_handing_over(void);
void keeper_go_on(void);

/* In the new program, before keeper_start(): where the old one stopped. */
void keeper_take_over(const struct handover *h);

/* A shutdown is under way, or was asked for. */
bool keeper_is_alarmed(void);

/* Asks the monitor to log out and end; keeper_has_ended() tells when it has. */
void keeper_stop(int64_t now);
bool keeper_has_ended(void);
bool keeper_has_failed(void);	/* it ended before it was ready */

/* Ends the monitor now. */
void keeper_kill(void);

#endif
