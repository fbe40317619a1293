/* SPDX-License-Identifier: ISC */
#include "guard/shutdown.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/action.h"
#include "guard/powerdown.h"

/*
 * The schedule.  A failed command is tried again after 5 s, then after twice
 * that, at most every 60 s.  One that said yes gets 5 minutes to bring the
 * machine down, and so does one that has not ended.
 */
#define FIRST_RETRY_MS 5000
#define LAST_RETRY_MS 60000
#define PATIENCE_MS 300000

static struct {
	const struct conf *conf;
	pid_t pid; /* of the command that runs; 0: none */
	int64_t next;
	int64_t retry_ms;
} self = { .next = NEVER };

static void retry_later(void)
{
	self.next = clock_ms() + self.retry_ms;
	log_error("SHUTDOWNCMD is tried again in %d s", (int)(self.retry_ms / 1000));
	self.retry_ms = self.retry_ms * 2 < LAST_RETRY_MS ? self.retry_ms * 2 : LAST_RETRY_MS;
}

static void on_done(void *arg, pid_t pid, int status)
{
	(void)arg;
	if (pid != self.pid)
		return;
	self.pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		log_notice("SHUTDOWNCMD is done; the machine should go down now");
		return;
	}
	if (WIFEXITED(status))
		log_error("SHUTDOWNCMD failed with exit code %d%s", WEXITSTATUS(status),
			  WEXITSTATUS(status) == 127 ? " (command not found)" : "");
	else
		log_error("SHUTDOWNCMD was ended by signal %d", WTERMSIG(status));
	retry_later();
}

static void run(int64_t now)
{
	if (!self.conf->shutdown_cmd) {
		log_error("there is no SHUTDOWNCMD: shut this machine down by hand, now");
		self.next = now + LAST_RETRY_MS;
		return;
	}
	log_at(LOG_CRIT, "running SHUTDOWNCMD: %s", conf_get(self.conf, self.conf->shutdown_cmd));
	self.next = now + PATIENCE_MS;
	self.pid = child_command(conf_get(self.conf, self.conf->shutdown_cmd), NULL, NULL, on_done,
				 NULL);
	if (self.pid < 0) {
		log_error("cannot start SHUTDOWNCMD: %s", strerror(errno));
		self.pid = 0;
		retry_later();
	}
}

void shutdown_begin(const struct conf *conf, int64_t now)
{
	const char *flag = conf_get(conf, conf->powerdown_flag);

	if (self.conf)
		return;
	self.conf = conf;
	self.retry_ms = FIRST_RETRY_MS;
	/* a flag that cannot be written must not keep the machine up */
	if (*flag && powerdown_write(flag))
		log_notice("POWERDOWNFLAG %s is written", flag);
	else if (*flag)
		log_error("cannot write POWERDOWNFLAG %s: %s", flag, strerror(errno));
	run(now);
}

bool shutdown_is_begun(void)
{
	return self.conf != NULL;
}

int64_t shutdown_deadline(void)
{
	return self.next;
}

void shutdown_advance(int64_t now)
{
	if (now < self.next)
		return;
	log_error("the machine still runs; %s",
		  self.pid ? "SHUTDOWNCMD hangs and is started once more" : "trying again");
	run(now);
}
