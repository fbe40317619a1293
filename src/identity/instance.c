/* SPDX-License-Identifier: ISC */
#include "identity/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "identity/by_name.h"
#include "options.h"

#define PID_FILE "upsmon.pid"

/* Further up than this, nobody who started us is sought. */
#define ANCESTORS_MAX 32

/* How long a start waits for a lock that is held, and how often it looks. */
#define CLAIM_WAIT_MS 500
#define CLAIM_LOOK_MS 20

/*
 * What the lock's last owner wrote: a number into this very file.  A pidfile
 * that is still the same one was left by a nutlet, and whoever has the number
 * now is a stranger, even if he is called upsmon.
 */
struct note {
	pid_t pid;	/* -1: there is none */
	unsigned long long inode;
	long long time;
};

static void explain(char *why, size_t size, const struct instance *in, const char *file,
		    const char *what)
{
	snprintf(why, size, "%s/%s: %s", in->dir.path, file, what);
}

bool instance_open(struct instance *in, const char *dir, char *why, size_t size)
{
	memset(in, 0, sizeof(*in));
	in->lock = -1;
	in->proc_root = PROC_ROOT;
	return rundir_open(&in->dir, dir, why, size);
}

/* ---- the pidfile and its note ---- */

/* One decimal number, then *end; -1 for anything different. */
static pid_t parse_pid(const char *text, char **end)
{
	long number;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	number = strtol(text, end, 10);
	return errno || number < 1 || number > INT_MAX ? -1 : (pid_t)number;
}

/* The pidfile's number; 0: there is no pidfile, -1: it holds none. */
static pid_t read_pidfile(const struct instance *in, struct stat *st)
{
	int fd = rundir_open_file(&in->dir, PID_FILE, st);
	char text[32];
	char *end;
	ssize_t len;
	pid_t pid;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	len = pread(fd, text, sizeof(text) - 1, 0);
	close(fd);
	if (len <= 0)
		return -1;
	text[len] = '\0';
	pid = parse_pid(text, &end);
	return pid > 0 && strcmp(end, "\n") != 0 && *end ? -1 : pid;
}

static struct note read_note(int fd)
{
	struct note note = { .pid = -1 };
	char text[80];
	char *end;
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return note;
	text[len] = '\0';
	note.pid = parse_pid(text, &end);
	if (note.pid > 0) {
		note.inode = strtoull(end, &end, 10);
		note.time = strtoll(end, &end, 10);
	}
	return note;
}

static bool write_note(int fd, pid_t pid, const struct stat *st)
{
	char text[80];
	int len = snprintf(text, sizeof(text), "%d %llu %lld\n", (int)pid,
			   (unsigned long long)st->st_ino, (long long)st->st_mtime);

	return ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)len, 0) == len;
}

static bool is_noted(const struct note *note, pid_t pid, const struct stat *st)
{
	return note->pid == pid && note->inode == st->st_ino && note->time == st->st_mtime;
}

bool instance_write_pid(struct instance *in, char *why, size_t size)
{
	struct stat *st = &in->pid_file;
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	in->pid_written = false;
	if (!rundir_prepare(&in->dir, PID_FILE, text, (size_t)len, st)) {
		explain(why, size, in, PID_FILE, strerror(errno));
		return false;
	}
	/*
	 * A pidfile without its note would be judged by name, also if we are killed
	 * in the midst of this: so a stale one goes, then comes the note.
	 */
	rundir_remove(&in->dir, PID_FILE);
	if (!write_note(in->lock, getpid(), st)) {
		explain(why, size, in, LOCK_FILE, strerror(errno));
		return false;
	}
	in->pid_written = rundir_commit(&in->dir, PID_FILE);
	if (!in->pid_written)
		explain(why, size, in, PID_FILE, strerror(errno));
	return in->pid_written;
}

/* ---- the verdict ---- */

