/* SPDX-License-Identifier: ISC */
/*
 * guard.h - the privileged half, which init supervises: it holds the lock,
 * takes the signals, keeps a monitor running, and shuts the machine down.
 *
 * It reads nothing that comes from a network, and takes from the monitor only
 * messages that message_is_sound() lets through.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"

struct handover;

struct guard_setup {
	const char *conf_file;
	const char *pid_dir;
	const char *user;	/* of -u; NULL: RUN_AS_USER, or the default */
	bool one_process;	/* -p */
	int ready_fd;		/* gets a byte when all stands; -1: none */
	int family;
	uint32_t connect_ms;
	const char *program;	/* for a hot upgrade: what to run, absolute */
	char *const *argv;
	const struct handover *handover; /* what the program before this one left; or NULL */
};

/* Runs the daemon to its end; returns the exit status.  Call after the last fork. */
int guard_run(const struct guard_setup *setup, struct conf *conf);

#endif
