/* SPDX-License-Identifier: ISC */
/*
 * sched.h - what upssched does for NUT's upsmon: after a notification, the AT
 * lines of upssched.conf start and cancel timers, and run CMDSCRIPT.
 *
 * START-TIMER adds a timer; where the same UPS has started one of that name, by
 * the same type, that one goes on (upssched adds another each time, so that what
 * nobody cancels fills it up).  START-TIMER-SHARED adds none where any of that
 * name runs, and is the affair of the UPS that has started it.
 *
 * CANCEL-TIMER on a line for every UPS (*) ends all timers of the name that the
 * same UPS has started; on a line that names a UPS, all timers of the name.
 * upssched ends only the oldest of the name, whosever it is: so one UPS that
 * comes back stops the timer of another, or a second timer for the shutdown goes
 * on although the mains are back.
 *
 * A timer of a UPS that answers, and is not judged now (core.h: after a sleep,
 * after a restart of the monitor), waits for its next answer, for DEADTIME at
 * most: perhaps the mains have come back meanwhile, and CANCEL-TIMER is due.
 *
 * Pure.  Times are monotonic milliseconds.  The struct is copied as it is into
 * messages and over an upgrade: it holds no pointer, and may grow at the end of
 * a timer.
 */
#ifndef SCHED_H
#define SCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* Nothing of it runs without this: the file sets no rule, or there are none in this build. */
static inline bool sched_is_used(const struct conf *conf)
{
	return WITH_UPSSCHED && conf->rule_count > 0;
}

#if WITH_UPSSCHED

/* A name of `size` bytes at most, with its NUL, and without control characters. */
bool sched_name_is_sound(const char *name, size_t size);

/* A timer that could have been started here, with this many UPSes. */
bool sched_is_sound(const struct sched_timer *t, uint16_t ups_count);

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

/* Ends the timers that no AT line of this configuration starts: none of it may cancel them. */
void sched_restrict(struct sched *s, const struct conf *conf);

#else

static inline bool sched_is_sound(const struct sched_timer *t, uint16_t ups_count)
{
	(void)t, (void)ups_count;
	return false;
}

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

static inline void sched_restrict(struct sched *s, const struct conf *conf)
{
	(void)s, (void)conf;
}

#endif

#endif
