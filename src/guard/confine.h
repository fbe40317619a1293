/* SPDX-License-Identifier: ISC */
/*
 * confine.h - what the two processes give up for good, beside root (user.h).
 *
 * Whatever is given up here, NOTIFYCMD and SHUTDOWNCMD inherit: so nothing is
 * taken that a command has use for, and from the guard's nothing that brings a
 * machine down.  A kernel that does not know one of these changes nothing: the
 * board is watched all the same.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdbool.h>

#include "core/conf.h"

/* Before the first fork: no core file, which would hold passwords; and root's filter. */
void confine_guard(void);

/*
 * NO_NEW_PRIVS; and if the file does not say, no where there is a wall: its
 * setgid file needs rights, and it is a whole distribution, on which mail and
 * sudo do, too.
 */
bool confine_is_wanted(const struct conf *conf);

/*
 * In the monitor, when it has its user.  no_new_privs: neither it nor a command
 * gets rights by a setuid file, and the monitor's filter is set, which would be
 * in the way of what such a file does.  Nothing for a monitor that stays root:
 * who has asked for that has a command that needs it.
 */
void confine_monitor(bool no_new_privs);

#endif
