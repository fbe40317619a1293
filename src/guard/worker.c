/* SPDX-License-Identifier: ISC */
#include "guard/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/message.h"
#include "monitor/monitor.h"
#include "guard/shutdown.h"
#include "base/signals.h"

/* A monitor that was told to stop logs out within this time, or is ended. */
#define STOP_MS 3000
/* A monitor that lived longer than this has not failed at the start. */
#define SETTLED_MS 10000
#define RESTART_FIRST_MS 500
#define RESTART_MAX_MS 10000
#define HOPELESS 5
/* A step of a shutdown that is later than this will not come from the monitor. */
#define STUCK_MS 10000

static struct {
	struct worker_setup setup;
	struct conf *shared;	/* written here, read by the monitor */
	struct snapshot snapshot;
	uint32_t generation;
	pid_t monitor;		/* 0: none, or one process */
	int channel;
	int64_t started;
	int64_t restart_at;
	int64_t restart_ms;
	int64_t stop_by;
	unsigned int failures;	/* in a row */
	bool ready;
	bool reloading;
	bool fsd_asked;
	int64_t fsd_at;		/* when */
	bool stopping;
	bool ended;
	bool news;
	enum leaving { STAYING, LEAVING, HANDED } leaving;
	struct loop_client client;
} self;

bool worker_init(const struct worker_setup *setup)
{
	void *memory = mmap(NULL, sizeof(*self.shared), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	memset(&self, 0, sizeof(self));
	if (memory == MAP_FAILED) {
		log_error("no memory for the configuration: %s", strerror(errno));
		return false;
	}
	self.setup = *setup;
	self.shared = memory;
	self.channel = -1;
	snapshot_init(&self.snapshot);
	self.restart_at = NEVER;
	self.restart_ms = RESTART_FIRST_MS;
	self.stop_by = NEVER;
	return true;
}

const struct loop_client *worker_client(void)
{
	return &self.client;
}

const struct snapshot *worker_snapshot(void)
{
	return &self.snapshot;
}

bool worker_has_news(void)
{
	bool news = self.news;

	self.news = false;
	return news;
}

int worker_fd(void)
{
	return self.channel;
}

bool worker_has_ended(void)
{
	return self.ended;
}

bool worker_has_failed(void)
{
	return self.ended && !self.ready && !self.stopping;
}

static bool say(enum message_kind kind)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.kind = kind;
	m.generation = self.generation;
	return self.channel >= 0 && message_send(self.channel, &m);
}

static void close_channel(void)
{
	if (self.channel >= 0)
		close(self.channel);
	self.channel = -1;
}

void worker_kill(void)
{
	if (self.monitor > 0)
		child_kill(self.monitor, SIGKILL);
	close_channel();
	/* nobody is left who could be replaced; a supervisor starts us anew */
	if (self.setup.one_process)
		self.ended = true;
}

/* The first one is replaced at once, one that died young later and later. */
static void plan_restart(int64_t now)
{
	if (now - self.started >= SETTLED_MS) {
		self.failures = 0;
		self.restart_ms = RESTART_FIRST_MS;
		self.restart_at = now;
		return;
	}
	self.failures++;
	self.restart_at = now + self.restart_ms;
	self.restart_ms = self.restart_ms * 2 < RESTART_MAX_MS ? self.restart_ms * 2
							       : RESTART_MAX_MS;
	if (self.failures >= HOPELESS && (snapshot_on_battery(&self.snapshot, self.setup.conf) || self.fsd_asked)) {
		log_error("%s, and no monitor stays alive: shutting down",
			  self.fsd_asked ? "FSD was asked for" : "on battery");
		shutdown_begin(self.setup.conf, now);
	}
}

static void monitor_is_gone(void)
{
	close_channel();
	self.monitor = 0;
	self.reloading = false;
	/* the one that is to start next has another program */
	if (self.leaving == HANDED && !self.stopping)
		return;
	self.leaving = STAYING;
	if (!self.stopping && self.ready) {
		plan_restart(clock_ms());
		return;
	}
	if (!self.stopping)
		log_error("the monitor ended before it was ready");
	self.ended = true;
}

static void on_monitor_end(void *arg, pid_t pid, int status)
{
	(void)arg;
	if (pid != self.monitor)
		return;
	worker_hear(clock_ms()); /* its last words */
	if (self.leaving == HANDED)
		log_debug("monitor %d has handed over", (int)pid);
	else if (!self.stopping && WIFSIGNALED(status))
		log_error("monitor %d was ended by signal %d", (int)pid, WTERMSIG(status));
	else if (!self.stopping)
		log_error("monitor %d ended with exit code %d", (int)pid, WEXITSTATUS(status));
	monitor_is_gone();
}

