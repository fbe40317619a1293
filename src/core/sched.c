/* SPDX-License-Identifier: ISC */
#include "core/sched.h"

#include <string.h>

bool sched_name_is_sound(const char *name, size_t size)
{
	size_t len = 0;

	/* the guard writes it into a file of lines */
	while (len < size && name[len]) {
		if ((unsigned char)name[len] < ' ' || name[len] == 0x7f)
			return false;
		len++;
	}
	return len > 0 && len < size;
}

bool sched_is_sound(const struct sched_timer *t, uint16_t ups_count)
{
	return sched_name_is_sound(t->name, sizeof(t->name)) && t->type < NOTIFY_TYPES &&
	       (t->ups < ups_count || t->ups == UPS_NONE);
}

/* Is there an i-th timer? */
static bool has(const struct sched *s, unsigned int i)
{
	return i < SCHED_TIMERS_MAX && s->timers[i].name[0];
}

static unsigned int count_of(const struct sched *s)
{
	unsigned int count = 0;

	while (has(s, count))
		count++;
	return count;
}

static void take_out(struct sched *s, unsigned int i)
{
	memmove(&s->timers[i], &s->timers[i + 1],
		(SCHED_TIMERS_MAX - 1 - i) * sizeof(s->timers[0]));
	memset(&s->timers[SCHED_TIMERS_MAX - 1], 0, sizeof(s->timers[0]));
}

static bool runs(const struct sched *s, const char *name)
{
	for (unsigned int i = 0; has(s, i); i++) {
		if (strcmp(s->timers[i].name, name) == 0)
			return true;
	}
	return false;
}

static bool has_started(const struct sched *s, const char *name, uint16_t ups, enum notify_type type)
{
	for (unsigned int i = 0; has(s, i); i++) {
		if (s->timers[i].ups == ups && s->timers[i].type == type &&
		    strcmp(s->timers[i].name, name) == 0)
			return true;
	}
	return false;
}

static void start(struct sched *s, const char *name, uint32_t ms, uint16_t ups,
		  enum notify_type type, int64_t now, struct actions *out)
{
	unsigned int count = count_of(s);
	struct sched_timer *t = &s->timers[count];

	if (has_started(s, name, ups, type))
		return;
	if (count == SCHED_TIMERS_MAX) {
		action_report(out, ups, REPORT_TIMERS_FULL, SCHED_TIMERS_MAX, name);
		return;
	}
	/* the reader of the file has seen to its length */
	memcpy(t->name, name, strlen(name));
	t->due = now + ms;
	t->ups = ups;
	t->type = (uint16_t)type;
	action_report(out, ups, REPORT_TIMER_STARTED, ms / 1000, name);
}

/* Those that this UPS has started, or none in particular; with UPS_NONE all.  True if there was one. */
static bool cancel(struct sched *s, const char *name, uint16_t ups, struct actions *out)
{
	bool found = false;

	for (unsigned int i = 0; has(s, i);) {
		if (strcmp(s->timers[i].name, name) != 0 ||
		    (ups != UPS_NONE && s->timers[i].ups != ups &&
		     s->timers[i].ups != UPS_NONE)) {
			i++;
			continue;
		}
		action_report(out, s->timers[i].ups, REPORT_TIMER_CANCELLED, 0, name);
		take_out(s, i);
		found = true;
	}
	return found;
}

static bool applies(const struct conf_rule *rule, const struct conf *conf, uint16_t ups,
		    enum notify_type type)
{
	if (rule->type != type)
		return false;
	return rule->system == 0 ||
	       (ups != UPS_NONE && strcmp(conf_get(conf, rule->system),
					  conf_get(conf, conf->ups[ups].system)) == 0);
}

void sched_notified(struct sched *s, const struct conf *conf, uint16_t ups, enum notify_type type,
		    int64_t now, struct actions *out)
{
	if (conf->notify[type].flags & NOTIFY_IGNORE)
		return;
	for (unsigned int i = 0; i < conf->rule_count; i++) {
		const struct conf_rule *rule = &conf->rules[i];
		const char *name = conf_get(conf, rule->name);

		if (!applies(rule, conf, ups, type))
			continue;
		switch ((enum conf_verb)rule->verb) {
		case VERB_START_SHARED:
			if (runs(s, name))
				break;
			/* fall through */
		case VERB_START:
			start(s, name, rule->ms, ups, type, now, out);
			break;
		case VERB_CANCEL:
			if (!cancel(s, name, rule->system ? UPS_NONE : ups, out) && rule->command)
				action_command(out, ups, type, conf_get(conf, rule->command), false);
			break;
		case VERB_EXECUTE:
			action_command(out, ups, type, name, false);
			break;
		}
	}
}

static int64_t due_at(const struct sched_timer *t, const int64_t *held)
{
	if (t->ups != UPS_NONE && held[t->ups] > t->due)
		return held[t->ups];
	return t->due;
}

/* The one that comes next; of two, the one that was started first. */
static unsigned int first_of(const struct sched *s, const int64_t *held)
{
	unsigned int first = 0;

	for (unsigned int i = 1; has(s, i); i++) {
		if (due_at(&s->timers[i], held) < due_at(&s->timers[first], held))
			first = i;
	}
	return first;
}

int64_t sched_deadline(const struct sched *s, const int64_t *held)
{
	return has(s, 0) ? due_at(&s->timers[first_of(s, held)], held) : NEVER;
}

void sched_advance(struct sched *s, const int64_t *held, int64_t now, struct actions *out)
{
	/* what finds no room is due at once in the next event */
	while (now >= sched_deadline(s, held) && out->count + 2 < ACTIONS_MAX) {
		unsigned int i = first_of(s, held);
		const struct sched_timer *t = &s->timers[i];

		action_report(out, t->ups, REPORT_TIMER_DUE, 0, t->name);
		action_command(out, t->ups, (enum notify_type)t->type, t->name, true);
		take_out(s, i);
	}
}

void sched_restrict(struct sched *s, const struct conf *conf)
{
	for (unsigned int i = 0; has(s, i);) {
		bool started = false;

		for (unsigned int k = 0; k < conf->rule_count; k++) {
			const struct conf_rule *rule = &conf->rules[k];

			started |= conf_rule_starts(rule) &&
				   strcmp(conf_get(conf, rule->name), s->timers[i].name) == 0;
		}
		if (started)
			i++;
		else
			take_out(s, i);
	}
}

void sched_move(struct sched *s, const uint16_t *place)
{
	for (unsigned int i = 0; has(s, i);) {
		struct sched_timer *t = &s->timers[i];

		if (t->ups == UPS_NONE || place[t->ups] != UPS_NONE) {
			if (t->ups != UPS_NONE)
				t->ups = place[t->ups];
			i++;
		} else {
			/* nobody watches that UPS any more, or would cancel this */
			take_out(s, i);
		}
	}
}
