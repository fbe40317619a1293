/* SPDX-License-Identifier: ISC */
#include "identity/monitor_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int monitor_lock_make(const struct rundir *d, uid_t uid, gid_t gid)
{
	int fd, error;

	if (!rundir_clear(d, MONITOR_LOCK_FILE))
		return -1;
	fd = openat(d->fd, MONITOR_LOCK_FILE,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || fchown(fd, uid, gid) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}
