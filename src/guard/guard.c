/* SPDX-License-Identifier: ISC */
#include "guard/guard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/detach.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/ready_fd.h"
#include "base/sd_notify.h"
#include "base/signals.h"
#include "guard/conf_file.h"
#include "guard/confine.h"
#include "guard/powerdown.h"
#include "guard/reload.h"
#include "guard/safeguard.h"
#include "guard/shutdown.h"
#include "guard/state_file.h"
#include "guard/user.h"
#include "guard/worker.h"
#include "identity/instance.h"
#include "identity/monitor_lock.h"
#include "identity/result.h"
#include "upgrade/new_program.h"
#include "upgrade/upgrade.h"

static struct {
	const struct guard_setup *setup;
	struct conf *conf;
	struct instance instance;
	struct account user;
	sigset_t wait;		/* the signals that come in while waiting */
	bool drop;		/* root: the monitor becomes `user` */
	bool stopping;
	bool failed;
	bool ready;
	bool state_wanted;	/* the directory is in memory */
	int64_t due;		/* the wake-up that was asked for last */
	int64_t check_at;	/* the next look at the claim */
	bool unsure;		/* the lock has lost its name, as the log was told */
	bool lost;		/* somebody else has the claim now: the files are his */
} self;

/* What is known has changed: for -c status.  A pidfile that failed is tried again. */
static void publish(void)
{
	char why[MESSAGE_MAX];

	if (self.state_wanted)
		state_write(&self.instance, self.conf, safeguard_snapshot());
	if (!self.instance.pid_written)
		(void)instance_write_pid(&self.instance, why, sizeof(why));
}

static void on_ready(void)
{
	char why[MESSAGE_MAX];

	/* it is for people; without it the lock still tells, and the board is protected */
	if (!instance_write_pid(&self.instance, why, sizeof(why)))
		log_error("cannot write the pidfile, and go on without: %s", why);
	self.ready = true;
	/* whoever asks as soon as we are ready gets an answer */
	publish();
	sd_notify_tell("READY=1");
	ready_fd_tell();
	log_notice("ready, watching %u UPS%s", self.conf->ups_count,
		   self.conf->ups_count == 1 ? "" : "es");
	/* the caller may go on; from here the log has the word */
	if (self.setup->ready_fd >= 0) {
		detach_stdio();
		detach_ready(self.setup->ready_fd);
	}
}

/* So that NOTIFYCMD, which runs as the monitor's user, can ask for FSD. */
static int make_lock(void)
{
	int fd;

	if (!self.drop)
		return -1;
	fd = monitor_lock_make(&self.instance.dir, self.user.uid, self.user.gid);
	if (fd < 0)
		log_warning("%s/" MONITOR_LOCK_FILE ": %s; -c fsd works for root only",
			    self.setup->pid_dir, strerror(errno));
	return fd;
}

static void in_child(void)
{
	ready_fd_forget();
	upgrade_forget();
	instance_forget(&self.instance);
}

static void stop(int64_t now)
{
	self.stopping = true;
	shutdown_stop();
	worker_stop(now);
}

/*
 * Whoever may write to the directory can take the lock's name away.  Looked at
 * at each wake-up, and often enough where no server answers and none comes.
 */
static void watch_claim(int64_t now)
{
	struct verdict v;
	char text[MESSAGE_MAX];

	switch (instance_check(&self.instance, &v, text, sizeof(text))) {
	case CLAIM_KEPT:
		self.unsure = false;
		break;
	case CLAIM_RENEWED:
		log_warning("%s/" LOCK_FILE " was removed or linked under this upsmon; it is taken anew",
			    self.setup->pid_dir);
		self.unsure = false;
		self.state_wanted = rundir_is_volatile(&self.instance.dir);
		publish();
		break;
	case CLAIM_UNSURE:
		if (!self.unsure)
			log_error("the lock was removed or linked, and cannot be taken anew: %s", text);
		self.unsure = true;
		break;
	case CLAIM_LOST:
		verdict_format(&v, text, sizeof(text));
		if (!self.lost)
			log_error("the lock was removed under this upsmon, and another has it now: "
				  "%s; leaving",
				  text);
		self.lost = true;
		/* a shutdown that is under way is not left to one who knows less */
		if (safeguard_is_alarmed() || self.stopping)
			break;
		stop(now);
		break;
	}
	self.check_at = now + (self.unsure || !self.instance.pid_written ? INSTANCE_MEND_MS
									 : INSTANCE_CHECK_MS);
}