/*
 * Our own pid, or a process that started us: the script that init ran, say.
 * Who only asks is told about his parents by their names.
 */
static bool is_self(const struct instance *in, pid_t pid, bool starting)
{
	struct proc p;
	pid_t ancestor = getpid();

	if (pid == ancestor || !starting)
		return pid == ancestor;
	if (pid == getppid())
		return true;
	for (int depth = 0; ancestor > 0 && depth < ANCESTORS_MAX; depth++) {
		if (pid == ancestor)
			return true;
		procname_check(in->proc_root, ancestor, PROGRAM_NAME, &p);
		ancestor = p.parent;
	}
	return false;
}

/* What the pidfile is worth once it is known that nobody, or nobody visible, holds the lock. */
static void judge_pidfile(const struct instance *in, const struct note *note, bool starting,
			  bool any_uid, struct verdict *v)
{
	const struct by_name l = {
		.root = in->proc_root,
		.dir = in->dir.fd,
		.uid = geteuid(),
		.any_uid = any_uid,
	};
	struct proc p;
	struct stat st;

	memset(v, 0, sizeof(*v));
	v->pid = read_pidfile(in, &st);
	if (v->pid == 0) {
		v->kind = VERDICT_FREE;
		return;
	}
	if (v->pid < 0) {
		v->pid = 0;
		v->kind = VERDICT_STALE_EMPTY;
		return;
	}
	if (is_self(in, v->pid, starting)) {
		v->kind = VERDICT_STALE_SELF;
		return;
	}
	switch (procname_check(in->proc_root, v->pid, PROGRAM_NAME, &p)) {
	case PROC_MATCH:
		v->kind = !is_noted(note, v->pid, &st) && by_name_may_be(&l, v->pid, &p)
				  ? VERDICT_RUNNING_NAME
				  : VERDICT_STALE_OTHER;
		break;
	case PROC_MISMATCH:
		v->kind = VERDICT_STALE_OTHER;
		break;
	case PROC_GONE:
		v->kind = VERDICT_STALE_GONE;
		break;
	case PROC_UNKNOWN:
		v->kind = VERDICT_UNKNOWN;
		v->error = errno;
		break;
	}
	memcpy(v->name, p.name, sizeof(v->name));
}

static void holder_verdict(struct verdict *v, pid_t holder)
{
	memset(v, 0, sizeof(*v));
	v->kind = VERDICT_RUNNING_LOCK;
	v->pid = holder;
}

void instance_query(struct instance *in, struct verdict *v)
{
	struct note note = { .pid = -1 };
	struct stat st;
	pid_t holder = lock_holder(&in->dir, LOCK_FILE);
	int error = errno;
	int fd;

	if (holder >= 0) {
		holder_verdict(v, holder);
		return;
	}
	fd = holder == HOLDER_NONE ? rundir_open_file(&in->dir, LOCK_FILE, &st) : -1;
	if (fd >= 0) {
		note = read_note(fd);
		close(fd);
	}
	judge_pidfile(in, &note, false, holder == HOLDER_HIDDEN, v);
	if (holder == HOLDER_HIDDEN) {
		/* the lock of another user: only the name is left to go by */
		v->error = error;
		if (v->kind != VERDICT_RUNNING_NAME) {
			v->kind = VERDICT_UNKNOWN;
			v->pid = 0;
		}
	}
}

/* ---- the claim ---- */

/*
 * A process that was killed keeps its lock until the kernel has taken it apart,
 * and one that was told to stop until it has logged out.
 */
static int take_patiently(const struct instance *in, pid_t *holder)
{
	int64_t until = clock_ms() + CLAIM_WAIT_MS;
	int lock;

	while ((lock = lock_take(&in->dir, holder)) < 0 && *holder >= 0 && clock_ms() < until)
		poll(NULL, 0, CLAIM_LOOK_MS);
	return lock;
}

