/* SPDX-License-Identifier: ISC */
/*
 * safeguard.h - what the guard knows without its monitor: what monitors have
 * told it so far, and the shutdown that follows from this if no monitor lives.
 *
 * A shutdown that was begun, or asked for, is carried out even if every monitor
 * dies or hangs, because the guard knows its steps.  No step takes longer than
 * the configuration sets, whatever a monitor says.
 */
#ifndef SAFEGUARD_H
#define SAFEGUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/message.h"
#include "core/snapshot.h"

/* A step that is later than this will not come from the monitor. */
#define SAFEGUARD_LATE_MS 10000

/* conf is the guard's, which a reload changes in place. */
void safeguard_init(const struct conf *conf);

/* What is known, and whether it has changed since this was last asked. */
struct snapshot *safeguard_snapshot(void);
bool safeguard_has_news(void);
void safeguard_is_news(void);

/* A sound message, MESSAGE_UPS, MESSAGE_TIMER or MESSAGE_PHASE.  False: it takes back a step of a shutdown. */
bool safeguard_hear(const struct message *m, int64_t now);

/* Some UPS has answered: the configuration is good for something. */
bool safeguard_has_seen(void);

/* Somebody has asked for FSD: until the shutdown is carried out. */
void safeguard_fsd(int64_t now);

/* Once for each time: whoever has asked waits for an answer. */
bool safeguard_fsd_is_new(void);

/* FSD was asked for, and no monitor has begun with it. */
bool safeguard_fsd_waits(void);

/* A shutdown is under way, or was asked for. */
bool safeguard_is_alarmed(void);

/*
 * When the guard has to act by itself.  monitor: one lives, and gets some time
 * more than the steps have.
 */
int64_t safeguard_deadline(bool monitor);
void safeguard_advance(bool monitor, int64_t now);

/*
 * No monitor stays alive: on battery, that is FSD.  The next monitor warns the secondaries,
 * if it lives for so long; and whatever becomes of it, the machine goes down.
 */
void safeguard_give_up(int64_t now);

#endif
