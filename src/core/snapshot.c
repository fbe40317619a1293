/* SPDX-License-Identifier: ISC */
#include "core/snapshot.h"

#include <string.h>

#include "core/core.h"

void snapshot_init(struct snapshot *s)
{
	memset(s, 0, sizeof(*s));
	s->phase = PHASE_WATCH;
	s->phase_until = NEVER;
}

struct snapshot snapshot_move(const struct snapshot *s, const struct conf *old,
			      const struct conf *now)
{
	struct snapshot moved = *s;
	uint16_t places[UPS_MAX];

	memset(moved.known, 0, sizeof(moved.known));
	memset(places, 0xff, sizeof(places)); /* UPS_NONE each */
	for (uint16_t i = 0; i < now->ups_count; i++) {
		int place = conf_find_system(old, now, i);

		if (place < 0)
			continue;
		moved.known[i] = s->known[place];
		moved.ups[i] = s->ups[place];
		places[place] = i;
	}
	sched_move(&moved.sched, places);
	return moved;
}

bool snapshot_has_power(const struct snapshot *s, const struct conf *conf)
{
	uint32_t power = 0;

	for (uint16_t i = 0; i < conf->ups_count; i++) {
		if (!s->known[i] || (s->ups[i].line != LINE_BATTERY && !s->ups[i].critical))
			power += conf->ups[i].power_value;
	}
	return power >= conf->min_supplies;
}

bool snapshot_has_answer(const struct snapshot *s, const struct conf *conf)
{
	for (uint16_t i = 0; i < conf->ups_count; i++) {
		if (s->known[i] && s->ups[i].comm == COMM_OK)
			return true;
	}
	return false;
}
