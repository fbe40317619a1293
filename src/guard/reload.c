/* SPDX-License-Identifier: ISC */
#include "guard/reload.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sd_notify.h"
#include "guard/conf_file.h"
#include "guard/safeguard.h"
#include "guard/worker.h"
#include "identity/result.h"
#include "options.h"

static struct {
	struct reload_setup setup;
	bool ordered;
	bool waiting;		/* for the monitor to come to rest */
	unsigned int warnings;	/* of the new configuration */
	int64_t begun;
} self;

static struct conf fresh MOSTLY_UNUSED;

void reload_init(const struct reload_setup *setup)
{
	self.setup = *setup;
	self.ordered = false;
	self.waiting = false;
}

void reload_order(void)
{
	self.ordered = true;
}

bool reload_is_ordered(void)
{
	return self.ordered;
}

static void finish(const char *why)
{
	char text[MESSAGE_MAX] = "the configuration is read anew";

	if (!why && self.warnings > 0)
		snprintf(text, sizeof(text), "the configuration is read anew, with %u warning%s, which "
			 "are in " CONF_FILE_WHERE,
			 self.warnings, self.warnings == 1 ? "" : "s");
	if (why) {
		snprintf(text, sizeof(text), "%s is not used, and the configuration stays as it was: %s",
			 self.setup.conf_file, why);
		log_error("%s", text);
	}
	sd_notify_tell("READY=1");
	result_write(self.setup.instance, "reload", self.begun, !why, text);
}

/* The reason for which the new configuration is not used; NULL if it is to be. */
static const char *begin(int64_t now)
{
	if (safeguard_is_alarmed())
		return "a shutdown is under way";
	self.warnings = log_warnings();
	if (!conf_file_read(self.setup.conf_file, &fresh, false))
		return access(self.setup.conf_file, F_OK) < 0 ? "there is none"
							      : "it has errors: see " CONF_FILE_WHERE;
	/* timers of it may be running, and nothing would cancel them */
	if (fresh.upssched_broken)
		return "its UPSSCHED file cannot be used: see " CONF_FILE_WHERE;
	self.warnings = log_warnings() - self.warnings;
	self.waiting = worker_rest(now);
	return self.waiting ? NULL : "the monitor does not listen; try again";
}

/* The monitor is at rest: the next one goes by the new configuration. */
static void relieve(int64_t now)
{
	struct snapshot *snapshot = safeguard_snapshot();
	struct conf *conf = self.setup.conf;

	if (strcmp(conf_get(&fresh, fresh.run_as_user),
		   conf_get(conf, conf->run_as_user)) != 0)
		log_warning("RUN_AS_USER has changed: that takes effect at the next start");
	*snapshot = snapshot_move(snapshot, conf, &fresh);
	conf_copy(conf, &fresh);
	log_set_debug_min(conf->debug_min);
	safeguard_is_news();
	worker_relieve(now);
	log_notice("the configuration was read anew: %u UPS%s", conf->ups_count,
		   conf->ups_count == 1 ? "" : "es");
}

void reload_advance(int64_t now)
{
	const char *why = NULL;

	/* one at a time, and not in the midst of an upgrade */
	if (self.ordered && !self.waiting && worker_can_rest()) {
		self.ordered = false;
		self.begun = clock_ms();
		sd_notify_tell_reloading();
		why = begin(now);
		if (why)
			finish(why);
	}
	if (!self.waiting || (!worker_is_at_rest() && !safeguard_is_alarmed()))
		return;
	self.waiting = false;
	if (safeguard_is_alarmed()) {
		worker_resume(now);
		why = "a shutdown has begun";
	} else {
		relieve(now);
	}
	finish(why);
}
