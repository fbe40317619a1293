/* SPDX-License-Identifier: ISC */
#include "identity/target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/environment.h"
#include "base/log.h"
#include "options.h"

/* Between the exec of a hot upgrade and its first lines, it is called like its file. */
#define NAME_WAIT_MS 1000
/* Without a pidfd, how often to look. */
#define LOOK_MS 20

static int open_pidfd(pid_t pid)
{
#if USE_PIDFD && defined(SYS_pidfd_open)
	return (int)syscall(SYS_pidfd_open, pid, 0);
#else
	(void)pid;
	return -1;
#endif
}

static bool prove_name(struct target *t)
{
	int64_t until = clock_ms() + NAME_WAIT_MS;
	struct proc p;
	enum proc_answer answer = procname_check(PROC_ROOT, t->pid, PROGRAM_NAME, &p);

	if (answer != PROC_GONE && environment_is_true("NUT_IGNORE_CHECKPROCNAME"))
		answer = PROC_MATCH;
	while (answer == PROC_MISMATCH && clock_ms() < until) {
		poll(NULL, 0, LOOK_MS);
		answer = procname_check(PROC_ROOT, t->pid, PROGRAM_NAME, &p);
	}
	t->start = p.start;
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
			  procname_error(errno));
		break;
	}
	return false;
}

static bool find_holder(struct target *t, struct instance *in)
{
	char text[256];
	struct verdict v;

	t->pid = lock_holder(&in->dir, t->lock);
	if (t->pid > 0)
		return true;
	if (t->pid == HOLDER_FOREIGN) {
		log_error("upsmon runs in another pid namespace (container): it can only be "
			  "signalled from there");
		return false;
	}
	instance_query(in, &v);
	verdict_format(&v, text, sizeof(text));
	if (v.kind != VERDICT_RUNNING_NAME)
		log_error("%s (%s)", text, in->dir.path);
	else if (v.error)
		log_error("%s (%s); it takes orders from its owner only, and from the user of "
			  "NOTIFYCMD -c fsd",
			  text, in->dir.path);
	else
		log_error("%s (%s); that cannot be proved, and it is not signalled", text,
			  in->dir.path);
	return false;
}

/* Of a monitor, the guard: that is the number which the pidfile has. */
static pid_t parent_of(const struct target *t, const char *lock)
{
	struct proc p;

	if (strcmp(lock, LOCK_FILE) == 0)
		return 0;
	(void)procname_check(PROC_ROOT, t->pid, PROGRAM_NAME, &p);
	return p.parent;
}

bool target_find(struct target *t, struct instance *in, pid_t wanted, const char *lock)
{
	t->lock = lock;
	t->pidfd = -1;
	t->start = 0;
	if (!find_holder(t, in))
		return false;
	if (wanted && wanted != t->pid && wanted != parent_of(t, lock)) {
		log_error("pid %d is not the upsmon that holds the lock (that is %d): nothing is "
			  "signalled",
			  (int)wanted, (int)t->pid);
		return false;
	}
	t->pidfd = open_pidfd(t->pid);
	if (!prove_name(t))
		return false;
	/* the holder then and now: so the pidfd was taken of it, and of nobody after it */
	if (lock_holder(&in->dir, t->lock) == t->pid)
		return true;
	log_error("upsmon has just ended");
	return false;
}

bool target_signal(const struct target *t, const struct instance *in, int sig)
{
	struct proc p;

#if USE_PIDFD && defined(SYS_pidfd_send_signal)
	if (t->pidfd >= 0)
		return syscall(SYS_pidfd_send_signal, t->pidfd, sig, NULL, 0) == 0;
#endif
	/* the last look before the number is used */
	(void)procname_check(PROC_ROOT, t->pid, PROGRAM_NAME, &p);
	if (t->start == 0) {
		/* no /proc that tells: NUT_IGNORE_CHECKPROCNAME does not help here */
		errno = EOPNOTSUPP;
		return false;
	}
	if (p.start != t->start || lock_holder(&in->dir, t->lock) != t->pid) {
		errno = ESRCH;
		return false;
	}
	return kill(t->pid, sig) == 0;
}

static bool catches(pid_t pid, int sig)
{
	char path[64], text[2048];
	char *field;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), PROC_ROOT "/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len < 0 ? 0 : len] = '\0';
	field = strstr(text, "\nSigCgt:\t");
	return field && (strtoull(field + strlen("\nSigCgt:\t"), NULL, 16) >> (sig - 1)) & 1;
}

bool target_catches(const struct target *t, int sig)
{
	int64_t until = clock_ms() + NAME_WAIT_MS;

	/* in the midst of an exec it catches none, and blocks them all */
	while (!catches(t->pid, sig)) {
		if (clock_ms() >= until)
			return false;
		poll(NULL, 0, LOOK_MS);
	}
	return true;
}

bool target_wait(const struct target *t, const struct instance *in, int ms)
{
	int64_t until = clock_ms() + ms;

	while (lock_holder(&in->dir, t->lock) == t->pid) {
		struct pollfd pfd = { .fd = t->pidfd, .events = POLLIN };
		int64_t left = until - clock_ms();

		if (left <= 0)
			return false;
		poll(&pfd, t->pidfd >= 0, t->pidfd >= 0 ? (int)left : LOOK_MS);
	}
	return true;
}
