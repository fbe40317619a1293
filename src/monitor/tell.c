/* SPDX-License-Identifier: ISC */
#include "monitor/tell.h"

#include <string.h>

/* A reply comes within SESSION_REPLY_MS of the request, or is given up. */
#define REPLY_WAIT_MS (SESSION_REPLY_MS + 1000)
/* A promise that lasts a little longer than the next wake-up need not be renewed before. */
#define SPARE_MS (REPLY_WAIT_MS - 500)
/* While nothing happens, the guard hears from us as often as this, and sleeps in between. */
#define CALM_MS 36000

void tell_init(struct tell *t, const struct core *core, const struct channel *channel,
	       struct sched *sched)
{
	t->core = core;
	t->channel = channel;
	t->sched = sched;
	t->phase_until = NEVER;
}

void tell_known(struct tell *t, const struct sched *sched)
{
	if (sched->timers[0].name[0])
		*t->sched = *sched;
}

/* A poll's reply is a word, too. */
void tell_wake_up(struct tell *t, int64_t at)
{
	t->speak_by = at == NEVER ? NEVER : at + REPLY_WAIT_MS;
}

void tell_asked(struct tell *t)
{
	t->asked_unsaid = true;
}

/* Until when the guard need not hear from us: longer where nothing happens. */
static int64_t promise(const struct tell *t, int64_t now)
{
	int64_t calm = now + CALM_MS;

	return t->speak_by < calm && core_is_calm(t->core) ? calm : t->speak_by;
}

/* Says one thing to the guard; false if it has to wait until it can be said. */
static bool say(struct tell *t, enum message_kind kind, uint16_t place, int64_t now)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.kind = kind;
	m.ups = place;
	m.phase = t->core->phase;
	m.phase_until = t->core->phase_until;
	m.silent_until = promise(t, now);
	if (kind == MESSAGE_UPS)
		m.state = t->core->ups[place];
	else if (kind == MESSAGE_TIMER)
		m.timer = t->core->sched.timers[place];
	if (!channel_send(t->channel, &m, sizeof(m)))
		return false;
	t->silent_until = m.silent_until;
	return true;
}

static bool tell_timers(struct tell *t, int64_t now)
{
	for (uint16_t i = 0; WITH_UPSSCHED && i < SCHED_TIMERS_MAX; i++) {
		const struct sched_timer *timer = &t->core->sched.timers[i];
		struct sched_timer *told = &t->sched->timers[i];

		/* they stand in a row */
		if (!timer->name[0] && !told->name[0])
			break;
		if (memcmp(told, timer, sizeof(*timer)) == 0)
			continue;
		if (!say(t, MESSAGE_TIMER, i, now))
			return false;
		*told = *timer;
	}
	return true;
}

static bool tell_upses(struct tell *t, int64_t now)
{
	for (uint16_t i = 0; i < t->core->conf->ups_count; i++) {
		/* of which the guard knows all that matters */
		if (t->is_told[i] && ups_is_same(&t->ups[i], &t->core->ups[i]))
			continue;
		if (!say(t, MESSAGE_UPS, i, now))
			return false;
		t->ups[i] = t->core->ups[i];
		t->is_told[i] = true;
	}
	return true;
}

/* Said once more where nothing else is, so that the guard knows that we live. */
static bool tell_phase(struct tell *t, int64_t now)
{
	if (t->phase == t->core->phase && t->phase_until == t->core->phase_until &&
	    t->silent_until >= t->speak_by - SPARE_MS &&
	    (t->silent_until != NEVER || t->speak_by == NEVER))
		return true;
	if (!say(t, MESSAGE_PHASE, 0, now))
		return false;
	t->phase = t->core->phase;
	t->phase_until = t->core->phase_until;
	return true;
}

bool tell_all(struct tell *t, int64_t now)
{
	if (t->asked_unsaid && !say(t, MESSAGE_ASKED, 0, now))
		return false;
	t->asked_unsaid = false;
	/* timers before the UPS whose notification has started one: rather a second ONBATT than no timer */
	if (!tell_timers(t, now) || !tell_upses(t, now) || !tell_phase(t, now))
		return false;
	if (!t->is_ready && core_is_ready(t->core))
		t->is_ready = say(t, MESSAGE_READY, 0, now);
	return t->is_ready || !core_is_ready(t->core);
}

bool tell_resting(struct tell *t, int64_t now)
{
	return say(t, MESSAGE_RESTING, 0, now);
}
