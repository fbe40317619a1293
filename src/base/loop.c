/* SPDX-License-Identifier: ISC */
#include "base/loop.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/signals.h"

/* False if nothing can be waited for, which only a new process may mend. */
static bool wait_until(struct pollfd *fds, unsigned int count, int64_t deadline,
		       const sigset_t *mask)
{
	struct timespec ts = { 0, 0 };
	int64_t left = deadline - clock_ms();

	if (deadline != LOOP_FOREVER && left > 0) {
		ts.tv_sec = (time_t)(left / 1000);
		ts.tv_nsec = (long)(left % 1000) * 1000000;
	}
	if (ppoll(fds, count, deadline == LOOP_FOREVER ? NULL : &ts, mask) >= 0)
		return true;
	/* a signal; what the descriptors have will still be there */
	for (unsigned int i = 0; i < count; i++)
		fds[i].revents = 0;
	return errno == EINTR;
}

bool loop_run(const struct loop_client *clients, unsigned int count, const sigset_t *mask)
{
	bool going = true;

	while (going) {
		struct pollfd fds[2 * LOOP_FDS_MAX];
		unsigned int first[2] = { 0, 0 };
		unsigned int used = 0;
		unsigned int signals;
		int64_t deadline = LOOP_FOREVER;
		int64_t now;

		for (unsigned int i = 0; i < count; i++) {
			first[i] = used;
			used += clients[i].prepare(clients[i].self, fds + used, &deadline);
		}
		if (!wait_until(fds, used, deadline, mask)) {
			log_error("cannot wait for events: %s", strerror(errno));
			return false;
		}
		now = clock_ms();
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
