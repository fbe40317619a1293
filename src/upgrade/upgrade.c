/* SPDX-License-Identifier: ISC */
#include "upgrade/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sd_notify.h"
#include "base/signals.h"
#include "guard/reload.h"
#include "guard/safeguard.h"
#include "guard/worker.h"
#include "identity/result.h"
#include "upgrade/new_program.h"
#include "options.h"

#define REHEARSAL_MS 10000
/* By then a monitor that does not come to rest was ended. */
/* The monitor that rested last, at a reload, may still keep its logins. */
#define READY_MS 20000
#define REST_MS (SAFEGUARD_LATE_MS + 3000)
#define ARGUMENTS_MAX 64
#define READS_MAX 16
#define READS_LAST 1024

enum step { STEP_NONE, STEP_REHEARSAL, STEP_READY, STEP_REST };

static struct {
	struct upgrade_setup setup;
	enum step step;
	bool ordered;
	int64_t begun;
	int64_t until;
	int file;		/* what is handed over */
	struct stat program;	/* the files that are rehearsed */
	struct stat conf;
	pid_t child;
	bool ended;		/* the rehearsal has, with this status */
	int status;
	int words;		/* its output; -1: none */
	size_t heard;
	char text[512];
} self;

static struct handover handover MOSTLY_UNUSED;

void upgrade_init(const struct upgrade_setup *setup)
{
	memset(&self, 0, sizeof(self));
	self.setup = *setup;
	self.file = -1;
	self.words = -1;
}

int upgrade_fd(void)
{
	return self.words;
}

int64_t upgrade_deadline(void)
{
	return self.step == STEP_NONE ? NEVER : self.until;
}

void upgrade_order(void)
{
	self.ordered = true;
}

static void close_files(void)
{
	if (self.words >= 0)
		close(self.words);
	if (self.file >= 0)
		close(self.file);
	self.words = -1;
	self.file = -1;
}

void upgrade_forget(void)
{
	close_files();
}

void upgrade_cancel(void)
{
	if (self.step == STEP_REHEARSAL && !self.ended)
		child_kill(self.child, SIGKILL);
	if (self.step == STEP_REST)
		worker_resume(clock_ms());
	self.step = STEP_NONE;
	close_files();
}

static void fail(const char *why)
{
	upgrade_cancel();
	log_error("no upgrade, and all goes on as before: %s", why);
	result_write(self.setup.instance, "upgrade", self.begun, false, why);
	sd_notify_tell("READY=1");
}

void upgrade_finish(int64_t begun)
{
	log_notice("upgraded to nutlet upsmon " NUTLET_VERSION);
	result_write(self.setup.instance, "upgrade", begun, true,
		     "upgraded to nutlet upsmon " NUTLET_VERSION);
	sd_notify_tell("READY=1");
}

/* ---- the rehearsal ---- */

static bool pack(void)
{
	struct worker monitor = worker_current();
	struct handover *h = &handover;

	h->pid = getpid();
	h->lock = self.setup.instance->lock;
	h->monitor = monitor.pid;
	h->in = monitor.channel.in;
	h->out = monitor.channel.out;
	h->begun = self.begun;
	h->ordered = (self.ordered ? SIGNALS_UPGRADE : 0) |
		     (reload_is_ordered() ? SIGNALS_RELOAD : 0);
	snprintf(h->conf_file, sizeof(h->conf_file), "%s", self.setup.conf_file);
	snprintf(h->pid_dir, sizeof(h->pid_dir), "%s", self.setup.pid_dir);
	handover_pack(h, self.setup.conf, safeguard_snapshot());
	return handover_write(self.file, h);
}

/* What survives an exec, and where the new program finds it. */
static void set_variable(void)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", self.file);
	setenv(HANDOVER_VARIABLE, number, 1);
	fcntl(self.file, F_SETFD, 0);
}

/* In the child: the new program, with the same options and one more. */
static void rehearse(int words)
{
	const char *arguments[ARGUMENTS_MAX] = { self.setup.argv[0], "-c", NEW_PROGRAM_COMMAND };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	signals_restore();
	dup2(null, STDIN_FILENO);
	dup2(words, STDOUT_FILENO);
	dup2(words, STDERR_FILENO);
	for (int i = 1; self.setup.argv[i]; i++) {
		if (i + 3 >= ARGUMENTS_MAX) {
			log_line(STDERR_FILENO, "upsmon was started with too many arguments");
			_exit(127);
		}
		arguments[i + 2] = self.setup.argv[i];
	}
	set_variable();
	execv(self.setup.program, (char *const *)arguments);
	log_line(STDERR_FILENO, "%s", strerror(errno));
	_exit(127);
}

static void on_end(void *arg, pid_t pid, int status)
{
	(void)arg;
	if (pid != self.child)
		return;
	self.ended = true;
	self.status = status;
}

