/* SPDX-License-Identifier: ISC */
/*
 * powerdown.h - POWERDOWNFLAG: the file that tells the last script of a
 * shutdown to switch the UPS off ("killpower").
 *
 * Its first line is the text that NUT's own scripts look for; the second is
 * the boot id, so that a flag left by an earlier boot is recognised.
 */
#ifndef POWERDOWN_H
#define POWERDOWN_H

#include <stdbool.h>

enum powerdown_state {
	POWERDOWN_ABSENT,
	POWERDOWN_SET,		/* ours, and this boot's */
	POWERDOWN_STALE,	/* ours, of an earlier boot, or of none that can be told */
	POWERDOWN_FOREIGN,	/* a file without the text: never touched */
	POWERDOWN_UNREADABLE,	/* errno says why */
};

enum powerdown_state powerdown_check(const char *path);

/* Writes the flag; never over a foreign file.  False with errno set. */
bool powerdown_write(const char *path);

/* Removes a flag of ours, whichever boot's; anything else stays, with a warning. */
void powerdown_clear(const char *path);

#endif
