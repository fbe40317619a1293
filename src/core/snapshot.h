/* SPDX-License-Identifier: ISC */
/*
 * snapshot.h - what one monitor leaves to the next: kept by the guard, told by
 * messages, and carried over an exec by handover.h.
 *
 * A place counts in the configuration of the time, so a new one moves them.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/session.h"
#include "core/ups.h"

/* A connection without an owner. */
struct snapshot_link {
	bool known;		/* session holds something */
	int fd;			/* -1: there is no connection */
	struct session session;
};

struct snapshot {
	bool known[UPS_MAX];
	struct ups ups[UPS_MAX];
	struct snapshot_link link[UPS_MAX];
	uint32_t phase;
	int64_t phase_until;
};

void snapshot_init(struct snapshot *p);

/* The configuration was `old` and is `now`: what is known of a UPS goes by its name. */
void snapshot_move(struct snapshot *p, const struct conf *old, const struct conf *now);

/* The next monitor has the links: forgets them, and closes our ends of them. */
void snapshot_drop_links(struct snapshot *p);

/* The same, where the next monitor lives in this process and uses our ends. */
void snapshot_init_links(struct snapshot *p);

bool snapshot_on_battery(const struct snapshot *p, const struct conf *conf);

#endif
