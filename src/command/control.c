/* SPDX-License-Identifier: ISC */
#include "command/control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "guard/state_file.h"
#include "identity/instance.h"
#include "identity/result.h"
#include "identity/target.h"
#include "upgrade/new_program.h"
#include "options.h"

/* How long `stop` waits: the monitor's logout, and some more for a slow board. */
#define STOP_WAIT_MS 10000
/* An upgrade has 10 s to rehearse and 8 to hand over, and may wait for another one. */
#define ANSWER_WAIT_MS 40000
#define ANSWER_LOOK_MS 20

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
		if (lock_holder(&in->dir) != t->pid) {
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

int control_run(enum control_command command, const char *pid_dir, pid_t pid, bool json)
{
	struct instance in;
	struct target t;
	char why[256];
	int64_t since;
	size_t i = 0;

	if (!instance_open(&in, pid_dir, why, sizeof(why))) {
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
	if (!target_find(&t, &in, pid))
		return 1;
	while (commands[i].command != command)
		i++;
	if (command == CONTROL_UPGRADE && !target_catches(&t, SIGUSR2)) {
		log_error("pid %d is an older version, which cannot be upgraded while it runs "
			  "(or /proc does not tell): stop it and start the new one",
			  (int)t.pid);
		return 1;
	}
	since = clock_ms();
	if (!target_signal(&t, &in, commands[i].sig)) {
		log_error("cannot signal pid %d: %s", (int)t.pid, strerror(errno));
		return 1;
	}
	if (commands[i].answered)
		return hear_answer(&in, &t, commands[i].name, since);
	if (command == CONTROL_STOP && !target_wait(&t, &in, STOP_WAIT_MS)) {
		log_error("pid %d was told to stop, and still runs after %d s", (int)t.pid,
			  STOP_WAIT_MS / 1000);
		return 1;
	}
	return 0;
}
