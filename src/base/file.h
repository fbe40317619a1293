/* SPDX-License-Identifier: ISC */
/* file.h - is this still the same file?  Decided by what stat(2) says. */
#ifndef FILE_H
#define FILE_H

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* One and the same file, whatever its names. */
static inline bool file_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* And nobody has written to it between the two looks. */
static inline bool file_is_unchanged(const struct stat *then, const struct stat *now)
{
	return file_is_same(then, now) && now->st_size == then->st_size &&
	       now->st_mtim.tv_sec == then->st_mtim.tv_sec &&
	       now->st_mtim.tv_nsec == then->st_mtim.tv_nsec;
}

/* An fcntl lock on all of a file: F_WRLCK or F_UNLCK. */
static inline struct flock file_lock_of(short type)
{
	struct flock fl;

	memset(&fl, 0, sizeof(fl));
	fl.l_type = type;
	fl.l_whence = SEEK_SET;
	return fl;
}

/* Sets it without waiting.  False with errno set. */
static inline bool file_lock(int fd, short type)
{
	struct flock fl = file_lock_of(type);

	return fcntl(fd, F_SETLK, &fl) == 0;
}

#endif
