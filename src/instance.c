/* SPDX-License-Identifier: ISC */
#include "instance.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "options.h"

#define LOCK_FILE "upsmon.lock"
#define PID_FILE "upsmon.pid"

/* Somebody who keeps replacing the lock file must not keep us here. */
#define CLAIM_TRIES 10

/*
 * With 32-bit offsets some kernels and libcs disagree about struct flock (mips
 * and uClibc-ng do: F_GETLK then says pid 0 for every holder).
 */
_Static_assert(sizeof(off_t) == 8, "compile with -D_FILE_OFFSET_BITS=64");

/* linux/magic.h, which not every toolchain ships */
#define MAGIC_TMPFS 0x01021994
#define MAGIC_RAMFS 0x858458f6

static bool explain(char *why, size_t size, const char *dir, const char *file, const char *what)
{
	int error = errno;

	snprintf(why, size, "%s%s%s: %s", dir, *file ? "/" : "", file, what);
	errno = error;
	return false;
}

bool instance_open(struct instance *in, const char *dir, char *why, size_t size)
{
	memset(in, 0, sizeof(*in));
	in->lock = -1;
	in->dir_name = dir;
	in->proc_root = PROC_ROOT;
	in->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (in->dir >= 0)
		return true;
	/* errno stays: the caller may want to know, too */
	if (errno == ENOENT)
		return explain(why, size, dir, "",
			       "the directory for the pidfile does not exist; create it (mkdir -p) "
			       "or set NUT_PIDPATH (NUT_ALTPIDPATH when not root)");
	if (errno == ENOTDIR)
		return explain(why, size, dir, "",
			       "the place for the pidfile is not a directory; set NUT_PIDPATH "
			       "(NUT_ALTPIDPATH when not root)");
	return explain(why, size, dir, "", strerror(errno));
}

bool instance_is_volatile(const struct instance *in)
{
	struct statfs fs;

	/* compared as 32 bits: f_type is a signed long on some machines */
	return fstatfs(in->dir, &fs) == 0 && ((unsigned int)fs.f_type == MAGIC_TMPFS ||
					      (unsigned int)fs.f_type == MAGIC_RAMFS);
}

static struct flock whole_file(short type)
{
	struct flock fl;

	memset(&fl, 0, sizeof(fl));
	fl.l_type = type;
	fl.l_whence = SEEK_SET;
	return fl;
}

/* One decimal number and nothing else; -1 for anything different. */
static pid_t read_number(int fd)
{
	char text[32];
	char *end;
	long number;
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	if (len <= 0 || text[0] < '0' || text[0] > '9')
		return -1;
	text[len] = '\0';
	errno = 0;
	number = strtol(text, &end, 10);
	if (*end == '\n')
		end++;
	return errno || *end || number < 1 || number > INT_MAX ? -1 : (pid_t)number;
}

