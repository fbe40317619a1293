/* SPDX-License-Identifier: ISC */
#include "past.h"

#include <string.h>
#include <unistd.h>

#include "core.h"

void past_init(struct past *p)
{
	memset(p, 0, sizeof(*p));
	p->phase = PHASE_WATCH;
	p->phase_until = NEVER;
	past_init_links(p);
}

void past_init_links(struct past *p)
{
	for (unsigned int i = 0; i < UPS_MAX; i++) {
		p->link[i].fd = -1;
		p->link[i].known = false;
	}
}

void past_move(struct past *p, const struct conf *old, const struct conf *now)
{
	static struct past before;

	past_drop_links(p);
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

void past_drop_links(struct past *p)
{
	for (unsigned int i = 0; i < UPS_MAX; i++) {
		if (p->link[i].fd >= 0)
			close(p->link[i].fd);
	}
	past_init_links(p);
}

bool past_on_battery(const struct past *p, const struct conf *conf)
{
	for (uint16_t i = 0; i < conf->ups_count; i++) {
		if (p->known[i] && p->ups[i].line == LINE_BATTERY)
			return true;
	}
	return false;
}