/* In the child: becomes the monitor and never returns. */
static void be_monitor(const struct monitor_setup *setup)
{
	struct loop_client client;

	signals_ignore_orders();
	self.setup.in_child();
	if (self.setup.ready_fd >= 0 && !self.ready)
		close(self.setup.ready_fd);
	if (self.setup.user && !user_become(self.setup.user)) {
		log_error("cannot give up root: %s", strerror(errno));
		_exit(1);
	}
	monitor_init(setup, &client);
	loop_run(&client, 1, self.setup.wait);
	_exit(monitor_status());
}

void worker_start(void)
{
	struct monitor_setup setup = {
		.conf = self.setup.conf,
		.shared = self.shared,
		.snapshot = &self.snapshot,
		.generation = self.generation,
		.connect_ms = self.setup.connect_ms,
		.family = self.setup.family,
		.background = self.setup.ready_fd >= 0,
	};
	int ends[2];

	self.started = clock_ms();
	self.restart_at = NEVER;
	if (!message_pair(ends)) {
		log_error("cannot start the monitor: %s", strerror(errno));
		monitor_is_gone();
		return;
	}
	setup.channel = ends[1];
	self.channel = ends[0];
	if (self.setup.one_process) {
		monitor_init(&setup, &self.client);
		snapshot_init_links(&self.snapshot);
		return;
	}
	self.monitor = child_fork(on_monitor_end, NULL);
	if (self.monitor == 0) {
		close(ends[0]);
		be_monitor(&setup);
	}
	close(ends[1]);
	if (self.monitor > 0)
		snapshot_drop_links(&self.snapshot);
	if (self.monitor < 0) {
		log_error("cannot start the monitor: %s", strerror(errno));
		monitor_is_gone();
	} else if (self.ready) {
		log_notice("monitor %d takes over where the last one stopped", (int)self.monitor);
	}
}

/* A TCP socket, and one that can be closed without a wait. */
static bool make_harmless(int fd)
{
	struct linger none = { 0, 0 };
	int domain = 0, type = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
	return (domain == AF_INET || domain == AF_INET6) && type == SOCK_STREAM;
}

/* What a hand-over brings.  The guard only keeps it. */
static void keep_link(const struct message *m, int passed)
{
	struct snapshot_link *l = &self.snapshot.link[m->ups];
	bool wanted = self.leaving == LEAVING && m->generation == self.generation && !l->known;

	/* at any other time, and a second time, it is of no use */
	if (passed >= 0 && (!make_harmless(passed) || !wanted)) {
		close(passed);
		passed = -1;
	}
	if (!wanted)
		return;
	l->fd = passed;
	l->session = m->session;
	/* half of it is nothing: without its connection it starts anew */
	l->known = (l->fd >= 0) == (m->session.state == SESSION_IDLE);
}

/* No step of a shutdown takes longer than the configuration has it, whatever a monitor says. */
static int64_t bounded(const struct message *m, int64_t now)
{
	int64_t latest = NEVER;

	if (m->phase == PHASE_SYNC)
		latest = now + self.setup.conf->host_sync_ms + STUCK_MS;
	else if (m->phase == PHASE_FINAL)
		latest = now + self.setup.conf->final_delay_ms + STUCK_MS;
	return m->phase_until < latest ? m->phase_until : latest;
}

static void obey(const struct message *m, int64_t now)
{
	switch (m->kind) {
	case MESSAGE_READY:
		if (!self.ready)
			self.setup.on_ready();
		self.ready = true;
		break;
	case MESSAGE_UPS:
		self.snapshot.known[m->ups] = true;
		self.snapshot.ups[m->ups] = m->state;
		self.news = true;
		break;
	case MESSAGE_PHASE:
		self.snapshot.phase = m->phase;
		self.snapshot.phase_until = bounded(m, now);
		self.news = true;
		/* it may die before it says the next word, MESSAGE_SHUTDOWN */
		if (m->phase == PHASE_DOWN)
			shutdown_begin(self.setup.conf, now);
		break;
	case MESSAGE_RELOADED:
		self.reloading = false;
		break;
	case MESSAGE_SHUTDOWN:
		shutdown_begin(self.setup.conf, now);
		break;
	case MESSAGE_HANDED:
		if (self.leaving == LEAVING)
			self.leaving = HANDED;
		break;
	default:
		break;
	}
}

