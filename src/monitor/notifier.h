/* SPDX-License-Identifier: ISC */
/*
 * notifier.h - carries out notifications: syslog, wall, NOTIFYCMD; and runs
 * CMDSCRIPT for a timer.
 *
 * Only one command runs at a time, so that a script sees ONBATT before LOWBATT
 * (NUT starts them all at once, and the scheduler decides).  One that takes
 * longer than NOTIFIER_PATIENCE_MS is left running, and the next one starts.
 * FSD and SHUTDOWN wait less for those in front of them, and never find the
 * queue full.
 *
 * Nothing here waits.  There is one notifier in a process.
 */
#ifndef NOTIFIER_H
#define NOTIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"

#define NOTIFIER_PATIENCE_MS 5000
#define NOTIFIER_URGENT_MS 1000

/*
 * system is the UPS as written in MONITOR, "" for a notification that is about
 * none; more is the second %s of the text.  They are copied.
 */
void notifier_send(const struct conf *conf, enum notify_type type, const char *system,
		   const char *more, int64_t now);

/*
 * CMDSCRIPT with this argument, for that notification.  In its turn, and never
 * dropped; or at once, beside whatever runs or hangs.
 */
void notifier_command(const struct conf *conf, enum notify_type type, const char *system,
		      const char *argument, bool at_once, int64_t now);

/* Starts the next command when its time has come. */
void notifier_advance(const struct conf *conf, int64_t now);
int64_t notifier_deadline(void);

/* SHUTDOWNCMD comes next: whoever waits behind one that hangs is started now. */
void notifier_hurry(const struct conf *conf, int64_t now);

/* At the end of the process: starts whatever still waits, all at once. */
void notifier_flush(const struct conf *conf);

#endif
