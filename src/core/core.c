/* SPDX-License-Identifier: ISC */
#include "core/core.h"

#include <string.h>

#include "core/session_poll.h"
#include "core/session_tls.h"

void core_init(struct core *c, const struct conf *conf, uint32_t connect_ms, int64_t now)
{
	memset(c, 0, sizeof(*c));
	c->conf = conf;
	c->connect_ms = connect_ms;
	c->phase = PHASE_WATCH;
	c->phase_until = NEVER;
	c->last = now;
	for (uint16_t i = 0; i < conf->ups_count; i++) {
		ups_init(&c->ups[i], now);
		session_init(&c->session[i], now, conf->poll_freq_ms);
	}
}

void core_restore_ups(struct core *c, uint16_t ups, const struct ups *saved, int64_t now)
{
	c->ups[ups] = *saved;
	/* a UPS that was lost already stays lost since then */
	if (saved->comm != COMM_OK)
		return;
	c->ups[ups].answered = now;
	c->stale_until[ups] = now + c->conf->dead_time_ms;
}

void core_restore_sched(struct core *c, const struct sched *saved)
{
	c->sched = *saved;
	sched_restrict(&c->sched, c->conf);
}

/* What the sessions of a primary do in SYNC; false if this host is none. */
static bool wish_fsd(struct core *c, int64_t now)
{
	bool primary = false;

	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		struct session *s = &c->session[i];

		if (!c->conf->ups[i].primary)
			continue;
		primary = true;
		s->want_fsd = true;
		s->want_logins = true;
		s->logins_known = false;
		s->logins_at = now;
	}
	return primary;
}

static void wish_logout(struct core *c)
{
	for (uint16_t i = 0; i < c->conf->ups_count; i++)
		c->session[i].want_logout = true;
}

void core_restore_phase(struct core *c, enum phase phase, int64_t until, int64_t now)
{
	c->phase = phase;
	c->phase_until = until;
	c->sync_told = phase == PHASE_SYNC;
	if (phase == PHASE_SYNC)
		wish_fsd(c, now);
	else if (phase == PHASE_DOWN && until == NEVER && c->conf->shutdown_exit_ms >= 0)
		wish_logout(c);
}

/* One UPS that is not plainly on line puts all of them on POLLFREQALERT. */
static uint32_t poll_ms(const struct core *c)
{
	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		if (c->ups[i].comm != COMM_UNKNOWN && !ups_is_calm(&c->ups[i]))
			return c->conf->poll_freq_alert_ms;
	}
	return c->conf->poll_freq_ms;
}

/* We were stopped: the world has gone on, and the timers of what we know with it. */
static void awake(struct core *c, int64_t now)
{
	int64_t due = core_deadline(c, c->last);

	c->last = now;
	if (due == NEVER || now - due < CORE_LATE_MS)
		return;
	c->woke = now;
	/* one that was not heard since the last time gets no more time */
	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		if (c->stale_until[i] == 0)
			c->stale_until[i] = now + c->conf->dead_time_ms;
	}
}

/* The power that is left: the values of the UPSes that can be counted on. */
static uint32_t power_left(struct core *c, int64_t now, struct actions *out)
{
	uint32_t power = 0;

	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		struct ups *u = &c->ups[i];
		enum critical why = now < c->stale_until[i] ? (enum critical)u->critical
							: critical_now(u, c->conf, i, now);

		if ((why == CRITICAL_NOT) != (u->critical == CRITICAL_NOT))
			action_report(out, i, why ? REPORT_CRITICAL : REPORT_NOT_CRITICAL, 0,
				      critical_text(why));
		u->critical = (uint8_t)why;
		if (why == CRITICAL_NOT)
			power += c->conf->ups[i].power_value;
	}
	return power;
}

static void begin_final(struct core *c, int64_t now, struct actions *out)
{
	for (uint16_t i = 0; i < c->conf->ups_count; i++)
		c->session[i].want_logins = false;
	c->phase = PHASE_FINAL;
	c->phase_until = now + c->conf->final_delay_ms;
	action_notify(out, UPS_NONE, NOTIFY_SHUTDOWN, "");
	action_report(out, UPS_NONE, REPORT_FINAL_DELAY, c->conf->final_delay_ms / 1000, "");
}

/*
 * FSD tells the secondaries of every UPS that this host is primary of, also
 * of those that are fine: the host that feeds their server goes down.
 */
