/* SPDX-License-Identifier: ISC */
/*
 * past.h - what one monitor leaves to the next: kept by the guard, told by
 * messages, and carried over an exec by handover.h.
 *
 * A place counts in the configuration of the time, so a new one moves them.
 */
#ifndef PAST_H
#define PAST_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "session.h"
#include "ups.h"

/* A connection without an owner. */
struct past_link {
	bool known;		/* session holds something */
	int fd;			/* -1: there is no connection */
	struct session session;
};

struct past {
	bool known[UPS_MAX];
	struct ups ups[UPS_MAX];
	struct past_link link[UPS_MAX];
	uint32_t phase;
	int64_t phase_until;
};

void past_init(struct past *p);

/* The configuration was `old` and is `now`: what is known of a UPS goes by its name. */
void past_move(struct past *p, const struct conf *old, const struct conf *now);

/* The next monitor has the links: forgets them, and closes our ends of them. */
void past_drop_links(struct past *p);

/* The same, where the next monitor lives in this process and uses our ends. */
void past_init_links(struct past *p);

bool past_on_battery(const struct past *p, const struct conf *conf);

#endif
