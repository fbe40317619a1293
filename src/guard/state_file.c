/* SPDX-License-Identifier: ISC */
#include "guard/state_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "core/status.h"
#include "options.h"

#define LINE_BYTES 1024

static size_t clamp(int written, size_t room)
{
	if (written < 0)
		return 0;
	return (size_t)written < room ? (size_t)written : room - 1;
}

/* A word in quotes, as words.c reads it. */
static void quote(char *out, size_t size, const char *text)
{
	size_t used = 0;

	for (; *text && used + 3 < size; text++) {
		if (*text == '"' || *text == '\\')
			out[used++] = '\\';
		out[used++] = *text;
	}
	out[used] = '\0';
}

void state_remove(const struct instance *in)
{
	rundir_remove(&in->dir, STATE_FILE);
}

/* Where the directory is full, there is room when the old one is gone; and better none than an old one. */
static bool replace(const struct instance *in, const char *text, size_t len)
{
	if (rundir_replace(&in->dir, STATE_FILE, text, len))
		return true;
	state_remove(in);
	return rundir_replace(&in->dir, STATE_FILE, text, len);
}

void state_write(const struct instance *in, const struct conf *conf,
		 const struct snapshot *snapshot)
{
	static char text[STATE_MAX] MOSTLY_UNUSED;
	static bool complained;
	size_t used;

	used = clamp(snprintf(text, sizeof(text), "upsmon 1 %u\n", snapshot->phase), sizeof(text));
	for (uint16_t i = 0; i < conf->ups_count; i++) {
		const struct conf_ups *c = &conf->ups[i];
		struct ups u;
		char system[LINE_BYTES / 2];
		char status[64] = "";

		quote(system, sizeof(system), conf_get(conf, c->system));
		/* of what no monitor has told yet, nothing is known */
		ups_init(&u, 0);
		if (snapshot->known[i])
			u = snapshot->ups[i];
		status_format(u.bits, status, sizeof(status));
		used += clamp(snprintf(text + used, sizeof(text) - used,
				       "ups \"%s\" %d %u %d \"%s\" %d %d %lld %d %d\n", system,
				       c->primary, c->power_value, u.comm, status, u.charge,
				       u.runtime, u.bits ? (long long)u.answered : -1LL,
				       u.logged_in, u.critical),
			      sizeof(text) - used);
#if WITH_TLS
		/* one number more, in the place of the newline */
		used--;
		used += clamp(snprintf(text + used, sizeof(text) - used, " %u\n", u.secure),
			      sizeof(text) - used);
#endif
	}
	for (unsigned int i = 0; WITH_UPSSCHED && i < SCHED_TIMERS_MAX && snapshot->sched.timers[i].name[0]; i++) {
		const struct sched_timer *t = &snapshot->sched.timers[i];
		char name[2 * SCHED_NAME_MAX], system[LINE_BYTES / 2] = "";

		quote(name, sizeof(name), t->name);
		if (t->ups < conf->ups_count)
			quote(system, sizeof(system), conf_get(conf, conf->ups[t->ups].system));
		used += clamp(snprintf(text + used, sizeof(text) - used,
				       "timer \"%s\" %lld \"%s\" %s\n", name, (long long)t->due,
				       system, notify_name((enum notify_type)t->type)),
			      sizeof(text) - used);
	}
	if (replace(in, text, used)) {
		complained = false;
	} else if (!complained) {
		complained = true;
		log_warning("%s/" STATE_FILE ": %s; -c status tells less", in->dir.path,
			    strerror(errno));
	}
}
