/* SPDX-License-Identifier: ISC */
#include "control.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "environment.h"
#include "instance.h"
#include "log.h"
#include "options.h"
#include "state_file.h"

/* How long `stop` waits: the monitor's logout, and some more for a slow board. */
#define STOP_WAIT_MS 10000

static const struct {
	const char *name;
	enum control_command command;
	int sig;
} commands[] = {
	{ "stop", CONTROL_STOP, SIGTERM },
	{ "reload", CONTROL_RELOAD, SIGHUP },
	{ "fsd", CONTROL_FSD, SIGUSR1 },
	{ "status", CONTROL_STATUS, 0 },
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

/* The proof that a signal needs, and a hold on the process it is about. */
struct target {
	pid_t pid;
	int pidfd;	/* -1: the kernel has none */
	uint64_t start;	/* for then */
};

static int open_pidfd(pid_t pid)
{
#ifdef SYS_pidfd_open
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	errno = ENOSYS;
	return -1;
#endif
}

static int send_signal(const struct target *t, int sig)
{
	struct proc p;

#ifdef SYS_pidfd_send_signal
	if (t->pidfd >= 0)
		return (int)syscall(SYS_pidfd_send_signal, t->pidfd, sig, NULL, 0);
#endif
	/* the last look before the number is used */
	(void)procname_check(PROC_ROOT, t->pid, PROGRAM_NAME, &p);
	if (p.start == 0 || p.start != t->start) {
		errno = ESRCH;
		return -1;
	}
	return kill(t->pid, sig);
}

static bool prove_name(struct target *t)
{
	struct proc p;
	enum proc_answer answer = procname_check(PROC_ROOT, t->pid, PROGRAM_NAME, &p);

	t->start = p.start;
	if (answer != PROC_GONE && environment_is_true("NUT_IGNORE_CHECKPROCNAME"))
		return true;
	switch (answer) {
	case PROC_MATCH:
		return true;
	case PROC_MISMATCH:
		log_error("pid %d holds the lock, and is called %s: nothing is signalled",
			  (int)t->pid, p.name);
		break;
	case PROC_GONE:
		log_error("upsmon has just ended");
		break;
	case PROC_UNKNOWN:
		log_error("cannot read the name of pid %d (%s): nothing is signalled", (int)t->pid,
			  strerror(errno));
		break;
	}
	return false;
}

/* Finds the daemon and proves that it is the one; false, with the reason said. */
static bool find_target(struct instance *in, pid_t wanted, struct target *t)
{
	char text[256];
	struct verdict v;

	t->pid = instance_holder(in);
	if (t->pid == 0) {
		log_error("upsmon runs in another pid namespace (container): it can only be "
			  "signalled from there");
		return false;
	}
	if (t->pid < 0) {
		instance_query(in, &v);
		verdict_format(&v, text, sizeof(text));
		log_error("%s (%s)%s", text, in->dir_name,
			  v.kind == VERDICT_RUNNING_NAME
				  ? "; without a lock it cannot be proved, and is not signalled"
				  : "");
		return false;
	}
	if (wanted && wanted != t->pid) {
		log_error("pid %d is not the upsmon that holds the lock (that is %d): nothing is "
			  "signalled",
			  (int)wanted, (int)t->pid);
		return false;
	}
	t->pidfd = open_pidfd(t->pid);
	if (!prove_name(t))
		return false;
	if (instance_holder(in) != t->pid) {
		log_error("upsmon has just ended");
		return false;
	}
	return true;
}

/* Waits for the lock to be free; by pidfd without a single look too many. */
static bool wait_gone(const struct instance *in, const struct target *t)
{
	int64_t until = clock_ms() + STOP_WAIT_MS;

	while (instance_holder(in) == t->pid) {
		struct pollfd pfd = { .fd = t->pidfd, .events = POLLIN };
		int64_t left = until - clock_ms();

		if (left <= 0)
			return false;
		poll(&pfd, t->pidfd >= 0, t->pidfd >= 0 ? (int)left : 20);
	}
	return true;
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

int control_run(enum control_command command, const char *pid_dir, pid_t pid, bool json)
{
	struct instance in;
	struct target t = { .pidfd = -1 };
	char why[256];
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
	if (!find_target(&in, pid, &t))
		return 1;
	while (commands[i].command != command)
		i++;
	if (send_signal(&t, commands[i].sig) < 0) {
		log_error("cannot signal pid %d: %s", (int)t.pid, strerror(errno));
		return 1;
	}
	if (command == CONTROL_STOP && !wait_gone(&in, &t)) {
		log_error("pid %d was told to stop, and still runs after %d s", (int)t.pid,
			  STOP_WAIT_MS / 1000);
		return 1;
	}
	return 0;
}
