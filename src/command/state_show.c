/* SPDX-License-Identifier: ISC */
/* The reader's side of state_file.h: upsmon.status for people, and as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "command/state_json.h"
#include "core/core.h"
#include "core/words.h"
#include "guard/state_file.h"
#include "options.h"

static const char *const phases[] = {
	[PHASE_WATCH] = "watching",
	[PHASE_SYNC] = "waiting for secondaries",
	[PHASE_FINAL] = "final delay",
	[PHASE_DOWN] = "down",
};

static const char *const comms[] = {
	[COMM_UNKNOWN] = "unknown",
	[COMM_OK] = "ok",
	[COMM_BAD] = "lost",
};

static unsigned long bounded(const char *text, unsigned long max)
{
	unsigned long number = strtoul(text, NULL, 10);

	return number <= max ? number : max;
}

/* While it answers, the daemon does not say when it did last; -1: it never has. */
static long long age_of(long long answered, bool answers)
{
	if (answered < 0)
		return -1;
	return answers ? 0 : clock_ms() - answered;
}

/* asked: no SHUTDOWNCMD runs yet; from then on no UPS is asked any more. */
static struct state_view view_of(const struct words *w, bool asked)
{
	unsigned long comm = bounded(words_at(w, 4), COMM_BAD);
	struct state_view v = {
		.system = words_at(w, 1),
		.role = bounded(words_at(w, 2), 1) ? "primary" : "secondary",
		.power = strtol(words_at(w, 3), NULL, 10),
		.comm = comms[comm],
		.status = words_at(w, 5),
		.charge = strtol(words_at(w, 6), NULL, 10),
		.runtime = strtol(words_at(w, 7), NULL, 10),
		.age_ms = age_of(strtoll(words_at(w, 8), NULL, 10), asked && comm == COMM_OK),
		.login = bounded(words_at(w, 9), 1) == 1,
		.critical = (enum critical)bounded(words_at(w, 10), CRITICAL_REASONS - 1),
#if WITH_TLS
		.secure = (unsigned int)bounded(words_at(w, 11), UINT8_MAX),
#endif
	};

	return v;
}

/* ---- for people ---- */

#if WITH_TLS
static const char *secured(const struct state_view *v)
{
	if (!(v->secure & SECURE_ENCRYPTED))
		return "not encrypted";
	if (!(v->secure & SECURE_VERIFIED))
		return "encrypted, not verified";
	return v->secure & SECURE_UNDATED ? "encrypted and verified but for the dates"
					  : "encrypted and verified";
}
#endif

static void show_people(const struct state_view *v)
{
	char charge[40] = "", runtime[48] = "", age[80] = "never seen";

	if (v->charge >= 0)
		snprintf(charge, sizeof(charge), ", charge %ld %%", v->charge);
	if (v->runtime >= 0)
		snprintf(runtime, sizeof(runtime), ", runtime %ld min", v->runtime / 60);
	if (strcmp(v->comm, "ok") == 0 && v->age_ms == 0)
		strcpy(age, "it answers");
	else if (v->age_ms >= 0)
		snprintf(age, sizeof(age), "seen %lld s ago", v->age_ms / 1000);
#if WITH_TLS
	snprintf(age + strlen(age), sizeof(age) - strlen(age), ", %s", secured(v));
#endif
	log_line(STDOUT_FILENO, "%s (%s, power value %ld): %s%s%s; %s%s%s%s%s", v->system, v->role,
		 v->power, *v->status ? v->status : "no status", charge, runtime, age,
		 strcmp(v->comm, "lost") == 0 ? ", communication lost" : "",
		 v->login ? ", logged in" : ", not logged in",
		 v->critical != CRITICAL_NOT ? "; critical: " : "",
		 v->critical != CRITICAL_NOT ? critical_text(v->critical) : "");
}

/* ---- both ---- */

static void show_header(const struct verdict *v, const char *verdict, const char *phase, bool json)
{
	if (json) {
		state_json_header(v, verdict, phase);
		return;
	}
	log_line(STDOUT_FILENO, "%s", verdict);
	if (strcmp(phase, phases[PHASE_WATCH]) != 0 && *phase)
		log_line(STDOUT_FILENO, "shutting down: %s",
			 strcmp(phase, phases[PHASE_DOWN]) == 0
				 ? "SHUTDOWNCMD, until the machine is down"
				 : phase);
}

static void show_timer(const struct words *w, bool first, bool json)
{
	long long ms = strtoll(words_at(w, 2), NULL, 10) - clock_ms();
	struct state_timer t = {
		.name = words_at(w, 1),
		.seconds = ms > 0 ? (long)((ms + 999) / 1000) : 0,
		.system = words_at(w, 3),
		.type = words_at(w, 4),
	};

	if (json)
		state_json_timer(&t, first);
	else
		log_line(STDOUT_FILENO, "timer %s: due in %ld s (%s%s%s)", t.name, t.seconds, t.type,
			 *t.system ? " " : "", t.system);
}

void state_show(const struct instance *in, const struct verdict *v, const char *verdict, bool json)
{
	static char text[STATE_MAX] MOSTLY_UNUSED;
	static struct words words MOSTLY_UNUSED;
	unsigned long phase = PHASE_WATCH;
	bool headed = false, first = true, timers = false;

	/* what a daemon that is gone has left says nothing about now */
	if (!(v->kind == VERDICT_RUNNING_LOCK || (v->kind == VERDICT_RUNNING_NAME && v->error)) ||
	    instance_read(in, STATE_FILE, text, sizeof(text)) < 0)
		text[0] = '\0';
	words_init(&words, WORDS_WIRE);
	for (const char *c = text; *c; c++) {
		if (words_feed(&words, (unsigned char)*c) != WORDS_LINE)
			continue;
		if (!headed && strcmp(words_at(&words, 0), "upsmon") == 0) {
			phase = bounded(words_at(&words, 2), PHASE_DOWN);
			show_header(v, verdict, phases[phase], json);
			headed = true;
		} else if (headed && strcmp(words_at(&words, 0), "ups") == 0) {
			struct state_view view = view_of(&words, phase != PHASE_DOWN);

			if (json)
				state_json_ups(&view, first);
			else
				show_people(&view);
			first = false;
		} else if (WITH_UPSSCHED && headed && strcmp(words_at(&words, 0), "timer") == 0) {
			show_timer(&words, !timers, json);
			timers = true;
		}
	}
	if (!headed)
		show_header(v, verdict, "", json);
	if (!headed && !json && v->kind == VERDICT_RUNNING_LOCK)
		log_line(STDOUT_FILENO, "nothing is told of the UPSes: %s is not in memory (tmpfs), or is full",
			 in->dir.path);
	if (json)
		state_json_end(timers);
}