void worker_hear(int64_t now)
{
	struct message m;
	int passed;

	while (self.channel >= 0) {
		switch (message_receive(self.channel, &m, &passed)) {
		case MESSAGE_NONE:
			return;
		case MESSAGE_CLOSED:
			/* in one process there is no SIGCHLD to come */
			if (self.setup.one_process)
				monitor_is_gone();
			else
				close_channel();
			return;
		case MESSAGE_BAD:
			m.kind = 0;
			break;
		case MESSAGE_GOT:
			break;
		}
		/* it counts in a configuration that is no more */
		if (m.kind == MESSAGE_UPS && m.generation != self.generation)
			continue;
		/* it may be younger than this wake-up */
		if (!message_is_sound(&m, self.setup.conf->ups_count, clock_ms()) ||
		    (m.kind == MESSAGE_PHASE && m.phase < self.snapshot.phase)) {
			log_error("the monitor says what no monitor says; ending it");
			if (passed >= 0)
				close(passed);
			worker_kill();
			return;
		}
		if (m.kind == MESSAGE_LINK)
			keep_link(&m, passed);
		else
			obey(&m, now);
	}
}

/*
 * A shutdown that was begun, or asked for, is carried out even if no monitor
 * lives to say so, or if it hangs: its steps are known.
 */
static int64_t overdue_at(void)
{
	const struct conf *conf = self.setup.conf;
	int64_t slack = self.channel >= 0 ? STUCK_MS : 0;
	int64_t at = NEVER, step = NEVER;

	if (shutdown_is_begun())
		return NEVER;
	if (self.fsd_asked)
		at = self.fsd_at + conf->host_sync_ms + conf->final_delay_ms + STUCK_MS;
	if (self.snapshot.phase_until == NEVER)
		return at;
	if (self.snapshot.phase == PHASE_SYNC)
		step = self.snapshot.phase_until + conf->final_delay_ms + slack;
	else if (self.snapshot.phase == PHASE_FINAL)
		step = self.snapshot.phase_until + slack;
	return step < at ? step : at;
}

int64_t worker_deadline(void)
{
	const int64_t at[] = { self.restart_at, overdue_at(), self.stop_by };
	int64_t deadline = NEVER;

	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		if (at[i] < deadline)
			deadline = at[i];
	}
	return deadline;
}

void worker_advance(int64_t now)
{
	if (self.stopping) {
		if (now < self.stop_by)
			return;
		log_warning("the monitor does not stop; ending it");
		worker_kill();
		self.ended = true;
		return;
	}
	if (self.fsd_asked && self.snapshot.phase == PHASE_WATCH)
		say(MESSAGE_FSD);
	if (now >= overdue_at()) {
		log_error("the monitor does not carry the shutdown through: the guard does");
		shutdown_begin(self.setup.conf, now);
	}
	if (now >= self.restart_at)
		worker_start();
}

void worker_fsd(int64_t now)
{
	if (!self.fsd_asked)
		self.fsd_at = now;
	/* until the shutdown is carried out: a word of the monitor is not enough */
	self.fsd_asked = true;
}

bool worker_can_reload(void)
{
	return !self.reloading && !self.stopping && self.leaving == STAYING;
}

void worker_reload(const struct conf *old)
{
	*self.shared = *self.setup.conf;
	self.generation++;
	/* what is known of a UPS stays known, should the monitor die before it tells again */
	snapshot_move(&self.snapshot, old, self.setup.conf);
	self.news = true;
	/* without a monitor, the next one starts with it */
	self.reloading = say(MESSAGE_RELOAD);
	if (!self.reloading)
		worker_kill();
}

bool worker_is_alarmed(void)
{
	return self.fsd_asked || self.snapshot.phase != PHASE_WATCH || shutdown_is_begun();
}

bool worker_hand_over(void)
{
	if (!self.ready || !worker_can_reload() || worker_is_alarmed())
		return false;
	self.leaving = LEAVING;
	/* none lives: nothing is to be handed over */
	if (self.channel < 0) {
		self.leaving = HANDED;
		self.restart_at = NEVER;
	} else if (!say(MESSAGE_HANDOVER)) {
		self.leaving = STAYING;
	} else {
		snapshot_drop_links(&self.snapshot);
	}
	return self.leaving != STAYING;
}

bool worker_is_handed(void)
{
	return self.leaving == HANDED && self.channel < 0 && self.monitor <= 0;
}

bool worker_is_handing_over(void)
{
	return self.leaving != STAYING;
}

void worker_go_on(void)
{
	enum leaving was = self.leaving;

	self.leaving = STAYING;
	if (was == LEAVING) {
		/* what it has handed over so far it still has */
		snapshot_drop_links(&self.snapshot);
		say(MESSAGE_RESUME);
	}
	if (was == HANDED && self.channel < 0 && self.monitor <= 0)
		self.restart_at = clock_ms();
	/* HANDED and still there: its end starts the next one */
}

void worker_take_over(const struct handover *h)
{
	handover_unpack(h, self.setup.conf, &self.snapshot);
	self.ready = true;
	self.news = true;
}

void worker_stop(int64_t now)
{
	self.stopping = true;
	self.restart_at = NEVER;
	self.stop_by = now + STOP_MS;
	if (self.channel < 0)
		self.ended = true;
	else if (!say(MESSAGE_STOP))
		self.stop_by = now;
}
