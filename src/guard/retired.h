/* SPDX-License-Identifier: ISC */
/*
 * retired.h - a monitor that is at rest: it has stopped its work, and keeps its
 * logins until the next one has its own (worker.h).  There is at most one.
 */
#ifndef RETIRED_H
#define RETIRED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/channel.h"

/* A monitor, by its process and our end of the channel to it. */
struct worker {
	pid_t pid;		/* 0: none, or one process */
	struct channel channel;
};

void retired_init(void);

/* Keeps it, for a while at most; of one before it, nothing is left but its logout. */
void retired_keep(const struct worker *resting, int64_t now);

/* It still has the logins that the next one lacks. */
bool retired_is_needed(void);

/* It may log out now, which it does when its channel is closed. */
void retired_release(int64_t now);

bool retired_lives(void);

/* True if it was this one that has ended. */
bool retired_has_ended(pid_t pid);

int64_t retired_deadline(void);
void retired_advance(int64_t now);
void retired_kill(void);

/* In the next monitor: our end of the channel is not its. */
void retired_forget(void);

#endif
