/* SPDX-License-Identifier: ISC */
/*
 * loop.h - the one place where the daemon waits.
 *
 * The clients of a process's loop are the guard, or the monitor, or, with -p,
 * both.  Each client says what it waits for and until when, and is called after
 * every wake-up.
 */
#ifndef LOOP_H
#define LOOP_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/* The channel both ways, and each UPS with all the addresses of its server. */
#define LOOP_FDS_MAX (UPS_MAX * ADDRESSES_MAX + 3)

/* A deadline that never comes. */
#define LOOP_FOREVER INT64_MAX

struct loop_client {
	void *self;
	/* Fills fds, returns their number, and lowers *deadline if it must. */
	unsigned int (*prepare)(void *self, struct pollfd *fds, int64_t *deadline);
	/* signals: a set of SIGNALS_*.  False ends the loop, if it is the first client. */
	bool (*handle)(void *self, const struct pollfd *fds, unsigned int signals, int64_t now);
};

/* Runs until the first client has enough; false if it cannot wait for events any more. */
bool loop_run(const struct loop_client *clients, unsigned int count, const sigset_t *wait);

#endif