bool instance_claim(struct instance *in, struct verdict *v, char *why, size_t size)
{
	struct note note;
	pid_t holder;

	memset(v, 0, sizeof(*v));
	in->lock = take_patiently(in, &holder);
	if (in->lock < 0 && holder >= 0) {
		holder_verdict(v, holder);
		return false;
	}
	if (in->lock < 0) {
		v->kind = VERDICT_UNKNOWN;
		v->error = errno;
		explain(why, size, in, LOCK_FILE,
			errno == EACCES || errno == EPERM
				? "Permission denied: it belongs to another user, or the directory "
				  "does; set NUT_ALTPIDPATH to a directory of your own"
				: strerror(errno));
		return false;
	}
	note = read_note(in->lock);
	judge_pidfile(in, &note, true, false, v);
	if (v->kind != VERDICT_RUNNING_NAME) {
		/* the pidfile that was read may have been the lock under another name */
		if (lock_retake(in->lock))
			return true;
		holder_verdict(v, lock_rival(in->lock));
	}
	close(in->lock);
	in->lock = -1;
	return false;
}

bool instance_adopt(struct instance *in, int lock)
{
	in->pid_written = read_pidfile(in, &in->pid_file) == getpid();
	if (fcntl(lock, F_SETFD, FD_CLOEXEC) < 0 || !lock_retake(lock)) {
		in->pid_written = false;
		return false;
	}
	in->lock = lock;
	return true;
}

/* The pidfile is the one that was written, and nobody has written to it since. */
static bool is_written(const struct instance *in)
{
	struct stat st;

	return fstatat(in->dir.fd, PID_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       file_is_unchanged(&in->pid_file, &st);
}

enum claim instance_check(struct instance *in, struct verdict *v, char *why, size_t size)
{
	struct instance fresh;
	pid_t holder;

	/*
	 * Whoever renames files at the right moment can make us open and close the
	 * lock, which drops it: so it is taken again each time.
	 */
	if (!lock_retake(in->lock)) {
		holder_verdict(v, lock_rival(in->lock));
		return CLAIM_LOST;
	}
	if (in->pid_written && !is_written(in))
		in->pid_written = false;
	if (rundir_is_current(&in->dir) && lock_is_named(&in->dir, in->lock))
		return CLAIM_KEPT;
	/* the directory may have been made anew, too */
	if (!instance_open(&fresh, in->dir.path, why, size))
		return CLAIM_UNSURE;
	fresh.lock = lock_take(&fresh.dir, &holder);
	if (fresh.lock < 0) {
		explain(why, size, in, LOCK_FILE, strerror(errno));
		rundir_close(&fresh.dir);
		if (holder < 0)
			return CLAIM_UNSURE;
		holder_verdict(v, holder);
		return CLAIM_LOST;
	}
	close(in->lock);
	rundir_close(&in->dir);
	*in = fresh;
	/* it may have been the same file, whose name had come back */
	if (lock_retake(in->lock))
		return CLAIM_RENEWED;
	holder_verdict(v, lock_rival(in->lock));
	return CLAIM_LOST;
}

void instance_release(struct instance *in)
{
	struct stat st;

	if (in->pid_written && read_pidfile(in, &st) == getpid())
		rundir_remove(&in->dir, PID_FILE);
	in->pid_written = false;
	if (in->lock >= 0)
		close(in->lock);
	in->lock = -1;
}

ssize_t instance_read(const struct instance *in, const char *name, char *text, size_t size)
{
	struct stat lock;

	/* the daemon's own: what another user has put there says nothing */
	if (fstatat(in->dir.fd, LOCK_FILE, &lock, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return rundir_read(&in->dir, name, geteuid() == 0 ? 0 : lock.st_uid, text, size);
}

void instance_forget(struct instance *in)
{
	if (in->lock >= 0)
		close(in->lock);
	rundir_close(&in->dir);
	in->lock = -1;
	in->pid_written = false;
}