static void begin_shutdown(struct core *c, int64_t now, struct actions *out)
{
	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		struct ups_step step = { c->conf, i, now, out };

		if (c->conf->ups[i].primary)
			ups_fsd(&c->ups[i], &step);
	}
	if (!wish_fsd(c, now)) {
		begin_final(c, now, out);
		return;
	}
	c->phase = PHASE_SYNC;
	c->phase_until = now + c->conf->host_sync_ms;
	c->sync_told = false;
}

/*
 * At most one login is left, our own; none if ours was refused.  What a
 * server does not tell is unknown, and the secondaries get their full time.
 */
static bool secondaries_gone(const struct core *c)
{
	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		const struct session *s = &c->session[i];

		if (!c->conf->ups[i].primary)
			continue;
		if (s->want_fsd || !s->logins_known || s->logins > (s->logged_in ? 1U : 0U))
			return false;
	}
	return true;
}

/* Somebody else is logged in, or it cannot be told whether somebody is. */
static bool is_waited_for(const struct session *s, int64_t now)
{
	if (s->logins_known)
		return s->logins > (s->logged_in ? 1U : 0U);
	/* neither way to ask has worked, or there is nobody to be asked */
	return (s->list_clients && s->logins_at > now) || s->state == SESSION_DOWN ||
	       s->state == SESSION_CONNECTING;
}

/* People are told of the wait once it is known that there is one. */
static void tell_sync(struct core *c, int64_t now, struct actions *out)
{
	for (uint16_t i = 0; i < c->conf->ups_count && !c->sync_told; i++) {
		if (!c->conf->ups[i].primary || !is_waited_for(&c->session[i], now))
			continue;
		c->sync_told = true;
		action_notify(out, UPS_NONE, NOTIFY_SHUTDOWN_HOSTSYNC, "");
		action_report(out, UPS_NONE, REPORT_HOSTSYNC_WAIT,
			      (uint32_t)((c->phase_until - now + 999) / 1000), "");
	}
}

/*
 * SHUTDOWNEXIT: when to log out.  A secondary's logout is what its primary
 * waits for.
 */
static void go_down(struct core *c, int64_t now, struct actions *out)
{
	int32_t ms = c->conf->shutdown_exit_ms;

	c->phase = PHASE_DOWN;
	c->phase_until = ms < 0 ? NEVER : now + ms;
	action_shutdown(out);
}

/* The policy proper: called after each event, in an order that may cascade. */
static void decide(struct core *c, bool fsd_asked, int64_t now, struct actions *out)
{
	uint32_t power = power_left(c, now, out);

	if (c->stopping)
		return;
	if (c->phase == PHASE_WATCH && (fsd_asked || power < c->conf->min_supplies)) {
		action_report(out, UPS_NONE, fsd_asked ? REPORT_FSD_ASKED : REPORT_POWER_LOW, power,
			      "");
		begin_shutdown(c, now, out);
	}
	if (c->phase == PHASE_SYNC) {
		bool gone = secondaries_gone(c);

		if (!gone && now < c->phase_until)
			tell_sync(c, now, out);
		if (!gone && now >= c->phase_until)
			action_report(out, UPS_NONE, REPORT_HOSTSYNC_OVER, 0, "");
		if (gone || now >= c->phase_until)
			begin_final(c, now, out);
	}
	if (c->phase == PHASE_FINAL && now >= c->phase_until)
		go_down(c, now, out);
	if (c->phase == PHASE_DOWN && now >= c->phase_until) {
		c->phase_until = NEVER;
		wish_logout(c);
	}
}

static void apply(struct core *c, struct session_step *step, enum session_result result)
{
	struct ups_step ups = { c->conf, step->ups, step->now, step->out };

	if (result == SESSION_STATUS)
		ups_status(&c->ups[step->ups], &ups, step->text);
	else if (result == SESSION_VARIABLE &&
		 !ups_variable(&c->ups[step->ups], &ups, step->variable, step->text))
		session_poll_no_number(&c->session[step->ups], step, step->variable, step->text);
	else if (result == SESSION_FAILED)
		ups_failed(&c->ups[step->ups], &ups);
	if (result == SESSION_STATUS) {
		struct session *s = &c->session[step->ups];

		s->wants = ups_wants(&c->ups[step->ups], c->conf, step->ups);
		/* what was missing in one outage is asked for anew in the next */
		s->missing &= s->wants;
		s->told_values &= s->wants;
	}
	/* an answer that was under way when all stood still says nothing of now, and one that tells
	 * neither mains nor battery says nothing: a server that starts has WAIT */
	if (result == SESSION_STATUS && c->session[step->ups].asked >= c->woke &&
	    (c->ups[step->ups].bits & (ST_OL | ST_OB | ST_FSD)))
		c->stale_until[step->ups] = 0;
	if (result == SESSION_STATUS || result == SESSION_FAILED)
		c->tried[step->ups] = true;
	c->ups[step->ups].logged_in = c->session[step->ups].logged_in;
#if WITH_TLS
	c->ups[step->ups].secure = c->session[step->ups].secure;
#endif
}

