/* SPDX-License-Identifier: ISC */
/*
 * state_file.h - what the daemon knows, for `upsmon -c status`.
 *
 * The guard writes upsmon.status beside the pidfile, as a whole and only in
 * memory; no socket, no flash.  The file has one line of words for the daemon,
 * one for each UPS, and one for each timer that runs.  Times are monotonic milliseconds, so that the reader can
 * compute an age.
 */
#ifndef STATE_FILE_H
#define STATE_FILE_H

#include <stdbool.h>

#include "core/conf.h"
#include "core/snapshot.h"
#include "identity/instance.h"

#define STATE_FILE "upsmon.status"
#define STATE_MAX ((UPS_MAX + SCHED_TIMERS_MAX / 2) * 1024)

/* Replaces the file.  A failure is logged once. */
void state_write(const struct instance *in, const struct conf *conf,
		 const struct snapshot *snapshot);
void state_remove(const struct instance *in);

/* Prints the verdict and, if the daemon runs, what it knows; for people or as JSON. */
void state_show(const struct instance *in, const struct verdict *v, const char *verdict, bool json);

#endif
