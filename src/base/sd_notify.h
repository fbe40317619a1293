/* SPDX-License-Identifier: ISC */
/*
 * sd_notify.h - tells our supervisor how it goes, by the datagrams that
 * systemd has made common: READY=1, RELOADING=1, STOPPING=1 to NOTIFY_SOCKET.
 *
 * Does nothing where the variable is not set, and never waits.
 */
#ifndef SD_NOTIFY_H
#define SD_NOTIFY_H

#include "options.h"

#if WITH_SUPERVISOR
void sd_notify_tell(const char *state);

/* RELOADING=1 with the time, which makes systemd wait for the next READY=1. */
void sd_notify_tell_reloading(void);
#else
static inline void sd_notify_tell(const char *state)
{
	(void)state;
}

static inline void sd_notify_tell_reloading(void)
{
}
#endif

#endif
