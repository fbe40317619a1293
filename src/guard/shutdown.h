/* SPDX-License-Identifier: ISC */
/*
 * shutdown.h - the last step: POWERDOWNFLAG, then SHUTDOWNCMD, until the
 * machine is down.
 *
 * A command that fails, or after which the machine still runs, is started
 * again; see shutdown.c for the schedule.  From here, only ending the
 * daemon stops it.
 */
#ifndef SHUTDOWN_H
#define SHUTDOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"

/* Begins, or does nothing if it was begun.  conf must outlive the process. */
void shutdown_begin(const struct conf *conf, int64_t now);
bool shutdown_is_begun(void);

/* The daemon ends: what has not been started is not started any more. */
void shutdown_stop(void);

/* When shutdown_advance() has something to do; NEVER before the beginning. */
int64_t shutdown_deadline(void);
void shutdown_advance(int64_t now);

#endif
