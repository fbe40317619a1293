/* SPDX-License-Identifier: ISC */
/*
 * supervisor.h - tells the one who started us how it goes, by the datagrams
 * that systemd has made common: READY=1, RELOADING=1, STOPPING=1 to
 * NOTIFY_SOCKET.
 *
 * Does nothing where the variable is not set, and never waits.
 */
#ifndef SUPERVISOR_H
#define SUPERVISOR_H

void supervisor_tell(const char *state);

/* RELOADING=1 with the time, which makes systemd wait for the next READY=1. */
void supervisor_tell_reloading(void);

#endif
