/* SPDX-License-Identifier: ISC */
/*
 * procname.h - what process has this number: the minimal /proc/<pid>/comm reader.
 *
 * Guarantee: PROC_MATCH and PROC_MISMATCH were read from the kernel for a
 * process that had this number at that moment and was not a zombie.
 *
 * Limits: the name is cut at 15 characters, and a process can choose its own.
 * It protects from a number that was given to somebody else, not from an
 * attacker; and the number may change hands right after.  Who needs more takes
 * the lock (instance.h) and a pidfd.
 *
 * The root of /proc is an argument so that tests can bring their own.
 */
#ifndef PROCNAME_H
#define PROCNAME_H

#include <stdint.h>
#include <sys/types.h>

#define PROC_ROOT "/proc"
#define PROC_NAME_MAX 16

enum proc_answer {
	PROC_MATCH,	/* it has the name */
	PROC_MISMATCH,	/* it has another name */
	PROC_GONE,	/* nobody has the number, or a zombie has it */
	PROC_UNKNOWN,	/* it cannot be told: no /proc, hidepid; errno says why */
};

struct proc {
	char name[PROC_NAME_MAX];	/* printable; "" if unknown */
	uint64_t start;			/* clock ticks after boot; 0 if unknown */
	pid_t parent;			/* 0 if unknown */
};

/* Fills *found as far as it can be read, whatever the answer. */
enum proc_answer procname_check(const char *root, pid_t pid, const char *want, struct proc *found);

#endif
