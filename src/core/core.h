/* SPDX-License-Identifier: ISC */
/*
 * core.h - all of upsmon's decisions, without the outside world.
 *
 *	event, now  ->  core  ->  actions, the next deadline
 *
 * The shell around it tells the core what happened, carries out the actions in
 * order, and calls again with EV_TIME when the deadline has come.  The core makes no
 * system call, reads no clock, allocates nothing and has no globals, so that
 * a test can run a year of power cuts in a second.
 *
 * `now` is monotonic milliseconds and never goes back.  If the core is
 * called CORE_LATE_MS after its deadline, then the process or the machine was
 * stopped.  What the core knows is then out of date, so it waits for a new answer
 * of each UPS, one that tells whether it is on line, before it judges the UPS, for
 * DEADTIME at most.  The same holds for a UPS that is restored and was not lost.
 */
#ifndef CORE_H
#define CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/action.h"
#include "core/conf.h"
#include "core/sched.h"
#include "core/session.h"
#include "core/ups.h"
#include "core/words.h"

#define CORE_LATE_MS 1000

enum event_kind {
	EV_TIME,	/* nothing but the time */
	EV_CONNECTED,	/* ups: the connection stands */
	EV_CLOSED,	/* ups: it could not be made, or broke; why */
#if WITH_TLS
	EV_SECURED,	/* ups: the handshake is done; secure, and why: the version of TLS */
#endif
	EV_LINE,	/* ups: a line from the server; words */
	EV_GARBAGE,	/* ups: bytes that are no line of the protocol; why */
	EV_FSD,		/* somebody asked for a shutdown (-c fsd) */
	EV_STOP,	/* log out everywhere, at once: then core_is_over() */
};

struct event {
	enum event_kind kind;
	uint16_t ups;
	uint8_t secure;		/* SECURE_ bits */
	struct words *words;
	const char *why;
};

/*
 * The way down.  WATCH: nothing yet.  SYNC: FSD is set, secondaries are given
 * HOSTSYNC to log out.  FINAL: SHUTDOWN was notified, FINALDELAY runs.  DOWN:
 * the shell was told; SHUTDOWNEXIT runs.  There is no way back up.
 */
enum phase { PHASE_WATCH, PHASE_SYNC, PHASE_FINAL, PHASE_DOWN };

struct core {
	const struct conf *conf;	/* the caller's; must outlive this */
	uint32_t connect_ms;
	enum phase phase;
	int64_t phase_until;		/* of all but WATCH; NEVER: nothing more comes */
	bool sync_told;			/* SHUTDOWN_HOSTSYNC was notified */
	bool stopping;
	bool tried[UPS_MAX];		/* a first attempt was made */
	int64_t stale_until[UPS_MAX];	/* not judged before then, unless it is heard; 0: it was */
	int64_t last;			/* the last event */
	int64_t woke;			/* the last one that came too late: all stood still before it */
	struct ups ups[UPS_MAX];
	struct session session[UPS_MAX];
	struct sched sched;
};

void core_init(struct core *c, const struct conf *conf, uint32_t connect_ms, int64_t now);

/*
 * Takes up where an earlier core stopped: before the first event, once for
 * each UPS, once for the timers and once for the phase.  DEADTIME starts anew.
 */
void core_restore_ups(struct core *c, uint16_t ups, const struct ups *saved, int64_t now);
void core_restore_sched(struct core *c, const struct sched *saved);
void core_restore_phase(struct core *c, enum phase phase, int64_t until, int64_t now);

/* *out is emptied first. */
void core_event(struct core *c, const struct event *ev, int64_t now, struct actions *out);
int64_t core_deadline(const struct core *c, int64_t now);

/* Every UPS is calm (ups.h), and no shutdown is under way. */
bool core_is_calm(const struct core *c);

/* A first attempt was made at each UPS by this core, whatever came of it, or a shutdown has begun. */
bool core_is_ready(const struct core *c);

/* After EV_STOP or the end: every session is closed. */
bool core_is_over(const struct core *c);

#endif
