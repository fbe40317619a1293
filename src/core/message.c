/* SPDX-License-Identifier: ISC */
#include "core/message.h"

#include <string.h>

#include "core/status.h"

/* No timer of ours reaches further than this from now: RBWARNTIME has the longest. */
#define FAR_MS ((int64_t)UINT32_MAX)
/* Nothing that we remember is older. */
#define LONG_AGO_MS ((int64_t)24 * 365 * 86400 * 1000)

static bool is_past(int64_t t, int64_t now)
{
	return t <= now && t >= now - LONG_AGO_MS;
}

static bool is_past_or_never(int64_t t, int64_t now)
{
	return t == NEVER || is_past(t, now);
}

static bool is_near_or_never(int64_t t, int64_t now)
{
	return t == NEVER || (t <= now + FAR_MS && t >= now - LONG_AGO_MS);
}

static bool ups_is_sound(const struct ups *u, int64_t now)
{
	return (u->bits & ~(uint32_t)(ST_ALL | ST_ANSWERED)) == 0 && u->comm <= COMM_BAD &&
	       u->line <= LINE_BATTERY && u->battery_notified <= 1 && u->low_notified <= 1 &&
	       u->fsd_notified <= 1 && u->alarm_notified <= 1 && u->logged_in <= 1 &&
	       (!WITH_TLS || u->secure <= (SECURE_ENCRYPTED | SECURE_VERIFIED | SECURE_UNDATED)) &&
	       u->critical < CRITICAL_REASONS && u->charge >= UPS_UNKNOWN &&
	       u->runtime >= UPS_UNKNOWN && is_past(u->answered, now) &&
	       is_past_or_never(u->lost_since, now) && is_past_or_never(u->battery_since, now) &&
	       is_past_or_never(u->low_since, now) && is_past_or_never(u->off_since, now) &&
	       is_past_or_never(u->over_since, now) && is_near_or_never(u->fsd_at, now) &&
	       is_near_or_never(u->nocomm_at, now) && is_near_or_never(u->replace_at, now);
}

/* No timer, and nothing else in its place. */
static bool is_empty(const struct sched_timer *t)
{
	static const struct sched_timer none;

	return memcmp(t, &none, sizeof(none)) == 0;
}

bool message_is_sound(const struct message *m, uint16_t ups_count, int64_t now)
{
	if (!is_near_or_never(m->silent_until, now))
		return false;
	switch (m->kind) {
	case MESSAGE_READY:
	case MESSAGE_ASKED:
	case MESSAGE_RESTING:
		return true;
	case MESSAGE_UPS:
		return m->ups < ups_count && ups_is_sound(&m->state, now);
	case MESSAGE_TIMER:
		return WITH_UPSSCHED && m->ups < SCHED_TIMERS_MAX &&
		       (is_empty(&m->timer) ||
			(sched_is_sound(&m->timer, ups_count) && m->timer.due != NEVER &&
			 is_near_or_never(m->timer.due, now)));
	case MESSAGE_PHASE:
		return m->phase <= PHASE_DOWN && is_near_or_never(m->phase_until, now);
	default:
		return false;
	}
}
