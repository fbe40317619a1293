/* SPDX-License-Identifier: ISC */
#include "guard/safeguard.h"

#include <string.h>

#include "base/log.h"
#include "guard/shutdown.h"

static struct {
	const struct conf *conf;
	struct snapshot snapshot;
	bool news;
	bool fsd_asked;
	bool fsd_unanswered;
	int64_t fsd_at;		/* when */
} self;

void safeguard_init(const struct conf *conf)
{
	memset(&self, 0, sizeof(self));
	self.conf = conf;
	snapshot_init(&self.snapshot);
}

struct snapshot *safeguard_snapshot(void)
{
	return &self.snapshot;
}

bool safeguard_has_news(void)
{
	bool news = self.news;

	self.news = false;
	return news;
}

void safeguard_is_news(void)
{
	self.news = true;
}

bool safeguard_has_seen(void)
{
	return snapshot_has_answer(&self.snapshot, self.conf);
}

static int64_t bounded(const struct message *m, int64_t now)
{
	int64_t latest = NEVER;

	if (m->phase == PHASE_SYNC)
		latest = now + self.conf->host_sync_ms + SAFEGUARD_LATE_MS;
	else if (m->phase == PHASE_FINAL)
		latest = now + self.conf->final_delay_ms + SAFEGUARD_LATE_MS;
	return m->phase_until < latest ? m->phase_until : latest;
}

bool safeguard_hear(const struct message *m, int64_t now)
{
	if (m->kind == MESSAGE_UPS) {
		self.snapshot.known[m->ups] = true;
		self.snapshot.ups[m->ups] = m->state;
		self.news = true;
		return true;
	}
	if (WITH_UPSSCHED && m->kind == MESSAGE_TIMER) {
		self.snapshot.sched.timers[m->ups] = m->timer;
		/* they have no gaps: what is behind the last one is old */
		for (uint32_t i = m->ups; !m->timer.name[0] && i < SCHED_TIMERS_MAX; i++)
			self.snapshot.sched.timers[i] = m->timer;
		self.news = true;
		return true;
	}
	if (m->phase < self.snapshot.phase)
		return false;
	/* the heartbeat repeats a step; no step is put off by that */
	if (m->phase == self.snapshot.phase && (m->phase == PHASE_SYNC || m->phase == PHASE_FINAL))
		return true;
	if (m->phase != self.snapshot.phase || m->phase_until != self.snapshot.phase_until)
		self.news = true;
	self.snapshot.phase = m->phase;
	self.snapshot.phase_until = bounded(m, now);
	if (m->phase == PHASE_DOWN)
		shutdown_begin(self.conf, now);
	return true;
}

void safeguard_fsd(int64_t now)
{
	if (!self.fsd_asked)
		self.fsd_at = now;
	self.fsd_asked = true;
	self.fsd_unanswered = true;
}

bool safeguard_fsd_is_new(void)
{
	bool new = self.fsd_unanswered;

	self.fsd_unanswered = false;
	return new;
}

bool safeguard_fsd_waits(void)
{
	return self.fsd_asked && self.snapshot.phase == PHASE_WATCH;
}

bool safeguard_is_alarmed(void)
{
	return self.fsd_asked || self.snapshot.phase != PHASE_WATCH || shutdown_is_begun();
}

int64_t safeguard_deadline(bool monitor)
{
	int64_t slack = monitor ? SAFEGUARD_LATE_MS : 0;
	int64_t at = NEVER, step = NEVER;

	if (shutdown_is_begun())
		return NEVER;
	if (self.fsd_asked)
		at = self.fsd_at + self.conf->host_sync_ms + self.conf->final_delay_ms +
		     SAFEGUARD_LATE_MS;
	if (self.snapshot.phase_until == NEVER)
		return at;
	if (self.snapshot.phase == PHASE_SYNC)
		step = self.snapshot.phase_until + self.conf->final_delay_ms + slack;
	else if (self.snapshot.phase == PHASE_FINAL)
		step = self.snapshot.phase_until + slack;
	return step < at ? step : at;
}

void safeguard_advance(bool monitor, int64_t now)
{
	if (now < safeguard_deadline(monitor))
		return;
	log_error("the monitor does not carry the shutdown through: the guard does");
	shutdown_begin(self.conf, now);
}

void safeguard_give_up(int64_t now)
{
	if (safeguard_is_alarmed() || snapshot_has_power(&self.snapshot, self.conf))
		return;
	log_error("on battery, and no monitor stays alive: FSD");
	self.fsd_asked = true;
	self.fsd_at = now;
}
