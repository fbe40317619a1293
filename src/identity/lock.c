/* SPDX-License-Identifier: ISC */
#include "identity/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

/* Somebody who keeps replacing the file must not keep us here. */
#define TRIES 10

/*
 * With 32-bit offsets some kernels and libcs disagree about struct flock (mips
 * and uClibc-ng do: F_GETLK then says pid 0 for every holder).
 */
_Static_assert(sizeof(off_t) == 8, "compile with -D_FILE_OFFSET_BITS=64");

static void close_keeping_errno(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
}

static bool is_ours(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() && st->st_nlink == 1;
}

/* Opens or makes the file.  -1 with errno EAGAIN: what was there is away, try again. */
static int open_ours(const struct rundir *d)
{
	struct stat st;
	int fd = openat(d->fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
			0600);

	if (fd >= 0 && fstat(fd, &st) == 0 && is_ours(&st)) {
		if ((st.st_mode & 0777) != 0600)
			(void)fchmod(fd, 0600);
		return fd;
	}
	/* errors that a plain file does not make: a link, a FIFO or socket, a directory */
	if (fd < 0 && errno != ELOOP && errno != ENXIO && errno != EISDIR)
		return -1;
	close_keeping_errno(fd);
	if (rundir_clear(d, LOCK_FILE))
		errno = EAGAIN;
	return -1;
}

/* Who keeps us from the lock of this file: a pid, HOLDER_FOREIGN, HOLDER_NONE or HOLDER_HIDDEN. */
static pid_t ask(int fd, bool *read_lock)
{
	struct flock fl = file_lock_of(F_WRLCK);

	*read_lock = false;
	if (fcntl(fd, F_GETLK, &fl) < 0)
		return HOLDER_HIDDEN;
	if (fl.l_type == F_UNLCK)
		return HOLDER_NONE;
	*read_lock = fl.l_type == F_RDLCK;
	if (*read_lock)
		return HOLDER_NONE;
	return fl.l_pid > 0 ? fl.l_pid : HOLDER_FOREIGN;
}

static int take(const struct rundir *d, pid_t *holder)
{
	for (int tries = 0; tries < TRIES; tries++) {
		bool read_lock;
		int fd = open_ours(d);

		*holder = HOLDER_NONE;
		if (fd < 0 && errno == EAGAIN)
			continue;
		if (fd < 0)
			return -1;
		if (lock_retake(fd)) {
			if (lock_is_named(d, fd))
				return fd;
		} else if (errno == EACCES || errno == EAGAIN) {
			*holder = ask(fd, &read_lock);
			/* somebody could read the file once, and still has it open */
			if (read_lock && !rundir_clear(d, LOCK_FILE)) {
				close_keeping_errno(fd);
				return -1;
			}
			/* HOLDER_NONE: gone between the two calls */
			if (*holder >= 0) {
				close(fd);
				return -1;
			}
		} else {
			close_keeping_errno(fd);
			return -1;
		}
		close(fd);
	}
	*holder = HOLDER_NONE;
	errno = EBUSY;
	return -1;
}

int lock_take(const struct rundir *d, pid_t *holder)
{
	/*
	 * One at a time: between the look at a planted file and its removal, another
	 * start may have put a good one in its place, and hold it.
	 */
	bool alone = rundir_enter(d);
	int fd = take(d, holder);
	int error = errno;

	if (alone)
		rundir_leave(d);
	errno = error;
	return fd;
}

bool lock_retake(int fd)
{
	return file_lock(fd, F_WRLCK);
}

pid_t lock_rival(int fd)
{
	bool read_lock;

	return ask(fd, &read_lock);
}

bool lock_is_named(const struct rundir *d, int fd)
{
	struct stat ours, named;

	return fstat(fd, &ours) == 0 && ours.st_nlink == 1 &&
	       fstatat(d->fd, LOCK_FILE, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       file_is_same(&ours, &named);
}

pid_t lock_holder(const struct rundir *d, const char *name)
{
	int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	pid_t holder = HOLDER_NONE;
	struct stat st;
	bool read_lock;

	if (fd < 0) {
		/* no file, or none that can be a lock */
		if (errno == ENOENT || errno == ELOOP || errno == ENXIO)
			return HOLDER_NONE;
		return HOLDER_HIDDEN;
	}
	if (fstat(fd, &st) == 0 && is_ours(&st)) {
		holder = ask(fd, &read_lock);
	} else if (geteuid() != 0) {
		/* another user's upsmon may hold it; what holds for root is root's alone */
		errno = EACCES;
		holder = HOLDER_HIDDEN;
	}
	close_keeping_errno(fd);
	return holder;
}