static void take_orders(unsigned int signals, int64_t now)
{
	if ((signals & SIGNALS_STOP) && !self.stopping) {
		sd_notify_tell("STOPPING=1");
		log_notice("stopping");
		stop(now);
	}
	if (signals & SIGNALS_FSD) {
		signals_log_fsd();
		safeguard_fsd(now);
	}
	if (signals & SIGNALS_RELOAD)
		reload_order();
	if (self.ready && !self.stopping)
		reload_advance(now);
	if (signals & SIGNALS_UPGRADE)
		upgrade_order();
}

static unsigned int prepare(void *arg, struct pollfd *fds, int64_t *deadline)
{
	(void)arg;
	if (worker_deadline() < *deadline)
		*deadline = worker_deadline();
	if (!self.stopping && shutdown_deadline() < *deadline)
		*deadline = shutdown_deadline();
	if (!self.stopping && self.check_at < *deadline)
		*deadline = self.check_at;
	if (upgrade_deadline() < *deadline)
		*deadline = upgrade_deadline();
	self.due = *deadline;
	fds[0].fd = worker_fd();
	fds[1].fd = upgrade_fd();
	for (int i = 0; i < 2; i++) {
		fds[i].events = POLLIN;
		fds[i].revents = 0;
	}
	return 2;
}

static bool handle(void *arg, const struct pollfd *fds, unsigned int signals, int64_t now)
{
	(void)arg;
	if (fds[0].revents)
		worker_hear(now);
	watch_claim(now);
	take_orders(signals, now);
	worker_advance(now > self.due ? now - self.due : 0, now);
	if (safeguard_fsd_is_new() && !self.lost)
		result_write(&self.instance, "fsd", clock_ms(), true, "");
	if (!self.stopping)
		shutdown_advance(now);
	/* of another's lock nothing is ours any more */
	if (self.ready && !self.lost && (safeguard_has_news() || !self.instance.pid_written))
		publish();
	/* last, because it may not return */
	if (self.ready && !self.stopping)
		upgrade_advance(now);
	return !worker_has_ended();
}

static bool prepare_user(void)
{
	self.drop = geteuid() == 0 && !self.setup->one_process;
	if (!self.drop)
		return true;
	if (!user_choose(self.setup->user, self.conf, self.setup->conf_file, &self.user))
		return false;
	log_info("the monitor, and NOTIFYCMD with it, runs as user %s", self.user.name);
	return true;
}

static bool prepare_instance(void)
{
	struct verdict v;
	char why[MESSAGE_MAX];
	char text[MESSAGE_MAX];

	if (!instance_open(&self.instance, self.setup->pid_dir, why, sizeof(why))) {
		log_error("%s", why);
		return false;
	}
	self.state_wanted = rundir_is_volatile(&self.instance.dir);
	if (self.setup->handover && instance_adopt(&self.instance, self.setup->handover->lock))
		return true;
	if (!instance_claim(&self.instance, &v, why, sizeof(why))) {
		verdict_format(&v, text, sizeof(text));
		if (verdict_is_running(&v))
			log_error("not started: %s (%s)", text, self.setup->pid_dir);
		else
			log_error("cannot take the lock: %s", why);
		return false;
	}
	/* a power cut has left them on flash, with the times of another boot */
	result_remove_all(&self.instance);
	if (v.kind != VERDICT_FREE) {
		verdict_format(&v, text, sizeof(text));
		log_warning("%s (%s); starting", text, self.setup->pid_dir);
	}
	if (!self.state_wanted)
		log_warning("%s is not in memory (tmpfs): the pidfile will outlive a power cut; it "
			    "is found out at the next start, and -c status cannot tell of the UPSes; "
			    "set NUT_PIDPATH to a tmpfs",
			    self.setup->pid_dir);
	return true;
}