/* The pidfile's number; 0: there is no pidfile, -1: it holds none. */
static pid_t read_pidfile(const struct instance *in)
{
	int fd = openat(in->dir, PID_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	pid_t pid = -1;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		pid = read_number(fd);
	close(fd);
	return pid;
}

/* Our own pid, or a process that started us: the script that init ran, say. */
static bool is_self(const struct instance *in, pid_t pid)
{
	struct proc p;
	pid_t ancestor = getpid();

	if (pid == getppid())
		return true;
	for (int depth = 0; ancestor > 0 && depth < 32; depth++) {
		if (pid == ancestor)
			return true;
		procname_check(in->proc_root, ancestor, PROGRAM_NAME, &p);
		ancestor = p.parent;
	}
	return false;
}

/*
 * What the pidfile is worth once it is known that nobody holds the lock.
 * `noted` is the pid that the lock's last owner wrote: where the pidfile has
 * the same one, it was left by a nutlet whose lock is free, and whoever has
 * the number now is a stranger even if he is called upsmon.
 */
static void judge_pidfile(const struct instance *in, pid_t noted, bool starting, struct verdict *v)
{
	struct proc p;

	memset(v, 0, sizeof(*v));
	v->pid = read_pidfile(in);
	if (v->pid == 0) {
		v->kind = VERDICT_FREE;
		return;
	}
	if (v->pid < 0) {
		v->pid = 0;
		v->kind = VERDICT_STALE_EMPTY;
		return;
	}
	if (starting && is_self(in, v->pid)) {
		v->kind = VERDICT_STALE_SELF;
		return;
	}
	switch (procname_check(in->proc_root, v->pid, PROGRAM_NAME, &p)) {
	case PROC_MATCH:
		v->kind = v->pid == noted ? VERDICT_STALE_OTHER : VERDICT_RUNNING_NAME;
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

/*
 * Opens the lock file, which must be a plain file of our own with one name.
 * Anything else was planted and is moved out of the way: unlinking a name in
 * this directory touches nothing outside of it.  -1 with errno set.
 */
static int open_lock(const struct instance *in)
{
	struct stat st;
	int fd = openat(in->dir, LOCK_FILE,
			O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    st.st_nlink == 1) {
		if ((st.st_mode & 0777) != 0600)
			(void)fchmod(fd, 0600);
		return fd;
	}
	if (fd < 0 && errno != ELOOP && errno != ENXIO && errno != EISDIR)
		return -1;
	if (fd >= 0)
		close(fd);
	if (unlinkat(in->dir, LOCK_FILE, 0) < 0 && errno != ENOENT)
		return -1;
	errno = EAGAIN;
	return -1;
}

/* The lock is on the file that has the name now, not on one that was replaced. */
static bool still_named(const struct instance *in, int fd)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 &&
	       fstatat(in->dir, LOCK_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_ino == named.st_ino && ours.st_dev == named.st_dev;
}

static bool claim_lock(struct instance *in, struct verdict *v)
{
	for (int tries = 0; tries < CLAIM_TRIES; tries++) {
		struct flock fl = whole_file(F_WRLCK);
		int fd = open_lock(in);

		if (fd < 0 && errno == EAGAIN)
			continue;
		if (fd < 0)
			return false;
		if (fcntl(fd, F_SETLK, &fl) == 0) {
			if (still_named(in, fd)) {
				in->lock = fd;
				return true;
			}
		} else if (errno == EACCES || errno == EAGAIN) {
			fl = whole_file(F_WRLCK);
			/* gone between the two calls: try again */
			if (fcntl(fd, F_GETLK, &fl) == 0 && fl.l_type != F_UNLCK) {
				v->kind = VERDICT_RUNNING_LOCK;
				v->pid = fl.l_pid > 0 ? fl.l_pid : 0;
				close(fd);
				return false;
			}
		} else {
			int error = errno;

			close(fd);
			errno = error;
			return false;
		}
		close(fd);
	}
	errno = EBUSY;
	return false;
}

bool instance_claim(struct instance *in, struct verdict *v, char *why, size_t size)
{
	memset(v, 0, sizeof(*v));
	v->kind = VERDICT_UNKNOWN;
	if (!claim_lock(in, v)) {
		if (v->kind == VERDICT_RUNNING_LOCK)
			return false;
		v->error = errno;
		if (errno == EACCES)
			return explain(why, size, in->dir_name, LOCK_FILE,
				       "Permission denied: it belongs to another user, or the "
				       "directory does; set NUT_ALTPIDPATH to a directory of your own");
		return explain(why, size, in->dir_name, LOCK_FILE, strerror(errno));
	}
	judge_pidfile(in, read_number(in->lock), true, v);
	if (v->kind != VERDICT_RUNNING_NAME)
		return true;
	close(in->lock);
	in->lock = -1;
	return false;
}

pid_t instance_holder(const struct instance *in)
{
	struct flock fl = whole_file(F_WRLCK);
	int fd = openat(in->dir, LOCK_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	pid_t holder = -2;

	if (fd < 0)
		return errno == ENOENT ? -1 : -2;
	if (fcntl(fd, F_GETLK, &fl) == 0) {
		if (fl.l_type == F_UNLCK)
			holder = -1;
		else
			holder = fl.l_pid > 0 ? fl.l_pid : 0;
	}
	close(fd);
	return holder;
}

static pid_t read_note(const struct instance *in)
{
	int fd = openat(in->dir, LOCK_FILE, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	pid_t noted = fd < 0 ? -1 : read_number(fd);

	if (fd >= 0)
		close(fd);
	return noted;
}

void instance_query(struct instance *in, struct verdict *v)
{
	pid_t holder = instance_holder(in);
	int error = errno;

	judge_pidfile(in, holder == -1 ? read_note(in) : -1, false, v);
	if (holder >= 0) {
		v->kind = VERDICT_RUNNING_LOCK;
		v->pid = holder;
	} else if (holder == -2) {
		/* the lock of another user: only the name is left to go by */
		v->error = error;
		if (v->kind != VERDICT_RUNNING_NAME) {
			v->kind = VERDICT_UNKNOWN;
			v->pid = 0;
		}
	}
}

/* Under a temporary name, which may have been planted, and then renamed. */
bool instance_replace(const struct instance *in, const char *name, const char *text, size_t len)
{
	char fresh[64];
	bool written;
	int fd, error;

	snprintf(fresh, sizeof(fresh), "%s.new", name);
	if (unlinkat(in->dir, fresh, 0) < 0 && errno != ENOENT)
		return false;
	fd = openat(in->dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	/* whatever the umask: everybody may read it */
	written = fchmod(fd, 0644) == 0 && write(fd, text, len) == (ssize_t)len;
	error = errno;
	if (close(fd) == 0 && written && renameat(in->dir, fresh, in->dir, name) == 0)
		return true;
	if (!written)
		errno = error ? error : ENOSPC;
	error = errno;
	(void)unlinkat(in->dir, fresh, 0);
	errno = error;
	return false;
}

void instance_remove(const struct instance *in, const char *name)
{
	(void)unlinkat(in->dir, name, 0);
}

ssize_t instance_read(const struct instance *in, const char *name, char *text, size_t size)
{
	int fd = openat(in->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st, lock;
	ssize_t len = -1;

	if (fd < 0)
		return -1;
	/* the daemon's own: what another user has put there says nothing */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    fstatat(in->dir, LOCK_FILE, &lock, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_uid == lock.st_uid)
		len = read(fd, text, size - 1);
	close(fd);
	if (len >= 0)
		text[len] = '\0';
	return len;
}

bool instance_write_pid(struct instance *in, char *why, size_t size)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	/* the note first: a pidfile without its note would be judged by name */
	if (ftruncate(in->lock, 0) < 0 || pwrite(in->lock, text, (size_t)len, 0) != len)
		return explain(why, size, in->dir_name, LOCK_FILE, strerror(errno));
	in->pid_written = instance_replace(in, PID_FILE, text, (size_t)len);
	if (!in->pid_written)
		explain(why, size, in->dir_name, PID_FILE, strerror(errno));
	return in->pid_written;
}

void instance_release(struct instance *in)
{
	if (in->pid_written && read_pidfile(in) == getpid())
		(void)unlinkat(in->dir, PID_FILE, 0);
	in->pid_written = false;
	if (in->lock >= 0)
		close(in->lock);
	in->lock = -1;
}

void instance_forget(struct instance *in)
{
	if (in->lock >= 0)
		close(in->lock);
	close(in->dir);
	in->lock = -1;
	in->dir = -1;
	in->pid_written = false;
}
