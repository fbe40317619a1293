/* SPDX-License-Identifier: ISC */
/*
 * handover.h - what a guard leaves to the program that takes its place in a
 * hot upgrade: what is known of each UPS, and the numbers of the lock's descriptor
 * and of the monitor that keeps the logins until the next one has its own.
 *
 * It travels in a file without a name, whose descriptor is named by
 * HANDOVER_VARIABLE in the environment.  The two programs may be different
 * builds: struct ups and a timer may have grown at their ends, and fields that
 * the older one lacks have their initial value.  handover_read() refuses a
 * layout that it cannot read, and timers that would be lost, with a reason; a
 * rehearsal finds this out beforehand.
 *
 * UPSes are told apart by hashes: the file holds no system's name and no password.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/snapshot.h"
#include "identity/rundir.h"
#include "options.h"

#define HANDOVER_VARIABLE "NUTLET_HANDOVER"
#define HANDOVER_PATH_MAX 512

struct handover {
	int32_t pid;		/* of the guard, which stays */
	int32_t lock;		/* the lock's descriptor */
	int32_t monitor;	/* its pid; 0: there is none */
	int32_t in, out;	/* the channel to it */
	uint32_t ordered;	/* meanwhile: a set of SIGNALS_RELOAD and SIGNALS_UPGRADE */
	int64_t begun;		/* this one; monotonic milliseconds */
	char conf_file[HANDOVER_PATH_MAX]; /* both absolute */
	char pid_dir[HANDOVER_PATH_MAX];
	uint32_t count;
	struct handover_ups {
		uint64_t system;	/* hash of the name */
		uint32_t known;
		struct ups ups;
	} ups[UPS_MAX];
	struct sched sched;	/* by the places above */
};

/* An empty file for it; -1 with errno set. */
int handover_create(const struct rundir *d);

/* Writes all of it anew. */
bool handover_write(int fd, const struct handover *h);

/* False with the reason in why. */
bool handover_read(int fd, struct handover *h, char *why, size_t size);

void handover_pack(struct handover *h, const struct conf *conf, const struct snapshot *snapshot);

/* Fills *snapshot for this configuration. */
#if WITH_UPGRADE
void handover_unpack(const struct handover *h, const struct conf *conf, struct snapshot *snapshot);
#else
static inline void handover_unpack(const struct handover *h, const struct conf *conf,
				   struct snapshot *snapshot)
{
	(void)h;
	(void)conf;
	(void)snapshot;
}
#endif

#endif
