/* SPDX-License-Identifier: ISC */
/*
 * monitor_start.h - the first steps of a monitor: what it reads while it is still root,
 * and what it gives up before it says a word to a server.
 */
#ifndef MONITOR_START_H
#define MONITOR_START_H

#include "guard/worker.h"
#include "monitor/monitor.h"

/* In the child, whose descriptors are its own: becomes the monitor and never returns. */
_Noreturn void monitor_start_child(const struct worker_setup *worker, struct monitor_setup *setup);

/* In one process (-p): the monitor is a client of the guard's loop. */
void monitor_start_here(struct monitor_setup *setup, struct loop_client *client);

#endif
