/* SPDX-License-Identifier: ISC */
/*
 * environment.h - where things are: NUT's environment variables override
 * the compiled-in places.  An empty value counts as unset.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/* The value of a variable, or NULL if it is unset or empty. */
const char *environment_get(const char *name);

/* true, on, yes or 1. */
bool environment_is_true(const char *name);

/* A whole number, or `otherwise` if it is unset or none. */
unsigned int environment_number(const char *name, unsigned int max, unsigned int otherwise);

/* upsmon.conf: NUT_CONFPATH is its directory. */
void environment_conf_file(char *path, size_t size);

/*
 * The directory of pidfile and lock: NUT_PIDPATH for root; for others
 * NUT_ALTPIDPATH, else NUT_STATEPATH.
 */
const char *environment_pid_dir(void);

/* And that of root, whoever asks. */
const char *environment_root_pid_dir(void);

#endif
