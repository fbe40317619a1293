/* SPDX-License-Identifier: ISC */
#include "guard/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/message.h"
#include "guard/monitor_start.h"
#include "guard/safeguard.h"

/* A monitor that was told to stop logs out within this time, or is ended. */
#define STOP_MS 3000
/* A monitor that lived longer than this has not failed at the start. */
#define SETTLED_MS 10000
#define RESTART_FIRST_MS 500
#define RESTART_MAX_MS 10000
/* So many that died in a row: none will live.  One that hangs counts twice: it takes longer to find out. */
#define HOPELESS 5
/* One that was killed and is not dead by then waits for a device that does not answer. */
#define REAP_MS 5000
/* How much later than it has promised a monitor may speak, and the first one at all. */
#define LATE_MS 4000
#define FIRST_WORD_MS 20000
/* All that one wake-up reads, and all that a pipe holds. */
#define HEAR_MAX (2 * UPS_MAX + SCHED_TIMERS_MAX + 16)
#define HEAR_LAST 4096

_Static_assert(sizeof(struct message) <= CHANNEL_RECORD_MAX, "a pipe would cut it");

enum rest { ACTIVE, ASKED, RESTED };

static struct {
	struct worker_setup setup;
	struct worker monitor;
	int64_t started;
	int64_t heard_at;	/* the monitor's last word */
	int64_t heard_by;	/* and its next one */
	int64_t gone_by;	/* it was killed; NEVER: it was not */
	int64_t restart_at;
	int64_t restart_ms;
	int64_t rest_by;
	int64_t stop_by;
	unsigned int failures;	/* in a row */
	enum rest rest;
	bool hangs;		/* and is killed for that */
	bool ready;
	bool stopping;
	bool ended;
	struct loop_client client;
} self;

void worker_init(const struct worker_setup *setup)
{
	memset(&self, 0, sizeof(self));
	self.setup = *setup;
	channel_init(&self.monitor.channel);
	retired_init();
	self.restart_at = NEVER;
	self.restart_ms = RESTART_FIRST_MS;
	self.stop_by = NEVER;
	self.gone_by = NEVER;
}

const struct loop_client *worker_client(void)
{
	return &self.client;
}

int worker_fd(void)
{
	return self.monitor.channel.in;
}

static bool lives(void)
{
	return channel_is_open(&self.monitor.channel);
}

static bool say(enum message_kind kind)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.kind = kind;
	return lives() && channel_send(&self.monitor.channel, &m, sizeof(m));
}

/* ---- its end ---- */

/* The first one is replaced at once, one that died young later and later. */
static void plan_restart(int64_t now)
{
	int64_t worked_until = self.hangs ? self.heard_at : now;

	if (worked_until - self.started >= SETTLED_MS) {
		self.failures = 0;
		self.restart_ms = RESTART_FIRST_MS;
		self.restart_at = now;
		return;
	}
	self.failures += self.hangs ? 2 : 1;
	self.restart_at = now + self.restart_ms;
	self.restart_ms = self.restart_ms * 2 < RESTART_MAX_MS ? self.restart_ms * 2
							       : RESTART_MAX_MS;
	if (self.failures < HOPELESS)
		return;
	safeguard_give_up(now);
	if (self.ready || safeguard_is_alarmed())
		return;
	/* somebody waits to hear whether this start works */
	log_error("no monitor stays alive until it is ready: not started");
	self.ended = true;
}

static void check_end(void)
{
	if (self.stopping && !lives() && self.monitor.pid <= 0 && !retired_lives())
		self.ended = true;
}

static void monitor_is_gone(int64_t now)
{
	channel_close(&self.monitor.channel);
	self.monitor.pid = 0;
	self.gone_by = NEVER;
	check_end();
	if (self.stopping)
		return;
	if (!self.ready && !safeguard_has_seen()) {
		log_error("the monitor ended before it was ready");
		self.ended = true;
	} else if (self.rest != ACTIVE) {
		/* whoever wanted it at rest starts the next one */
		self.rest = RESTED;
	} else {
		plan_restart(now);
	}
}

static void hear(int64_t now, int limit);

static void on_end(void *arg, pid_t pid, int status)
{
	(void)arg;
	if (retired_has_ended(pid)) {
		check_end();
		return;
	}
	if (pid != self.monitor.pid)
		return;
	hear(clock_ms(), HEAR_LAST); /* its last words */
	if (!self.stopping && WIFSIGNALED(status))
		log_error("monitor %d was ended by signal %d", (int)pid, WTERMSIG(status));
	else if (!self.stopping)
		log_error("monitor %d ended with exit code %d", (int)pid, WEXITSTATUS(status));
	monitor_is_gone(clock_ms());
}

