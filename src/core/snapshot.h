/* SPDX-License-Identifier: ISC */
/*
 * snapshot.h - what one monitor leaves to the next: kept by the guard, sent in
 * messages, and carried over an exec by handover.h.
 *
 * A UPS has the place that its MONITOR line has in the current configuration, so
 * a new configuration moves the places.
 *
 * Pure.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/sched.h"
#include "core/ups.h"

struct snapshot {
	bool known[UPS_MAX];
	struct ups ups[UPS_MAX];
	uint32_t phase;
	int64_t phase_until;
	struct sched sched;
};

void snapshot_init(struct snapshot *s);

/* *s, which goes by `old`, as it is by `now`: a UPS is the same by its name. */
struct snapshot snapshot_move(const struct snapshot *s, const struct conf *old,
			      const struct conf *now);

/*
 * The power that is left while nobody watches, as MINSUPPLIES counts it: of each UPS
 * that was not on battery.  One that was never seen counts, as in the core.
 */
bool snapshot_has_power(const struct snapshot *s, const struct conf *conf);

/* Some UPS has answered, and was not lost since. */
bool snapshot_has_answer(const struct snapshot *s, const struct conf *conf);

#endif
