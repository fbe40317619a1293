/* SPDX-License-Identifier: ISC */
/*
 * reload.h - a new configuration: the file is read, the monitor stops its work,
 * and the next one starts with the new configuration.  If the file has an error,
 * or a shutdown is under way, nothing changes.  The one who asked gets an answer
 * (result.h): that the new configuration is in use, or why it is not.
 */
#ifndef RELOAD_H
#define RELOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"
#include "identity/instance.h"

struct reload_setup {
	struct conf *conf;	/* the guard's, which is changed in place */
	const char *conf_file;
	const struct instance *instance;
};

void reload_init(const struct reload_setup *setup);

/* An order: carried out as soon as no other change is under way. */
void reload_order(void);
bool reload_is_ordered(void);

/* Does what is due. */
void reload_advance(int64_t now);

#endif
