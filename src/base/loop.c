/* SPDX-License-Identifier: ISC */
#include "base/loop.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"

/* So many wake-ups by descriptors alone, one after the other, and signals are let in. */
#define READY_MAX 8
/* With more descriptors than these, a wake-up's work may take longer than a deadline may be late. */
#define QUICK_MAX 64

/*
 * How many descriptors are ready, -1 if nothing can be waited for, which only a
 * new process may mend.  now: the last wake-up's, of a few descriptors; the
 * little that has passed since then, a deadline may come later.
 */
static int wait_until(struct pollfd *fds, unsigned int count, int64_t deadline, int64_t now,
		      const sigset_t *mask)
{
	struct timespec ts = { 0, 0 };
	int64_t left = deadline - now;
	int ready;

	if (deadline != LOOP_FOREVER && left > 0) {
		ts.tv_sec = (time_t)(left / 1000);
		ts.tv_nsec = (long)(left % 1000) * 1000000;
	}
	ready = ppoll(fds, count, deadline == LOOP_FOREVER ? NULL : &ts, mask);
	if (ready >= 0)
		return ready;
	/* a signal; what the descriptors have will still be there */
	for (unsigned int i = 0; i < count; i++)
		fds[i].revents = 0;
	return errno == EINTR ? 0 : -1;
}

bool loop_run(const struct loop_client *clients, unsigned int count, const sigset_t *mask)
{
	bool going = true;
	int64_t now = clock_ms();
	int busy = 0;

	while (going) {
		struct pollfd fds[2 * LOOP_FDS_MAX];
		unsigned int first[2] = { 0, 0 };
		unsigned int used = 0;
		unsigned int signals;
		int64_t deadline = LOOP_FOREVER;
		int ready;

		for (unsigned int i = 0; i < count; i++) {
			first[i] = used;
			used += clients[i].prepare(clients[i].self, fds + used, &deadline);
		}
		if (used > QUICK_MAX)
			now = clock_ms();
		ready = wait_until(fds, used, deadline, now, mask);
		if (ready < 0) {
			log_error("cannot wait for events: %s", strerror(errno));
			return false;
		}
		now = clock_ms();
		busy = ready > 0 ? busy + 1 : 0;
		if (busy == READY_MAX) {
			signals_let_in();
			busy = 0;
		}
		signals = signals_take();
		if (signals & SIGNALS_CHILD)
			child_reap();
		for (unsigned int i = 0; i < count; i++) {
			bool more = clients[i].handle(clients[i].self, fds + first[i], signals, now);

			if (i == 0)
				going = more;
		}
	}
	return true;
}
