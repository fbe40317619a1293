/* SPDX-License-Identifier: ISC */
#include "identity/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

/* linux/magic.h, which not every toolchain ships */
#define MAGIC_TMPFS 0x01021994
#define MAGIC_RAMFS 0x858458f6

/* A claim takes well below a millisecond; twenty of them wait for each other. */
#define ENTER_WAIT_MS 1000
#define ENTER_LOOK_MS 2

#define NAME_BYTES 64
#define AWAY_TRIES 100

bool rundir_open(struct rundir *d, const char *path, char *why, size_t size)
{
	const char *what;
	int error;

	d->path = path;
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd >= 0)
		return true;
	error = errno;
	if (error == ENOENT)
		what = "the directory for the pidfile does not exist; create it (mkdir -p) or set "
		       "NUT_PIDPATH (NUT_ALTPIDPATH when not root)";
	else if (error == ENOTDIR)
		what = "the place for the pidfile is not a directory; set NUT_PIDPATH "
		       "(NUT_ALTPIDPATH when not root)";
	else
		what = strerror(error);
	snprintf(why, size, "%s: %s", path, what);
	errno = error;
	return false;
}

void rundir_close(struct rundir *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

bool rundir_is_current(const struct rundir *d)
{
	struct stat ours, named;

	return fstat(d->fd, &ours) == 0 && stat(d->path, &named) == 0 &&
	       file_is_same(&ours, &named);
}

bool rundir_is_volatile(const struct rundir *d)
{
	struct statfs fs;

	/* compared as 32 bits: f_type is a signed long on some machines */
	return fstatfs(d->fd, &fs) == 0 && ((unsigned int)fs.f_type == MAGIC_TMPFS ||
					    (unsigned int)fs.f_type == MAGIC_RAMFS);
}

bool rundir_enter(const struct rundir *d)
{
	int64_t until = clock_ms() + ENTER_WAIT_MS;

	while (flock(d->fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || clock_ms() >= until)
			return false;
		poll(NULL, 0, ENTER_LOOK_MS);
	}
	return true;
}

void rundir_leave(const struct rundir *d)
{
	flock(d->fd, LOCK_UN);
}

/* A file with a second name may be the lock, and closing that would drop it. */
static bool is_plain(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink == 1;
}

int rundir_open_file(const struct rundir *d, const char *name, struct stat *st)
{
	int fd;

	/* looked at before it is opened, because opening a device may do something */
	if (fstatat(d->fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (!is_plain(st)) {
		errno = EINVAL;
		return -1;
	}
	fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || (fstat(fd, st) == 0 && is_plain(st)))
		return fd;
	/* exchanged between the two looks: left open, since it may be the lock */
	errno = EINVAL;
	return -1;
}

ssize_t rundir_read(const struct rundir *d, const char *name, uid_t owner, char *text, size_t size)
{
	struct stat st;
	ssize_t len = -1;
	int fd = rundir_open_file(d, name, &st);

	if (fd < 0)
		return -1;
	if (st.st_uid == owner)
		len = read(fd, text, size - 1);
	close(fd);
	if (len >= 0)
		text[len] = '\0';
	return len;
}

static void fresh_name(char *out, const char *name)
{
	snprintf(out, NAME_BYTES, "%s.new", name);
}

bool rundir_prepare(const struct rundir *d, const char *name, const char *text, size_t len,
		    struct stat *st)
{
	char fresh[NAME_BYTES];
	bool written;
	int fd, error;

	fresh_name(fresh, name);
	/* one of an earlier start, or planted */
	if (!rundir_clear(d, fresh))
		return false;
	fd = openat(d->fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return false;
	errno = ENOSPC; /* for a short write, which sets none */
	/* whatever the umask: everybody may read it */
	written = write(fd, text, len) == (ssize_t)len && fchmod(fd, 0644) == 0 &&
		  fstat(fd, st) == 0;
	error = errno;
	if (close(fd) == 0 && written)
		return true;
	if (!written)
		errno = error;
	error = errno;
	(void)unlinkat(d->fd, fresh, 0);
	errno = error;
	return false;
}

bool rundir_commit(const struct rundir *d, const char *name)
{
	char fresh[NAME_BYTES];
	int error;

	fresh_name(fresh, name);
	if (renameat(d->fd, fresh, d->fd, name) == 0)
		return true;
	/* a directory was planted: nothing else resists a rename */
	if (errno == EISDIR && rundir_clear(d, name) &&
	    renameat(d->fd, fresh, d->fd, name) == 0)
		return true;
	error = errno;
	(void)unlinkat(d->fd, fresh, 0);
	errno = error;
	return false;
}

bool rundir_replace(const struct rundir *d, const char *name, const char *text, size_t len)
{
	struct stat st;

	return rundir_prepare(d, name, text, len, &st) && rundir_commit(d, name);
}

void rundir_remove(const struct rundir *d, const char *name)
{
	(void)unlinkat(d->fd, name, 0);
}

bool rundir_clear(const struct rundir *d, const char *name)
{
	char away[NAME_BYTES];

	if (unlinkat(d->fd, name, 0) == 0 || errno == ENOENT)
		return true;
	/* POSIX has EPERM for a directory */
	if (errno != EISDIR && errno != EPERM)
		return false;
	if (unlinkat(d->fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return true;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return false;
	for (int tries = 0; tries < AWAY_TRIES; tries++) {
		/* nobody has guessed and taken all the names of a second */
		snprintf(away, sizeof(away), "%s.away.%09ld", name, clock_now().tv_nsec);
		if (renameat(d->fd, name, d->fd, away) == 0)
			return true;
	}
	return false;
}
