/* SPDX-License-Identifier: ISC */
/*
 * new_program.h - the new program's side of a hot upgrade (upgrade.h).
 *
 *	upsmon -c rehearse  run by the guard: can this program go on with what
 *	                    the running one hands over?  Its last line answers.
 *	new_program_find()     after the exec: is there anything to go on with?
 */
#ifndef NEW_PROGRAM_H
#define NEW_PROGRAM_H

#include <stdbool.h>

#include "base/log.h"
#include "options.h"
#include "upgrade/handover.h"

#define NEW_PROGRAM_COMMAND "rehearse"

/* How often the new program tries again what the rehearsal could do. */
#define UPGRADE_TRIES 10
#define UPGRADE_LOOK_MS 1000

#define NEW_PROGRAM_READY "ready to take over: "

#if WITH_UPGRADE

/* Fills *h if this process was a guard before its exec. */
bool new_program_find(struct handover *h);

/* Returns the exit code; user is of -u, or NULL. */
int new_program_rehearse(const char *user);

#else

static inline bool new_program_find(struct handover *h)
{
	(void)h;
	return false;
}

static inline int new_program_rehearse(const char *user)
{
	(void)user;
	log_error("the new one is built without upgrades");
	return 2;
}

#endif

#endif
