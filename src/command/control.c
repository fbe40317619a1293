/* SPDX-License-Identifier: ISC */
#include "command/control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/environment.h"
#include "base/log.h"
#include "guard/state_file.h"
#include "identity/instance.h"
#include "identity/monitor_lock.h"
#include "identity/result.h"
#include "identity/target.h"
#include "upgrade/new_program.h"
#include "options.h"

/* How long `stop` waits: the monitor's logout, and some more for a slow board. */
#define STOP_WAIT_MS 10000
/* An upgrade has 10 s to rehearse and 8 to hand over, and may wait for another one. */
#define ANSWER_WAIT_MS 40000
#define ANSWER_LOOK_MS 20
/* A monitor that hangs is replaced within 40 s (tell.c), and the next one is asked. */
#define MEND_WAIT_MS 60000
/* The next monitor is there sooner, unless none lives. */
#define MONITOR_WAIT_MS 10000
#define ASK_AGAIN_MS 1000

static const struct {
	const char *name;
	enum control_command command;
	int sig;
	bool answered;
} commands[] = {
	{ "stop", CONTROL_STOP, SIGTERM, false },
	{ "reload", CONTROL_RELOAD, SIGHUP, true },
	{ "fsd", CONTROL_FSD, SIGUSR1, false },
	{ "upgrade", CONTROL_UPGRADE, SIGUSR2, true },
	{ "status", CONTROL_STATUS, 0, false },
	{ NEW_PROGRAM_COMMAND, CONTROL_REHEARSE, 0, false },
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

enum control_command control_by_name(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].command;
	}
	return CONTROL_NONE;
}

static int status(const struct instance *in, const struct verdict *v, bool json)
{
	char text[256];

	verdict_format(v, text, sizeof(text));
	state_show(in, v, text, json);
	switch (v->kind) {
	case VERDICT_RUNNING_LOCK:
	case VERDICT_RUNNING_NAME:
		return STATUS_RUNNING;
	case VERDICT_STALE_OTHER:
	case VERDICT_STALE_GONE:
	case VERDICT_STALE_SELF:
	case VERDICT_STALE_EMPTY:
		return STATUS_DEAD_WITH_PIDFILE;
	case VERDICT_FREE:
		return STATUS_NOT_RUNNING;
	case VERDICT_UNKNOWN:
		break;
	}
	return STATUS_UNKNOWN;
}

/* What the daemon says to an order that was given at `since`. */
static int hear_answer(const struct instance *in, const struct target *t, const char *order,
		       int64_t since)
{
	char text[MESSAGE_MAX];
	bool done = false;

	while (!result_read(in, order, since, &done, text, sizeof(text))) {
		if (clock_ms() > since + ANSWER_WAIT_MS) {
			log_error("%s: pid %d was told, and has not said how it went", order,
				  (int)t->pid);
			return 1;
		}
		if (lock_holder(&in->dir, t->lock) != t->pid) {
			log_error("%s: upsmon ended on the way", order);
			return 1;
		}
		poll(NULL, 0, ANSWER_LOOK_MS);
	}
	if (!done)
		log_error("%s", text);
	else if (*text)
		log_info("%s", text);
	return done ? 0 : 1;
}

/* An upsmon runs there, or has left something, or it cannot be told. */
static bool is_there(struct instance *in, const char *dir, char *why, size_t size)
{
	if (!instance_open(in, dir, why, size))
		return false;
	if (lock_holder(&in->dir, LOCK_FILE) != HOLDER_NONE)
		return true;
	rundir_close(&in->dir);
	errno = ENOENT;
	return false;
}

/*
 * The directory of the daemon that is meant.  A script of NOTIFYCMD has it in
 * its environment; one that has lost that finds root's upsmon all the same.
 */
static bool open_instance(struct instance *in, const char *dir, char *why, size_t size)
{
	const char *roots = environment_root_pid_dir();

	if (geteuid() != 0 && strcmp(dir, roots) != 0 && !is_there(in, dir, why, size) &&
	    is_there(in, roots, why, size))
		return true;
	return instance_open(in, dir, why, size);
}