static void end_monitor(int64_t now)
{
	self.gone_by = now + REAP_MS;
	child_kill(self.monitor.pid, SIGKILL);
	channel_close(&self.monitor.channel);
	/* nobody is left who could be replaced; a supervisor starts us anew */
	if (self.setup.one_process)
		self.ended = true;
}

void worker_kill(void)
{
	end_monitor(clock_ms());
	retired_kill();
}

bool worker_has_ended(void)
{
	return self.ended;
}

bool worker_has_failed(void)
{
	return self.ended && !self.ready && !self.stopping;
}

/* ---- its start ---- */

static void start_failed(struct channel *theirs)
{
	log_error("cannot start the monitor: %s", strerror(errno));
	channel_close(theirs);
	monitor_is_gone(clock_ms());
}

void worker_start(void)
{
	struct monitor_setup setup = {
		.conf = self.setup.conf,
		.snapshot = safeguard_snapshot(),
		.connect_ms = self.setup.connect_ms,
		.family = self.setup.family,
		.one_process = self.setup.one_process,
		.lock = -1,
		.background = self.setup.ready_fd >= 0,
	};

	self.started = clock_ms();
	self.heard_at = self.started;
	self.heard_by = self.started + FIRST_WORD_MS;
	self.hangs = false;
	self.restart_at = NEVER;
	self.rest = ACTIVE;
	if (!channel_pair(&self.monitor.channel, &setup.channel)) {
		start_failed(&setup.channel);
		return;
	}
	if (self.setup.one_process) {
		monitor_start_here(&setup, &self.client);
		return;
	}
	setup.lock = self.setup.make_lock();
	self.monitor.pid = child_fork(on_end, NULL);
	if (self.monitor.pid == 0) {
		channel_close(&self.monitor.channel);
		if (self.setup.ready_fd >= 0 && !self.ready)
			close(self.setup.ready_fd);
		monitor_start_child(&self.setup, &setup);
	}
	if (setup.lock >= 0)
		close(setup.lock);
	if (self.monitor.pid < 0) {
		start_failed(&setup.channel);
		return;
	}
	channel_close(&setup.channel);
	if (self.ready)
		log_notice("monitor %d takes over where the last one stopped",
			   (int)self.monitor.pid);
}

/* ---- what it says ---- */

static void on_ready(int64_t now)
{
	if (!self.ready)
		self.setup.on_ready();
	self.ready = true;
	/* the next one has its logins; the one before it may go */
	retired_release(now);
}

static bool obey(const struct message *m, int64_t now)
{
	self.heard_at = now;
	self.heard_by = m->silent_until == NEVER ? NEVER : m->silent_until + LATE_MS;
	switch (m->kind) {
	case MESSAGE_READY:
		on_ready(now);
		return true;
	case MESSAGE_ASKED:
		safeguard_fsd(now);
		return true;
	case MESSAGE_RESTING:
		if (self.rest == ASKED)
			self.rest = RESTED;
		return true;
	default:
		return safeguard_hear(m, now);
	}
}

static void hear(int64_t now, int limit)
{
	struct message m;

	for (int i = 0; i < limit && lives(); i++) {
		enum channel_result result = channel_receive(&self.monitor.channel, &m, sizeof(m));

		if (result == CHANNEL_NONE)
			return;
		if (result == CHANNEL_CLOSED) {
			/* in one process there is no SIGCHLD to come */
			if (self.setup.one_process)
				monitor_is_gone(now);
			channel_close(&self.monitor.channel);
			/* its end is due, and it is helped if it does not come */
			self.heard_by = now + LATE_MS;
			return;
		}
		/* it may be younger than this wake-up */
		if (result == CHANNEL_BAD ||
		    !message_is_sound(&m, self.setup.conf->ups_count, clock_ms()) ||
		    !obey(&m, now)) {
			log_error("the monitor says what no monitor says; ending it");
			end_monitor(now);
			return;
		}
	}
	/* there is more to hear, which is later than what was heard */
	if (lives() && self.heard_by < now + LATE_MS)
		self.heard_by = now + LATE_MS;
}

void worker_hear(int64_t now)
{
	hear(now, HEAR_MAX);
}

