/* SPDX-License-Identifier: ISC */
/*
 * message.h - what guard and monitor say to each other.
 *
 * A closed set of messages of one size.  The guard is root and the monitor
 * speaks with the network, so the guard checks each message in full
 * (message_is_sound) and ends a monitor that sends a bad one.
 *
 * Pure.  Times are monotonic milliseconds.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "core/sched.h"
#include "core/ups.h"

enum message_kind {
	/* monitor to guard */
	MESSAGE_READY = 1,	/* a first attempt was made at each UPS */
	MESSAGE_UPS,		/* what is known of one UPS: kept for the next monitor */
	MESSAGE_TIMER,		/* one of the timers, or that there is none in its place: likewise */
	MESSAGE_PHASE,		/* how far a shutdown has come: kept likewise; DOWN carries it out */
	MESSAGE_ASKED,		/* its own user wants FSD */
	MESSAGE_RESTING,	/* all is told, and nothing more is done */
	/* guard to monitor */
	MESSAGE_FSD,		/* -c fsd */
	MESSAGE_STOP,		/* log out and end */
	MESSAGE_REST,		/* stop where you are; log out and end when the channel is closed */
	MESSAGE_RESUME,		/* or rather go on */
};

struct message {
	uint32_t kind;
	uint32_t ups;		/* of MESSAGE_UPS; of MESSAGE_TIMER the place */
	uint32_t phase;
	uint32_t spare;
	int64_t phase_until;
	int64_t silent_until;	/* the monitor speaks again before this */
	union {
		struct ups state;
		struct sched_timer timer;
	};
};

/* Whether a monitor may say this: kind, indices, and the range of each value. */
bool message_is_sound(const struct message *m, uint16_t ups_count, int64_t now);

#endif