/* The daemon's log has the sender's number, which says little an hour later. */
static void log_caller(void)
{
	struct proc parent;

	log_to_syslog(true);
	log_to_stderr(false);
	(void)procname_check(PROC_ROOT, getppid(), PROGRAM_NAME, &parent);
	log_notice("-c fsd: asked for by user %d in process %d (%s)", (int)getuid(), (int)getppid(),
		   parent.name);
	log_to_stderr(true);
	log_to_syslog(false);
}

/*
 * FSD, by the user of the monitor: through that, which is a process of his own.
 * Between two monitors there may be none for a moment, one that has just been
 * relieved passes nothing on, and one that hangs is replaced after a while: so
 * it is asked again until the guard says that it knows.
 */
static int ask_monitor(struct instance *in, pid_t pid)
{
	int64_t since = clock_ms(), until = since + MEND_WAIT_MS;
	int64_t none_until = since + MONITOR_WAIT_MS;
	char text[MESSAGE_MAX];
	struct target t;
	bool done;

	while (clock_ms() < until) {
		int64_t again = clock_ms() + ASK_AGAIN_MS;

		if (lock_holder(&in->dir, MONITOR_LOCK_FILE) <= 0) {
			if (clock_ms() > none_until)
				break;
			poll(NULL, 0, ANSWER_LOOK_MS);
			continue;
		}
		none_until = clock_ms() + MONITOR_WAIT_MS;
		if (!target_find(&t, in, pid, MONITOR_LOCK_FILE)) {
			if (lock_holder(&in->dir, MONITOR_LOCK_FILE) == t.pid)
				return 1;
			continue;
		}
		(void)target_signal(&t, in, SIGUSR1);
		for (; clock_ms() < again; poll(NULL, 0, ANSWER_LOOK_MS)) {
			if (result_read(in, "fsd", since, &done, text, sizeof(text)))
				return 0;
		}
	}
	/* the reason is that of any order */
	if (target_find(&t, in, pid, LOCK_FILE))
		log_error("fsd: the monitor of upsmon was asked, and has not answered");
	return 1;
}

static int give_order(size_t i, struct instance *in, pid_t pid)
{
	struct target t;
	int64_t since;

	if (commands[i].command == CONTROL_FSD)
		log_caller();
	if (commands[i].command == CONTROL_FSD && geteuid() != 0 &&
	    lock_holder(&in->dir, LOCK_FILE) == HOLDER_HIDDEN)
		return ask_monitor(in, pid);
	if (!target_find(&t, in, pid, LOCK_FILE))
		return 1;
	if (commands[i].command == CONTROL_UPGRADE && !target_catches(&t, SIGUSR2)) {
		log_error("pid %d is an older version, or one built without upgrades, and cannot be "
			  "upgraded while it runs (or /proc does not tell): stop it and start the "
			  "new one",
			  (int)t.pid);
		return 1;
	}
	since = clock_ms();
	if (!target_signal(&t, in, commands[i].sig)) {
		log_error("cannot signal pid %d: %s", (int)t.pid, strerror(errno));
		return 1;
	}
	if (commands[i].answered)
		return hear_answer(in, &t, commands[i].name, since);
	if (commands[i].command == CONTROL_STOP && !target_wait(&t, in, STOP_WAIT_MS)) {
		log_error("pid %d was told to stop, and still runs after %d s", (int)t.pid,
			  STOP_WAIT_MS / 1000);
		return 1;
	}
	return 0;
}

int control_run(enum control_command command, const char *pid_dir, pid_t pid, bool json)
{
	struct instance in;
	char why[256];
	size_t i = 0;

	if (!open_instance(&in, pid_dir, why, sizeof(why))) {
		struct verdict v = { .kind = VERDICT_UNKNOWN, .error = errno };

		/* no directory, no daemon */
		if (errno == ENOENT)
			v.kind = VERDICT_FREE;
		log_error("%s", why);
		return command == CONTROL_STATUS ? status(&in, &v, json) : 1;
	}
	if (command == CONTROL_STATUS) {
		struct verdict v;

		instance_query(&in, &v);
		return status(&in, &v, json);
	}
	while (commands[i].command != command)
		i++;
	return give_order(i, &in, pid);
}
