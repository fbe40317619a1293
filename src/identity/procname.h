/* SPDX-License-Identifier: ISC */
/*
 * procname.h - which process has this number: its name, as the kernel tells it.
 *
 * Guarantee: PROC_MATCH and PROC_MISMATCH were read from the kernel for a
 * process that had this number at that moment and was not a zombie, in a /proc
 * that counts processes as we do.  On Linux all of *found is of that one
 * process, even if its number is reused while it is being read.  PROC_GONE comes
 * from the kernel, too: a number that /proc merely does not show (no /proc,
 * hidepid) is PROC_UNKNOWN.
 *
 * Limits:
 *   - The name is cut at 15 characters, and a process can choose its own.  The
 *     name protects from a reused number, not from an attacker; and the number
 *     may be reused right after.  A caller that needs more uses the lock
 *     (instance.h) and a pidfd.
 *   - A /proc of another pid namespace is recognized because it gives us another
 *     number, so not where that number happens to be the same.  Solaris has no
 *     such link, so nothing is checked there.
 *   - A process whose first thread has ended counts as gone, as a zombie does.
 *   - If a number is reused between two reads, kernels other than Linux may give
 *     us a mixture of both owners.
 *   - FreeBSD shows no zombies (unknown), and NetBSD without its Linux files
 *     does not tell which ones are.
 *
 * The readers behind it (proc_reader.h) can be left out one by one (options.h).
 * The root of /proc is an argument so that tests can bring their own.
 */
#ifndef PROCNAME_H
#define PROCNAME_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PROC_ROOT "/proc"
#define PROC_NAME_MAX 16

enum proc_answer {
	PROC_MATCH,	/* it has the name */
	PROC_MISMATCH,	/* it has another name */
	PROC_GONE,	/* nobody has the number, or a zombie has it */
	PROC_UNKNOWN,	/* it cannot be told; errno says why */
};

/*
 * Why PROC_UNKNOWN: ENOENT /proc is not there or hides the process, EPERM or
 * EACCES it may not be read, EXDEV it is another pid namespace's /proc, EBADMSG
 * none of its files is understood, ENOSYS every reader was left out.
 */

struct proc {
	char name[PROC_NAME_MAX];	/* printable; "" if unknown */
	uint64_t start;			/* in the kernel's own unit, to be compared; 0 if unknown */
	pid_t parent;			/* 0 if unknown */
	uid_t uid;			/* effective; as our own user namespace has it */
	bool uid_known;
};

/* Fills *found as far as it can be read, whatever the answer. */
enum proc_answer procname_check(const char *root, pid_t pid, const char *want, struct proc *found);

/* For people: what such an errno value means here, and of others what it always does. */
const char *procname_error(int error);

#endif
