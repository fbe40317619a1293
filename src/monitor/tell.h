/* SPDX-License-Identifier: ISC */
/*
 * tell.h - what the guard is told: all that it would need to start a monitor in our
 * place, as it changes, and with each word by when the next one comes.
 *
 * The channel may be full: then what is left is said later, and what has changed in
 * between only as it is by then.
 */
#ifndef TELL_H
#define TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "core/core.h"
#include "core/message.h"

struct tell {
	const struct core *core;
	const struct channel *channel;
	uint32_t phase;		/* what was told, from here on */
	int64_t phase_until;
	int64_t silent_until;
	bool is_ready;
	int64_t speak_by;	/* the least that the guard is to be told */
	bool asked_unsaid;	/* our user wants FSD, and the guard is still to be told */
	bool is_told[UPS_MAX];
	struct ups ups[UPS_MAX];
	struct sched *sched;
};

/* *t and *sched are zero; all are the caller's, for as long as *t is used. */
void tell_init(struct tell *t, const struct core *core, const struct channel *channel,
	       struct sched *sched);

/* What the guard has told us itself: the timers of the last monitor. */
void tell_known(struct tell *t, const struct sched *sched);

/* This process wakes up then, unless something comes before; NEVER: it may not at all. */
void tell_wake_up(struct tell *t, int64_t at);

/* FSD was asked for: goes before all else. */
void tell_asked(struct tell *t);

/* These are true once it is said; false: call again when the channel takes more. */
bool tell_all(struct tell *t, int64_t now);
bool tell_resting(struct tell *t, int64_t now);

#endif
