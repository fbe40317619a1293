/* SPDX-License-Identifier: ISC */
/*
 * check.h - `upsmon -t`: everything that is wrong with a configuration, and
 * what is legal but unwise.  Starts nothing.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

#include "core/conf.h"
#include "options.h"

/* Says all of it; true if the daemon would start with this file. */
#if WITH_CHECK
bool check_configuration(const char *path, struct conf *conf);
#else
static inline bool check_configuration(const char *path, struct conf *conf)
{
	/* -t is refused before this is called */
	(void)path;
	(void)conf;
	return false;
}
#endif

#endif
