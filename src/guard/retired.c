/* SPDX-License-Identifier: ISC */
#include "guard/retired.h"

#include <signal.h>
#include <string.h>

#include "base/child.h"
#include "core/action.h"

/* The longest that the next one may take to try each UPS. */
#define KEEP_MS 15000
/* Who does not log out within this time is ended. */
#define LOGOUT_MS 3000

static struct {
	struct worker worker;
	int64_t release_at;	/* NEVER: it was released */
	int64_t kill_at;
} self;

void retired_init(void)
{
	memset(&self, 0, sizeof(self));
	channel_init(&self.worker.channel);
	self.release_at = NEVER;
	self.kill_at = NEVER;
}

void retired_keep(const struct worker *resting, int64_t now)
{
	retired_kill();
	self.worker = *resting;
	self.release_at = resting->pid > 0 ? now + KEEP_MS : NEVER;
	self.kill_at = NEVER;
}

bool retired_is_needed(void)
{
	return self.release_at != NEVER;
}

void retired_release(int64_t now)
{
	if (self.release_at != NEVER)
		self.release_at = now;
}

bool retired_lives(void)
{
	return self.worker.pid > 0;
}

bool retired_has_ended(pid_t pid)
{
	if (pid != self.worker.pid)
		return false;
	channel_close(&self.worker.channel);
	retired_init();
	return true;
}

int64_t retired_deadline(void)
{
	return self.release_at < self.kill_at ? self.release_at : self.kill_at;
}

void retired_advance(int64_t now)
{
	if (now >= self.release_at) {
		channel_close(&self.worker.channel);
		self.release_at = NEVER;
		self.kill_at = now + LOGOUT_MS;
	}
	if (now >= self.kill_at) {
		self.kill_at = NEVER;
		retired_kill();
	}
}

void retired_kill(void)
{
	child_kill(self.worker.pid, SIGKILL);
	retired_forget();
}

void retired_forget(void)
{
	channel_close(&self.worker.channel);
}
