/* SPDX-License-Identifier: ISC */
/*
 * check.h - `upsmon -t`: everything that is wrong with a configuration, and
 * what is legal but unwise.  Starts nothing.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

#include "core/conf.h"

/* Says all of it; true if the daemon would start with this file. */
bool check_configuration(const char *path, struct conf *conf);

#endif
