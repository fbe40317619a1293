/* SPDX-License-Identifier: ISC */
#include "identity/by_name.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "identity/instance.h"
#include "options.h"

/* A guard opens directory and lock first of all: they are among the lowest descriptors. */
#define FD_MAX 32

#define PATH_BYTES 96

/* <root>/<pid>/<file> and the same of this process lead to one and the same thing. */
static bool same_thing(const char *root, pid_t pid, const char *file, bool unknown)
{
	char path[PATH_BYTES];
	struct stat theirs, ours;

	snprintf(path, sizeof(path), "%s/%d/%s", root, (int)pid, file);
	if (stat(path, &theirs) < 0)
		return unknown;
	snprintf(path, sizeof(path), "%s/self/%s", root, file);
	if (stat(path, &ours) < 0)
		return unknown;
	return file_is_same(&theirs, &ours);
}

/* What a process has of a lock, by its open files. */
enum its_lock {
	LOCK_NONE,
	LOCK_ELSEWHERE,	/* it is a nutlet, of another directory */
	LOCK_SPOILT,	/* it is the nutlet of this directory; somebody renamed or linked its lock */
};

static enum its_lock its_lock(const struct by_name *l, pid_t pid)
{
	static const char name[] = "/" LOCK_FILE;
	bool has_lock = false, spoilt = false, has_dir = false;
	struct stat dir, st;

	if (fstat(l->dir, &dir) < 0)
		return LOCK_NONE;
	for (int fd = 0; fd < FD_MAX; fd++) {
		char path[PATH_BYTES], target[256];
		const char *end;
		ssize_t len;

		snprintf(path, sizeof(path), "%s/%d/fd/%d", l->root, (int)pid, fd);
		len = readlink(path, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = '\0';
		end = strstr(target, name);
		if (end && strcmp(end + strlen(name), " (deleted)") == 0)
			spoilt = true;
		else if (end && end[strlen(name)] == '\0')
			has_lock = true;
		if (stat(path, &st) < 0)
			continue;
		if (file_is_same(&st, &dir))
			has_dir = true;
		else if (end && st.st_nlink != 1)
			spoilt = true;
	}
	if (spoilt && has_dir)
		return LOCK_SPOILT;
	return spoilt || has_lock ? LOCK_ELSEWHERE : LOCK_NONE;
}

bool by_name_may_be(const struct by_name *l, pid_t pid, const struct proc *p)
{
	struct proc parent;
	enum its_lock lock = its_lock(l, pid);
	bool child = p->parent > 0 &&
		     procname_check(l->root, p->parent, PROGRAM_NAME, &parent) == PROC_MATCH;

	if (lock == LOCK_NONE && child)
		lock = its_lock(l, p->parent);
	if (lock != LOCK_NONE)
		return lock == LOCK_SPOILT;
	if (same_thing(l->root, pid, "exe", false) || !same_thing(l->root, pid, "ns/pid", true))
		return false;
	if (l->any_uid || !p->uid_known || p->uid == l->uid)
		return true;
	return child && (!parent.uid_known || parent.uid == l->uid);
}
