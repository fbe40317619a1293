/* SPDX-License-Identifier: ISC */
/*
 * clock.h - the only clock of the daemon: milliseconds since the boot, which
 * count on while the machine is suspended.
 *
 * A board without a battery-backed clock starts in 1970 and jumps decades at
 * the first NTP answer; nothing here may notice that.  Read once per wake-up.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>
#include <time.h>

static inline struct timespec clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return ts;
}

static inline int64_t clock_ms(void)
{
	struct timespec ts = clock_now();

	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