static enum session_result dispatch(struct session *s, struct session_step *step,
				    const struct event *ev)
{
	switch (ev->kind) {
	case EV_CONNECTED:
		return session_connected(s, step);
	case EV_CLOSED:
		return session_closed(s, step, ev->why);
#if WITH_TLS
	case EV_SECURED:
		session_tls_done(s, step, ev->secure, ev->why);
		break;
#endif
	case EV_LINE:
		return session_reply(s, step, ev->words);
	case EV_GARBAGE:
		return session_garbage(s, step, ev->why);
	case EV_TIME:
	case EV_FSD:
	case EV_STOP:
		break;
	}
	return SESSION_NOTHING;
}

/* Notifications come first: the one that cancels a timer may have come with the time of that. */
static void schedule(struct core *c, int64_t now, struct actions *out)
{
	unsigned int count = out->count;

	for (unsigned int i = 0; i < count; i++) {
		if (out->list[i].kind == ACT_NOTIFY)
			sched_notified(&c->sched, c->conf, out->list[i].ups, out->list[i].u.type, now,
				       out);
	}
	sched_advance(&c->sched, c->stale_until, now, out);
}

void core_event(struct core *c, const struct event *ev, int64_t now, struct actions *out)
{
	struct session_step step = { .conf = c->conf,
				     .ups = ev->ups,
				     .now = now,
				     .connect_ms = c->connect_ms,
				     .out = out };

	out->count = 0;
	awake(c, now);
	if (ev->kind == EV_STOP) {
		c->stopping = true;
		c->phase_until = NEVER;
		for (uint16_t i = 0; i < c->conf->ups_count; i++) {
			step.ups = i;
			session_leave(&c->session[i], &step);
		}
	}
	step.poll_ms = poll_ms(c);
	if (ev->kind >= EV_CONNECTED && ev->kind <= EV_GARBAGE && ev->ups < c->conf->ups_count)
		apply(c, &step, dispatch(&c->session[ev->ups], &step, ev));

	/*
	 * Twice: a request that is wished for goes out now, and a time-out that
	 * was found on the way is judged now.
	 */
	for (int round = 0; round < 2; round++) {
		for (uint16_t i = 0; i < c->conf->ups_count; i++) {
			struct ups_step ups = { c->conf, i, now, out };

			/* after the logout nothing is missed any more */
			if (c->session[i].state != SESSION_OVER)
				ups_advance(&c->ups[i], &ups);
		}
		decide(c, ev->kind == EV_FSD, now, out);
		step.poll_ms = poll_ms(c);
		for (uint16_t i = 0; i < c->conf->ups_count; i++) {
			step.ups = i;
			apply(c, &step, session_advance(&c->session[i], &step));
		}
	}
	if (sched_is_used(c->conf) && !c->stopping)
		schedule(c, now, out);
}

int64_t core_deadline(const struct core *c, int64_t now)
{
	int64_t at = c->phase_until;
	int64_t sched_at = sched_deadline(&c->sched, c->stale_until);
	uint32_t poll = poll_ms(c);

	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		int64_t session_at = session_deadline(&c->session[i], poll);
		int64_t ups_at = ups_deadline(&c->ups[i], c->conf, i, now);

		if (session_at < at)
			at = session_at;
		if (c->stale_until[i] > now && c->stale_until[i] < at)
			at = c->stale_until[i];
		if (ups_at < at && c->session[i].state != SESSION_OVER)
			at = ups_at;
	}
	if (!c->stopping && sched_at < at)
		at = sched_at;
	/* what has been due for a while is due now */
	return at < now ? now : at;
}

bool core_is_calm(const struct core *c)
{
	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		if (!ups_is_calm(&c->ups[i]))
			return false;
	}
	return c->phase == PHASE_WATCH;
}

bool core_is_ready(const struct core *c)
{
	/* an order to shut down may come before the first answer, and ends the sessions */
	if (c->phase != PHASE_WATCH)
		return true;
	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		if (!c->tried[i])
			return false;
	}
	return true;
}

bool core_is_over(const struct core *c)
{
	for (uint16_t i = 0; i < c->conf->ups_count; i++) {
		if (c->session[i].state != SESSION_OVER)
			return false;
	}
	return true;
}