/* After a hot upgrade: everything is where the program before this one left it. */
static void go_on(const struct handover *h)
{
	const struct worker resting = { h->monitor, { h->in, h->out } };

	handover_unpack(h, self.conf, safeguard_snapshot());
	safeguard_is_news();
	worker_take_over(&resting, clock_ms());
	self.ready = true;
	publish();
	upgrade_finish(h->begun);
	if (h->ordered & SIGNALS_UPGRADE)
		upgrade_order();
	if (h->ordered & SIGNALS_RELOAD)
		reload_order();
}

static void run(void)
{
	struct loop_client clients[2] = { { NULL, prepare, handle } };
	const struct worker_setup worker = {
		.conf = self.conf,
		.user = self.drop ? &self.user : NULL,
		.wait = &self.wait,
		.ready_fd = self.setup->ready_fd,
		.one_process = self.setup->one_process,
		.family = self.setup->family,
		.connect_ms = self.setup->connect_ms,
		.on_ready = on_ready,
		.make_lock = make_lock,
		.in_child = in_child,
	};
	const struct reload_setup reload = {
		.conf = self.conf,
		.conf_file = self.setup->conf_file,
		.instance = &self.instance,
	};
	const struct upgrade_setup upgrade = {
		.program = self.setup->program,
		.argv = self.setup->argv,
		.instance = &self.instance,
		.conf = self.conf,
		.conf_file = self.setup->conf_file,
		.pid_dir = self.setup->pid_dir,
	};

	/* due now, and not since the boot: whoever comes late gives the monitor more time */
	self.check_at = clock_ms();
	confine_guard();
	safeguard_init(self.conf);
	reload_init(&reload);
	worker_init(&worker);
	upgrade_init(&upgrade);
	if (self.setup->handover)
		go_on(self.setup->handover);
	worker_start();
	clients[1] = *worker_client();
	self.failed = !loop_run(clients, self.setup->one_process ? 2 : 1, &self.wait) ||
		      worker_has_failed() || self.lost;
	upgrade_cancel();
	worker_kill();
}

int guard_run(const struct guard_setup *setup, struct conf *conf)
{
	int tries = 0;

	self.setup = setup;
	self.conf = conf;
	log_set_debug_min(self.conf->debug_min);
	/* for upsmon -c in NOTIFYCMD and SHUTDOWNCMD, whoever they run as */
	setenv("NUT_PIDPATH", setup->pid_dir, 1);
	setenv("NUT_ALTPIDPATH", setup->pid_dir, 1);
	/* who holds the claim gets orders, which wait until they can be carried out */
	signals_catch(&self.wait);
	/* nothing before the claim touches what a running upsmon has */
	while (!prepare_user() || !prepare_instance()) {
		/* what the rehearsal could do: the lock is not given up for a moment's trouble */
		if (!setup->handover || tries++ == UPGRADE_TRIES)
			return 1;
		poll(NULL, 0, UPGRADE_LOOK_MS);
	}
	if (self.conf->powerdown_flag && !setup->handover)
		powerdown_clear(conf_get(self.conf, self.conf->powerdown_flag));
	run();
	/* those of another are his */
	if (!self.lost) {
		state_remove(&self.instance);
		result_remove_all(&self.instance);
		rundir_remove(&self.instance.dir, MONITOR_LOCK_FILE);
	}
	instance_release(&self.instance);
	if (!self.failed)
		log_notice("stopped");
	return self.failed ? 1 : 0;
}
