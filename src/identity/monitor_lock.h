/* SPDX-License-Identifier: ISC */
/*
 * monitor_lock.h - upsmon.monitor: its lock shows which process is the
 * unprivileged monitor, so that the monitor's user can ask it for FSD (`upsmon -c
 * fsd` in a NOTIFYCMD script, which cannot read root's lock nor signal root).
 *
 * The file belongs to that user, mode 0600, and carries an fcntl write lock like
 * upsmon.lock (lock.h).  Each monitor gets a new file, which has its name before
 * the monitor starts, so a planted file is never opened here.
 */
#ifndef MONITOR_LOCK_H
#define MONITOR_LOCK_H

#include <sys/types.h>

#include "identity/rundir.h"

#define MONITOR_LOCK_FILE "upsmon.monitor"

/* In the guard: the descriptor for the next monitor.  -1 with errno set. */
int monitor_lock_make(const struct rundir *d, uid_t uid, gid_t gid);

/* Then the monitor takes the lock, and drops it when it comes to rest (file_lock()). */

#endif
