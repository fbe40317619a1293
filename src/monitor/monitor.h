/* SPDX-License-Identifier: ISC */
/*
 * monitor.h - the unprivileged half: it talks to the servers, judges, and
 * notifies.  All it can do about the machine is to ask the guard.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"
#include "base/loop.h"
#include "core/snapshot.h"

struct monitor_setup {
	const struct conf *conf;	/* copied */
	const struct conf *shared;	/* where a reload finds the new one */
	const struct snapshot *snapshot;		/* its connections are the monitor's now */
	int channel;			/* to the guard */
	uint32_t generation;
	uint32_t connect_ms;
	int family;
	bool background;		/* let go of the terminal once ready */
};

/* Prepares the one monitor of this process; *client then serves it. */
void monitor_init(const struct monitor_setup *setup, struct loop_client *client);

/* The exit status that the end of the loop calls for. */
int monitor_status(void);

#endif
