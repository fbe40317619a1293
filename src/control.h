/* SPDX-License-Identifier: ISC */
/*
 * control.h - what `upsmon -c` does: ask about and signal the running daemon.
 *
 * A signal is sent only to a process that is proved to be the daemon: it holds
 * the lock, before and after a pidfd was taken of it, and its name is upsmon
 * (NUT_IGNORE_CHECKPROCNAME leaves out the name).
 * Where the kernel has no pidfds (before 5.3) its start time takes their
 * place, and what remains is the moment between the last look and kill(2).
 * An upsmon that takes no lock, such as NUT's own, is never signalled.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <sys/types.h>

/* Exit codes of the status query, as LSB has them for init scripts. */
enum {
	STATUS_RUNNING = 0,
	STATUS_DEAD_WITH_PIDFILE = 1,
	STATUS_NOT_RUNNING = 3,
	STATUS_UNKNOWN = 4,
};

/* The commands of -c. */
enum control_command { CONTROL_NONE, CONTROL_STOP, CONTROL_RELOAD, CONTROL_FSD, CONTROL_STATUS };

/* Whole words only; CONTROL_NONE for anything else. */
enum control_command control_by_name(const char *name);

/*
 * Carries out a command and says how it went; returns the exit code.  pid is
 * of -P, 0 without: the daemon must then be that very process.  `stop` returns
 * when the daemon is gone; `status` may be told as JSON.
 */
int control_run(enum control_command command, const char *pid_dir, pid_t pid, bool json);

#endif
