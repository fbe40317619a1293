/* SPDX-License-Identifier: ISC */
/*
 * takeover.h - the new program's side of a hot upgrade (upgrade.h).
 *
 *	upsmon -c rehearse  run by the guard: can this program go on with what
 *	                    the running one hands over?  Its last line says so.
 *	takeover_find()     after the exec: is there anything to go on with?
 */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include <stdbool.h>

#include "handover.h"

#define TAKEOVER_COMMAND "rehearse"

/* How often the new program tries again what the rehearsal could do. */
#define UPGRADE_TRIES 10
#define UPGRADE_LOOK_MS 1000

#define TAKEOVER_READY "ready to take over: "

/* Fills *h if this process was a guard before its exec. */
bool takeover_find(struct handover *h);

/* Returns the exit code; user is of -u, or NULL. */
int takeover_rehearse(const char *user);

#endif
