/* SPDX-License-Identifier: ISC */
/*
 * sched.h - what upssched does for NUT's upsmon: after a notification, the AT
 * lines of upssched.conf start and cancel timers, and run CMDSCRIPT.
 *
 * Each START-TIMER adds a timer, as upssched does; START-TIMER-SHARED adds none
 * where one of that name runs.  CANCEL-TIMER on a line for every UPS (*) ends all
 * timers of the name that the same UPS has started; on a line that names a UPS,
 * all timers of the name.  upssched ends only the oldest of the name, whosever it
 * is: so one UPS that comes back stops the timer of another, or a second timer
 * for the shutdown goes on although the mains are back.
 *
 * A timer of a UPS that is not judged now (core.h: after a sleep, after a
 * restart of the monitor) waits for its next answer, for DEADTIME at most:
 * perhaps the mains have come back meanwhile, and CANCEL-TIMER is due.
 *
 * Pure.  Times are monotonic milliseconds.  The struct is copied as it is into
 * messages and over an upgrade: it holds no pointer, and may grow at the end of
 * a timer.
 */
#ifndef SCHED_H
#define SCHED_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "core/action.h"
#include "core/conf.h"
#include "options.h"

struct sched_timer {
	int64_t due;
	uint16_t ups;			/* whose notification has started it; or UPS_NONE */
	uint16_t type;			/* and which: enum notify_type */
	char name[SCHED_NAME_MAX];	/* "": no timer */
};

/* The oldest first, without gaps. */
struct sched {
	struct sched_timer timers[SCHED_TIMERS_MAX];
};

/* A timer that could have been started here, with this many UPSes. */
static inline bool sched_is_sound(const struct sched_timer *t, uint16_t ups_count)
{
	return t->name[0] && memchr(t->name, '\0', sizeof(t->name)) && t->type < NOTIFY_TYPES &&
	       (t->ups < ups_count || t->ups == UPS_NONE);
}

/* Nothing of it runs without this: the file sets no rule, or there are none in this build. */
static inline bool sched_is_used(const struct conf *conf)
{
	return WITH_UPSSCHED && conf->rule_count > 0;
}

#if WITH_UPSSCHED

/* A notification was sent: carries out what the AT lines have for it. */
void sched_notified(struct sched *s, const struct conf *conf, uint16_t ups, enum notify_type type,
		    int64_t now, struct actions *out);

/*
 * Runs CMDSCRIPT for each timer that is due.  held[i] is the time before which
 * nothing is decided about the UPS i.
 */
void sched_advance(struct sched *s, const int64_t *held, int64_t now, struct actions *out);
int64_t sched_deadline(const struct sched *s, const int64_t *held);

/* For another configuration: place[i] is where the UPS i stands now; UPS_NONE: nowhere. */
void sched_move(struct sched *s, const uint16_t *place);

#else

static inline void sched_notified(struct sched *s, const struct conf *conf, uint16_t ups,
				  enum notify_type type, int64_t now, struct actions *out)
{
	(void)s, (void)conf, (void)ups, (void)type, (void)now, (void)out;
}

static inline void sched_advance(struct sched *s, const int64_t *held, int64_t now,
				 struct actions *out)
{
	(void)s, (void)held, (void)now, (void)out;
}

static inline int64_t sched_deadline(const struct sched *s, const int64_t *held)
{
	(void)s, (void)held;
	return NEVER;
}

static inline void sched_move(struct sched *s, const uint16_t *place)
{
	(void)s, (void)place;
}

#endif

#endif
