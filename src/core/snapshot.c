/* SPDX-License-Identifier: ISC */
#include "core/snapshot.h"

#include <string.h>
#include <unistd.h>

#include "core/core.h"

void snapshot_init(struct snapshot *p)
{
	memset(p, 0, sizeof(*p));
	p->phase = PHASE_WATCH;
	p->phase_until = NEVER;
	snapshot_init_links(p);
}

void snapshot_init_links(struct snapshot *p)
{
	for (unsigned int i = 0; i < UPS_MAX; i++) {
		p->link[i].fd = -1;
		p->link[i].known = false;
	}
}

void snapshot_move(struct snapshot *p, const struct conf *old, const struct conf *now)
{
	static struct snapshot before;

	snapshot_drop_links(p);
	before = *p;
	memset(p->known, 0, sizeof(p->known));
	for (uint16_t i = 0; i < now->ups_count; i++) {
		int place = conf_find_system(old, now, i);

		if (place < 0)
			continue;
		p->known[i] = before.known[place];
		p->ups[i] = before.ups[place];
	}
}

void snapshot_drop_links(struct snapshot *p)
{
	for (unsigned int i = 0; i < UPS_MAX; i++) {
		if (p->link[i].fd >= 0)
			close(p->link[i].fd);
	}
	snapshot_init_links(p);
}

bool snapshot_on_battery(const struct snapshot *p, const struct conf *conf)
{
	for (uint16_t i = 0; i < conf->ups_count; i++) {
		if (p->known[i] && p->ups[i].line == LINE_BATTERY)
			return true;
	}
	return false;
}
