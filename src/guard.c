/* SPDX-License-Identifier: ISC */
#include "guard.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "conf_file.h"
#include "detach.h"
#include "instance.h"
#include "keeper.h"
#include "log.h"
#include "loop.h"
#include "powerdown.h"
#include "shutdown.h"
#include "signals.h"
#include "state_file.h"
#include "supervisor.h"
#include "user.h"

static struct {
	const struct guard_setup *setup;
	struct conf conf;
	struct instance instance;
	struct user user;
	bool drop;		/* root: the monitor becomes `user` */
	bool reload_asked;	/* while an earlier reload is under way */
	bool stopping;
	bool failed;
	bool ready;
	bool state_wanted;	/* the directory is in memory */
} self;

/* What is known has changed: for -c status.  A pidfile that failed is tried again. */
static void publish(void)
{
	char why[MESSAGE_MAX];

	if (self.state_wanted)
		state_write(&self.instance, &self.conf, keeper_past());
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
	supervisor_tell("READY=1");
	log_notice("ready, watching %u UPS%s", self.conf.ups_count,
		   self.conf.ups_count == 1 ? "" : "es");
	/* the caller may go on; from here the log has the word */
	if (self.setup->ready_fd >= 0) {
		detach_stdio();
		detach_ready(self.setup->ready_fd);
	}
}

static void in_child(void)
{
	instance_forget(&self.instance);
}

static void reload(void)
{
	static struct conf fresh, old;
	const char *path = self.setup->conf_file;

	self.reload_asked = false;
	if (shutdown_is_begun()) {
		log_warning("no reload: the shutdown is under way");
		return;
	}
	supervisor_tell_reloading();
	if (!conf_file_read(path, &fresh, false)) {
		supervisor_tell("READY=1");
		log_error("%s is not used: the configuration stays as it was", path);
		return;
	}
	if (strcmp(conf_get(&fresh, fresh.run_as_user),
		   conf_get(&self.conf, self.conf.run_as_user)) != 0)
		log_warning("RUN_AS_USER has changed: that takes effect at the next start");
	old = self.conf;
	self.conf = fresh;
	log_set_debug_min(self.conf.debug_min);
	keeper_reload(&old);
	supervisor_tell("READY=1");
}

static void take_orders(unsigned int signals, int64_t now)
{
	if ((signals & SIGNALS_STOP) && !self.stopping) {
		self.stopping = true;
		supervisor_tell("STOPPING=1");
		log_notice("stopping");
		keeper_stop(now);
	}
	if (signals & SIGNALS_FSD)
		keeper_fsd(now);
	if (signals & SIGNALS_RELOAD)
		self.reload_asked = true;
	if (self.reload_asked && keeper_can_reload())
		reload();
}

static unsigned int prepare(void *arg, struct pollfd *fds, int64_t *deadline)
{
	(void)arg;
	if (keeper_deadline() < *deadline)
		*deadline = keeper_deadline();
	if (!self.stopping && shutdown_deadline() < *deadline)
		*deadline = shutdown_deadline();
	fds[0].fd = keeper_fd();
	fds[0].events = POLLIN;
	fds[0].revents = 0;
	return 1;
}

static bool handle(void *arg, const struct pollfd *fds, unsigned int signals, int64_t now)
{
	(void)arg;
	(void)fds; /* reading is cheap, and a child that ended may have left words */
	keeper_hear(now);
	take_orders(signals, now);
	keeper_advance(now);
	if (!self.stopping)
		shutdown_advance(now);
	if (keeper_has_news() && self.ready)
		publish();
	return !keeper_has_ended();
}

static bool prepare_user(void)
{
	const char *name = self.setup->user;

	self.drop = geteuid() == 0 && !self.setup->one_process;
	if (!self.drop)
		return true;
	if (!name)
		name = self.conf.run_as_user ? conf_get(&self.conf, self.conf.run_as_user)
					     : DEFAULT_USER;
	if (user_find(name, &self.user))
		return true;
	log_error("there is no user \"%s\"; add it, or name another with RUN_AS_USER in %s or with "
		  "-u",
		  name, self.setup->conf_file);
	return false;
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
	if (!instance_claim(&self.instance, &v, why, sizeof(why))) {
		verdict_format(&v, text, sizeof(text));
		if (verdict_is_running(&v))
			log_error("not started: %s (%s)", text, self.setup->pid_dir);
		else
			log_error("cannot take the lock: %s", why);
		return false;
	}
	if (v.kind != VERDICT_FREE) {
		verdict_format(&v, text, sizeof(text));
		log_warning("%s (%s); starting", text, self.setup->pid_dir);
	}
	self.state_wanted = instance_is_volatile(&self.instance);
	if (!self.state_wanted)
		log_warning("%s is not in memory (tmpfs): the pidfile will outlive a power cut; it "
			    "is found out at the next start, but set NUT_PIDPATH to a tmpfs",
			    self.setup->pid_dir);
	return true;
}

static void run(void)
{
	struct loop_half halves[2] = { { NULL, prepare, handle } };
	sigset_t wait;
	const struct keeper_setup keeper = {
		.conf = &self.conf,
		.user = self.drop ? &self.user : NULL,
		.wait = &wait,
		.ready_fd = self.setup->ready_fd,
		.one_process = self.setup->one_process,
		.family = self.setup->family,
		.connect_ms = self.setup->connect_ms,
		.on_ready = on_ready,
		.in_child = in_child,
	};

	signals_catch(&wait);
	if (!keeper_init(&keeper)) {
		self.failed = true;
		return;
	}
	keeper_start();
	halves[1] = *keeper_half();
	loop_run(halves, self.setup->one_process ? 2 : 1, &wait);
	self.failed = keeper_has_failed();
	keeper_kill();
}

int guard_run(const struct guard_setup *setup, const struct conf *conf)
{
	memset(&self, 0, sizeof(self));
	self.setup = setup;
	self.conf = *conf;
	log_set_debug_min(self.conf.debug_min);
	/* nothing before the claim touches what a running upsmon has */
	if (!prepare_user() || !prepare_instance())
		return 1;
	if (self.conf.powerdown_flag)
		powerdown_clear(conf_get(&self.conf, self.conf.powerdown_flag));
	run();
	state_remove(&self.instance);
	instance_release(&self.instance);
	if (!self.failed)
		log_notice("stopped");
	return self.failed ? 1 : 0;
}