/* ---- time ---- */

/* When a monitor that has said nothing until then hangs; NEVER: nobody is to say anything. */
static int64_t silence_deadline(void)
{
	if (self.stopping || self.monitor.pid <= 0 || self.rest == RESTED)
		return NEVER;
	return self.rest == ASKED && self.rest_by < self.heard_by ? self.rest_by : self.heard_by;
}

int64_t worker_deadline(void)
{
	const int64_t at[] = { self.restart_at, safeguard_deadline(lives()), self.stop_by,
			       retired_deadline(), silence_deadline(), self.gone_by };
	int64_t deadline = NEVER;

	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		if (at[i] < deadline)
			deadline = at[i];
	}
	return deadline;
}

/* One that is silent for longer than it has said hangs, or was stopped. */
static void watch_silence(int64_t late, int64_t now)
{
	/* if we were stopped ourselves, so was it, or it had nobody to talk to; now it may speak */
	if (late > LATE_MS && self.heard_by != NEVER)
		self.heard_by += late + LATE_MS;
	if (now < silence_deadline())
		return;
	log_error("monitor %d does not answer any more; it is replaced", (int)self.monitor.pid);
	self.heard_by = NEVER;
	self.rest_by = NEVER;
	self.hangs = true;
	end_monitor(now);
}

/* The watch does not wait for it; it ends when it can, and is reaped then. */
static void watch_gone(int64_t now)
{
	if (now < self.gone_by)
		return;
	log_error("monitor %d was killed and does not end (it waits for a device?); the next one "
		  "does not wait for it",
		  (int)self.monitor.pid);
	self.hangs = true;
	monitor_is_gone(now);
}

void worker_advance(int64_t late, int64_t now)
{
	retired_advance(now);
	if (self.stopping) {
		if (now < self.stop_by)
			return;
		log_warning("the monitor does not stop; ending it");
		worker_kill();
		self.ended = true;
		return;
	}
	watch_silence(late, now);
	watch_gone(now);
	if (safeguard_fsd_waits())
		say(MESSAGE_FSD);
	safeguard_advance(lives(), now);
	if (now >= self.restart_at)
		worker_start();
}

/* ---- the next one ---- */

bool worker_can_rest(void)
{
	return self.ready && !self.stopping && self.rest == ACTIVE && !retired_is_needed();
}

bool worker_rest(int64_t now)
{
	if (!worker_can_rest())
		return false;
	self.rest_by = now + SAFEGUARD_LATE_MS;
	if (!lives() && self.monitor.pid <= 0) {
		self.rest = RESTED;
		self.restart_at = NEVER;
		return true;
	}
	if (!say(MESSAGE_REST))
		return false;
	self.rest = ASKED;
	return true;
}

bool worker_is_at_rest(void)
{
	return self.rest == RESTED;
}

void worker_resume(int64_t now)
{
	if (self.rest == ACTIVE)
		return;
	self.rest = ACTIVE;
	self.heard_by = now + FIRST_WORD_MS;
	if (!say(MESSAGE_RESUME) && self.monitor.pid <= 0)
		self.restart_at = now;
}

void worker_relieve(int64_t now)
{
	if (self.setup.one_process) {
		monitor_leave();
		channel_close(&self.monitor.channel);
	} else {
		retired_keep(&self.monitor, now);
		self.monitor.pid = 0;
		channel_init(&self.monitor.channel);
	}
	worker_start();
}

struct worker worker_current(void)
{
	return self.monitor;
}

void worker_take_over(const struct worker *resting, int64_t now)
{
	struct worker w = *resting;

	self.ready = true;
	/* in one process the exec has closed the channel */
	if (w.pid <= 0) {
		channel_init(&w.channel);
	} else if (child_adopt(w.pid, on_end, NULL)) {
		fcntl(w.channel.in, F_SETFD, FD_CLOEXEC);
		fcntl(w.channel.out, F_SETFD, FD_CLOEXEC);
	} else {
		w.pid = 0;
		channel_close(&w.channel);
	}
	retired_keep(&w, now);
}

/* ---- stopping ---- */

void worker_stop(int64_t now)
{
	self.stopping = true;
	self.restart_at = NEVER;
	self.gone_by = NEVER;
	self.stop_by = now + STOP_MS;
	retired_release(now);
	if (lives() && !say(MESSAGE_STOP))
		self.stop_by = now;
	check_end();
}