static void begin(int64_t now)
{
	int ends[2];

	self.ordered = false;
	self.begun = clock_ms();
	sd_notify_tell_reloading();
	if (safeguard_is_alarmed()) {
		fail("a shutdown is under way");
		return;
	}
	if (!*self.setup.program) {
		fail("which file this one was started from cannot be told without /proc; start it by "
		     "its path");
		return;
	}
	self.file = handover_create(&self.setup.instance->dir);
	if (self.file < 0 || stat(self.setup.program, &self.program) < 0 ||
	    stat(self.setup.conf_file, &self.conf) < 0 || !pack() ||
	    pipe2(ends, O_CLOEXEC) < 0) {
		char why[MESSAGE_MAX];

		snprintf(why, sizeof(why), "%s: %s", self.setup.program, strerror(errno));
		fail(why);
		return;
	}
	log_notice("upgrade: rehearsing with %s", self.setup.program);
	self.step = STEP_REHEARSAL;
	self.until = now + REHEARSAL_MS;
	self.ended = false;
	self.heard = 0;
	self.words = ends[0];
	fcntl(self.words, F_SETFL, O_NONBLOCK);
	self.child = child_fork(on_end, NULL);
	if (self.child == 0)
		rehearse(ends[1]);
	close(ends[1]);
	if (self.child < 0)
		fail(strerror(errno));
}

/* What the new program says; only the end of it is of interest, and is kept. */
static void hear(int reads_max)
{
	ssize_t n;

	/* one that never stops talking must not keep us here */
	for (int reads = 0; self.words >= 0 && reads < reads_max; reads++) {
		if (self.heard > sizeof(self.text) / 2) {
			self.heard -= sizeof(self.text) / 4;
			memmove(self.text, self.text + sizeof(self.text) / 4, self.heard);
		}
		n = read(self.words, self.text + self.heard, sizeof(self.text) - 1 - self.heard);
		if (n > 0) {
			self.heard += (size_t)n;
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		close(self.words);
		self.words = -1;
	}
	self.text[self.heard] = '\0';
}

/* The last line of its words, which tells why it failed, or that it did not. */
static const char *last_line(void)
{
	char *line;

	while (self.heard > 0 && self.text[self.heard - 1] == '\n')
		self.text[--self.heard] = '\0';
	line = strrchr(self.text, '\n');
	return line ? line + 1 : self.text;
}

/* True if the rehearsal went well; otherwise why is filled. */
static bool judge(char *why, size_t size)
{
	const char *line = last_line();
	int len;

	if (WIFEXITED(self.status) && WEXITSTATUS(self.status) == 0 &&
	    strncmp(line, NEW_PROGRAM_READY, strlen(NEW_PROGRAM_READY)) == 0)
		return true;
	if (WIFSIGNALED(self.status))
		len = snprintf(why, size, "%s was ended by signal %d", self.setup.program,
			       WTERMSIG(self.status));
	else
		len = snprintf(why, size, "%s ended with exit code %d, and was not ready",
			       self.setup.program, WEXITSTATUS(self.status));
	if (*line && len > 0 && (size_t)len < size)
		snprintf(why + len, size - (size_t)len, ": %s", line);
	return false;
}

static void rehearsed(void)
{
	char why[MESSAGE_MAX];

	/* all that a pipe may still hold */
	hear(READS_LAST);
	if (judge(why, sizeof(why))) {
		log_debug("upgrade: %s", last_line());
		self.step = STEP_READY;
		self.until = clock_ms() + READY_MS;
	} else {
		fail(why);
	}
}

/* ---- the exec ---- */

static void keep_open(bool keep)
{
	fcntl(handover.lock, F_SETFD, keep ? 0 : FD_CLOEXEC);
	/* in one process the channel leads to nobody then */
	if (handover.monitor > 0) {
		fcntl(handover.in, F_SETFD, keep ? 0 : FD_CLOEXEC);
		fcntl(handover.out, F_SETFD, keep ? 0 : FD_CLOEXEC);
	}
}

static bool is_unchanged(const char *path, const struct stat *then)
{
	struct stat now;

	return stat(path, &now) == 0 && file_is_unchanged(then, &now);
}

static void become_new(void)
{
	char why[MESSAGE_MAX];

	if (!is_unchanged(self.setup.program, &self.program) ||
	    !is_unchanged(self.setup.conf_file, &self.conf)) {
		fail("program or configuration were changed once more on the way; try again");
		return;
	}
	if (pack()) {
		keep_open(true);
		set_variable();
		execv(self.setup.program, self.setup.argv);
	}
	snprintf(why, sizeof(why), "%s: %s", self.setup.program, strerror(errno));
	unsetenv(HANDOVER_VARIABLE);
	keep_open(false);
	fail(why);
}

void upgrade_advance(int64_t now)
{
	if (self.step == STEP_NONE && self.ordered)
		begin(now);
	if (self.step == STEP_NONE)
		return;
	hear(READS_MAX);
	if (safeguard_is_alarmed())
		fail("a shutdown has begun");
	else if (self.step == STEP_REHEARSAL && self.ended)
		rehearsed();
	/* not while a reload has it at rest */
	if (self.step == STEP_READY && worker_rest(now)) {
		self.step = STEP_REST;
		self.until = now + REST_MS;
	}
	if (self.step == STEP_REST && worker_is_at_rest())
		become_new();
	else if (self.step != STEP_NONE && now >= self.until)
		fail(self.step == STEP_REHEARSAL ? "the new program is not ready within 10 s"
						 : "the monitor does not come to rest");
}
