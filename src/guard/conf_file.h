/* SPDX-License-Identifier: ISC */
/* conf_file.h - reads upsmon.conf from its file, and the file that UPSSCHED names. */
#ifndef CONF_FILE_H
#define CONF_FILE_H

#include <stdbool.h>

#include "core/conf.h"

/* Where people find what is wrong with it. */
#if WITH_CHECK
#define CONF_FILE_WHERE "the log, or upsmon -t"
#else
#define CONF_FILE_WHERE "the log"
#endif

/*
 * Fills *conf, and logs every finding as "file:line: text".  True if the file
 * could be read and has no error; warnings are logged and do not count.  With
 * quiet nothing is logged.
 */
bool conf_file_read(const char *path, struct conf *conf, bool quiet);

#endif
