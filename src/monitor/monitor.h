/* SPDX-License-Identifier: ISC */
/*
 * monitor.h - the unprivileged half: it talks to the servers, decides, and
 * sends notifications.  To shut the machine down it can only ask the guard.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/channel.h"
#include "base/loop.h"
#include "core/conf.h"
#include "core/snapshot.h"
#if WITH_TLS
#include "tls/tls.h"
#endif

struct monitor_setup {
	const struct conf *conf;	/* copied, as the next one */
	const struct snapshot *snapshot; /* where the last monitor stopped */
	struct channel channel;		/* to the guard */
	int lock;			/* of the monitor's own, which it keeps; -1: none */
	uint32_t connect_ms;
	int family;
	bool one_process;
	bool background;		/* let go of the terminal once ready */
#if WITH_TLS
	struct tls_files files;		/* needed until monitor_init() is back */
#endif
};

/* Prepares the one monitor of this process; *client then serves it. */
void monitor_init(const struct monitor_setup *setup, struct loop_client *client);

/* In one process: logs out, so that the next one can be prepared. */
void monitor_leave(void);

/* The exit status that the end of the loop calls for. */
int monitor_status(void);

#endif
