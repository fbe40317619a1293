/* SPDX-License-Identifier: ISC */
/*
 * upgrade.h - `upsmon -c upgrade`: the guard becomes the program that is on
 * disk now, and keeps pid, lock, pidfile and timers; no server ever finds this
 * host logged out.
 *
 *	rehearsal  a child runs the new program with the same options, which
 *	           reads the configuration and what would be handed over, and
 *	           says that it is ready.  Meanwhile all goes on.
 *	rest       the monitor tells all that it knows, and stops its work.
 *	exec       of the very file that was rehearsed.  new_program.h goes on; its
 *	           monitor logs in, and then the old one logs out (worker.h).
 *
 * If anything before the exec fails, or the exec itself, nothing changes: the
 * old program goes on, and says why.  A shutdown always goes first.
 *
 * Limits: after the exec, all depends on the new program.  If it rehearses well
 * and then crashes, init has to start it again.  A NOTIFYCMD that
 * waits for an earlier one is started at once.  In one process (-p) the
 * connections are dropped and made again.
 */
#ifndef UPGRADE_H
#define UPGRADE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/action.h"
#include "identity/instance.h"
#include "options.h"
#include "upgrade/handover.h"

struct upgrade_setup {
	const char *program;	/* absolute */
	char *const *argv;	/* as this one was started */
	const struct instance *instance;
	const struct conf *conf;
	const char *conf_file;
	const char *pid_dir;
};

#if WITH_UPGRADE

void upgrade_init(const struct upgrade_setup *setup);

/* An order: begun as soon as none is under way. */
void upgrade_order(void);

/* `begun` is the time of an order that the old program carried out as far as here. */
void upgrade_finish(int64_t begun);

/* The rehearsal's words, for poll(2); -1: none. */
int upgrade_fd(void);
int64_t upgrade_deadline(void);

/* Does what is due.  May not return: then this process is the new program. */
void upgrade_advance(int64_t now);

/* Ends what is under way, because the daemon ends. */
void upgrade_cancel(void);

/* In a child: what is handed over is of the guard and of the new program alone. */
void upgrade_forget(void);

#else

static inline void upgrade_init(const struct upgrade_setup *setup)
{
	(void)setup;
}

static inline void upgrade_order(void)
{
}

static inline void upgrade_finish(int64_t begun)
{
	(void)begun;
}

static inline int upgrade_fd(void)
{
	return -1;
}

static inline int64_t upgrade_deadline(void)
{
	return NEVER;
}

static inline void upgrade_advance(int64_t now)
{
	(void)now;
}

static inline void upgrade_cancel(void)
{
}

static inline void upgrade_forget(void)
{
}

#endif

#endif
