/* SPDX-License-Identifier: ISC */
/*
 * control.h - what `upsmon -c` does: ask about the running daemon, and give it
 * orders.  target.h decides which process a signal may reach.
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

/* The commands of -c; new_program.h has the last one. */
enum control_command {
	CONTROL_NONE,
	CONTROL_STOP,
	CONTROL_RELOAD,
	CONTROL_FSD,
	CONTROL_UPGRADE,
	CONTROL_STATUS,
	CONTROL_REHEARSE,
};

/* Whole words only; CONTROL_NONE for anything else. */
enum control_command control_by_name(const char *name);

/*
 * Carries out a command and says how it went; returns the exit code.  pid is
 * of -P, 0 without: the daemon must then be that very process.  `stop` returns
 * when the daemon is gone, `reload` and `upgrade` when it has said how that
 * went; `status` may be told as JSON.
 */
int control_run(enum control_command command, const char *pid_dir, pid_t pid, bool json);

#endif
