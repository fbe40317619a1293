/* SPDX-License-Identifier: ISC */
/*
 * child.h - the processes that this one has started: commands, look-ups, the
 * monitor.
 *
 * A child in the table has not been reaped yet, so its number cannot belong to
 * another process, and child_kill() reaches only our own child.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* Called from child_reap() with the status of waitpid(2). */
typedef void child_done(void *arg, pid_t pid, int status);

/*
 * Forks.  In the child, which gets 0, the table is empty, and signals are
 * still caught and blocked: it calls signals_restore() or
 * signals_ignore_orders().  -1 with errno set if it cannot be done; EAGAIN if
 * the table is full.
 */
pid_t child_fork(child_done *done, void *arg);

/*
 * Takes into the table a child of the program that this process was before an
 * exec.  False: it is no child of ours (any more), or the table is full.
 */
bool child_adopt(pid_t pid, child_done *done, void *arg);

/*
 * Commands may hang, and fill the table.  An urgent one takes places where an ordinary one
 * is refused, and the last one, which is SHUTDOWNCMD, takes any: look-ups, without which
 * nothing is watched, always have some.
 */
enum child_rank { CHILD_ORDINARY, CHILD_URGENT, CHILD_LAST };

/*
 * A command as upsmon.conf has it: `words` texts one behind the other, each
 * with its NUL.  One word is for the shell.  Several are a program and its
 * arguments, and run as they are; but if there is no such program, the shell
 * gets them with spaces between (an unquoted "sync; poweroff").
 */
struct child_command {
	const char *text;
	unsigned int words;
	const char *message;	/* its last argument, safe from the shell; NULL: none */
	const char *const *environment; /* pairs of name and value, ended by NULL; or NULL */
	enum child_rank rank;
};

/* Starts it in a session of its own, without standard input.  As child_fork(). */
pid_t child_run(const struct child_command *command, child_done *done, void *arg);

/* Its words with spaces between them, for the shell and for people.  Cut at `size`. */
void child_command_line(const struct child_command *command, char *line, size_t size);

/* In a child that does not exec: closes every descriptor from this one on. */
void child_close_from(int first);

/* From here on, commands have no standard output and error either. */
void child_silence(void);

/* Reaps whoever has ended. */
void child_reap(void);

/* Sends a signal to a child of the table, and to nobody else. */
bool child_kill(pid_t pid, int sig);

/* Where wall(1) is; NULL: there is none. */
const char *child_wall(void);

#endif
