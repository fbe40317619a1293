/* SPDX-License-Identifier: ISC */
#include "guard/shutdown.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* How long a disk may take for POWERDOWNFLAG: one that hangs must not keep the machine up. */
#define FLAG_WAIT_MS 2000

static struct {
	const struct conf *conf;
	pid_t pid; /* of the command that runs; 0: none */
	pid_t flag; /* of the child that writes POWERDOWNFLAG, while it is waited for */
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
	const struct conf_command *c = &self.conf->shutdown_cmd;
	const struct child_command command = {
		.text = conf_get(self.conf, c->text),
		.words = c->words,
		.rank = CHILD_LAST,
	};
	char text[MESSAGE_MAX];

	if (c->words == 0) {
		log_error("there is no SHUTDOWNCMD: shut this machine down by hand, now");
		self.next = now + LAST_RETRY_MS;
		return;
	}
	if (!*command.text) {
		log_notice("SHUTDOWNCMD is empty: this machine is left to NOTIFYCMD");
		self.next = NEVER;
		return;
	}
	child_command_line(&command, text, sizeof(text));
	log_at(LOG_CRIT, "running SHUTDOWNCMD: %s", text);
	self.next = now + PATIENCE_MS;
	self.pid = child_run(&command, on_done, NULL);
	if (self.pid < 0) {
		log_error("cannot start SHUTDOWNCMD: %s", strerror(errno));
		self.pid = 0;
		retry_later();
	}
}

/* ---- POWERDOWNFLAG ---- */

/* A flag that cannot be written must not keep the machine up. */
static void write_flag(const char *flag)
{
	if (powerdown_write(flag))
		log_notice("POWERDOWNFLAG %s is written", flag);
	else
		log_error("cannot write POWERDOWNFLAG %s: %s", flag, strerror(errno));
}

static void on_flag(void *arg, pid_t pid, int status)
{
	(void)arg;
	(void)status;
	if (pid != self.flag)
		return;
	self.flag = 0;
	run(clock_ms());
}

/* False: there is none, or nobody who could write it. */
static bool begin_flag(int64_t now)
{
	const char *flag = conf_get(self.conf, self.conf->powerdown_flag);

	if (!*flag)
		return false;
	self.flag = child_fork(on_flag, NULL);
	if (self.flag == 0) {
		/* if it hangs, it must keep nothing of ours open */
		log_forget();
		child_close_from(3);
		write_flag(flag);
		_exit(0);
	}
	if (self.flag < 0) {
		self.flag = 0;
		write_flag(flag);
		return false;
	}
	self.next = now + FLAG_WAIT_MS;
	return true;
}

void shutdown_begin(const struct conf *conf, int64_t now)
{
	if (self.conf)
		return;
	self.conf = conf;
	self.retry_ms = FIRST_RETRY_MS;
	if (!begin_flag(now))
		run(now);
}

void shutdown_stop(void)
{
	self.flag = 0;
	self.next = NEVER;
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
	if (self.flag) {
		log_error("POWERDOWNFLAG is not written within %d s; going on", FLAG_WAIT_MS / 1000);
		self.flag = 0;
	} else {
		log_error("the machine still runs; %s",
			  self.pid ? "SHUTDOWNCMD hangs and is started once more" : "trying again");
	}
	run(now);
}
