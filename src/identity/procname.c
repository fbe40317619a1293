/* SPDX-License-Identifier: ISC */
#include "identity/procname.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "identity/proc_reader.h"
#include "options.h"

/*
 * A folder is opened to look things up in, not to list it, which Solaris
 * allows to the process's owner only.  Where there is no way to say so, it is
 * opened for reading.
 */
#if defined(O_PATH)
#define OPEN_FOLDER (O_PATH | O_DIRECTORY | O_CLOEXEC)
#elif defined(O_SEARCH)
#define OPEN_FOLDER (O_SEARCH | O_DIRECTORY | O_CLOEXEC)
#else
#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

#if PROC_COMM
/* The minimal reader: the name and a newline, and nothing else. */
static bool read_comm(int dir, struct proc_found *f)
{
	char text[64];
	ssize_t len = proc_read_file(dir, "comm", text, sizeof(text));

	if (len < 0)
		return false;
	/* the name may end in a newline of its own: only the last one is not part of it */
	if (text[len - 1] == '\n')
		len--;
	proc_keep_name(f, text, (size_t)len);
	return true;
}
#endif

static proc_reader *const readers[] = {
#if PROC_COMM
	read_comm,
#endif
#if PROC_STAT
	proc_stat_read,
#endif
#if PROC_STATUS
	proc_status_read,
#endif
#if PROC_BSD
	proc_bsd_read,
#endif
#if PROC_PSINFO
	proc_psinfo_read,
#endif
	NULL,
};

ssize_t proc_read_file(int dir, const char *file, char *text, size_t size)
{
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int error;
	ssize_t len;

	if (fd < 0)
		return -1;
	len = read(fd, text, size - 1);
	error = len == 0 ? EBADMSG : errno;
	close(fd);
	errno = error;
	if (len <= 0)
		return -1;
	text[len] = '\0';
	return len;
}

void proc_keep_name(struct proc_found *f, const char *name, size_t len)
{
	char *kept = f->proc->name;

	if (len >= sizeof(f->proc->name))
		len = sizeof(f->proc->name) - 1;
	for (size_t i = 0; i < len; i++) {
		kept[i] = name[i];
		if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
			kept[i] = '?';
	}
	kept[len] = '\0';
}

/*
 * A /proc that was mounted in another pid namespace shows other processes
 * under these numbers.  It has a link to whoever reads it: self, or curproc on
 * FreeBSD.  No link at all is no /proc; a self that is not a link is Solaris's,
 * and cannot be checked.
 */
static bool is_ours(int proc)
{
	char link[16], own[16];
	ssize_t len = readlinkat(proc, "self", link, sizeof(link));

	if (len < 0 && errno == ENOENT)
		len = readlinkat(proc, "curproc", link, sizeof(link));
	if (len < 0)
		return errno == EINVAL;
	snprintf(own, sizeof(own), "%d", (int)getpid());
	errno = EXDEV;
	return (size_t)len == strlen(own) && memcmp(link, own, (size_t)len) == 0;
}

/*
 * The process's folder, held open: on Linux it stays that of the process which
 * had the number now, and is empty as soon as that one is gone.
 */
static int open_folder(const char *root, pid_t pid)
{
	int proc = open(root, OPEN_FOLDER);
	char number[16];
	int dir = -1;
	int error;

	if (proc < 0)
		return -1;
	if (is_ours(proc)) {
		snprintf(number, sizeof(number), "%d", (int)pid);
		dir = openat(proc, number, OPEN_FOLDER);
	}
	error = errno;
	close(proc);
	errno = error;
	return dir;
}

/* Asks every reader: none tells all.  False, with errno set, if none tells the name. */
static bool ask_readers(int dir, struct proc_found *f)
{
	proc_reader *first = NULL;
	struct proc unused;
	struct proc_found again = { .proc = &unused, .pid = f->pid };
	bool missing = false;
	int error = ENOENT;

	for (size_t i = 0; readers[i]; i++) {
		if (readers[i](dir, f)) {
			if (!first)
				first = readers[i];
			continue;
		}
		missing = true;
		/* that a file is missing says less than why another cannot be read */
		if (errno != ENOENT)
			error = errno;
	}
	errno = error;
	if (!first || !missing)
		return first != NULL;
	/* this kernel has no such file, or the process went away meanwhile */
	return first(dir, &again);
}

static bool read_process(const char *root, struct proc_found *f)
{
	bool read;
	int error, dir;

	if (!readers[0]) {
		errno = ENOSYS;
		return false;
	}
	dir = open_folder(root, f->pid);
	if (dir < 0)
		return false;
	read = ask_readers(dir, f);
	error = errno;
	close(dir);
	errno = error;
	return read;
}

/*
 * /proc shows nothing of the process.  That alone does not say that it is
 * gone: with hidepid, or without /proc, it may well be there.  The kernel
 * knows; signal 0 asks and sends nothing.
 */
static enum proc_answer ask_kernel(pid_t pid)
{
	int error = errno;

	if (kill(pid, 0) < 0 && errno == ESRCH)
		return PROC_GONE;
	errno = error;
	return PROC_UNKNOWN;
}

enum proc_answer procname_check(const char *root, pid_t pid, const char *want, struct proc *found)
{
	struct proc_found f = { .proc = found, .pid = pid };
	char name[PROC_NAME_MAX];

	memset(found, 0, sizeof(*found));
	/* nobody's number; kill() takes it for that of a group */
	if (pid <= 0)
		return PROC_GONE;
	if (!read_process(root, &f))
		return ask_kernel(pid);
	/* x was Linux's X for some years */
	if (f.state == 'Z' || f.state == 'X' || f.state == 'x')
		return PROC_GONE;
	snprintf(name, sizeof(name), "%s", want);
	return strcmp(found->name, name) == 0 ? PROC_MATCH : PROC_MISMATCH;
}

const char *procname_error(int error)
{
	if (error == ENOENT)
		return "/proc is not mounted, or hides it";
	if (error == EXDEV)
		return "the /proc here is of another pid namespace";
	if (error == EBADMSG)
		return "what /proc says of it is not understood";
	return strerror(error);
}
