/* SPDX-License-Identifier: ISC */
/*
 * check.h - `upsmon -t`: everything that is wrong with a configuration, and
 * what is legal but unwise.  Starts nothing.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

#include "base/log.h"
#include "core/conf.h"
#include "options.h"

/* Says all of it; true if the daemon would start with this file. */
#if WITH_CHECK
bool check_configuration(const char *path, struct conf *conf);
#else
static inline bool check_configuration(const char *path, struct conf *conf)
{
	(void)conf;
	log_error("%s: this upsmon is built without -t", path);
	return false;
}
#endif

#endif
