/* SPDX-License-Identifier: ISC */
/* state_json.h - what `upsmon -c status -j` prints: a header, each UPS, each timer, an end. */
#ifndef STATE_JSON_H
#define STATE_JSON_H

#include <stdbool.h>

#include "core/ups.h"
#include "identity/instance.h"
#include "options.h"

/* One UPS as the file has it. */
struct state_view {
	const char *system, *status, *role, *comm;
	long power, charge, runtime;
	long long age_ms;	/* -1: never seen */
	bool login;
	unsigned int secure;	/* SECURE_ bits; WITH_TLS */
	enum critical critical;
};

/* A timer that runs. */
struct state_timer {
	const char *name, *system, *type;
	long seconds;		/* until it is due */
};

#if WITH_JSON

void state_json_header(const struct verdict *v, const char *verdict, const char *phase);
void state_json_ups(const struct state_view *v, bool first);
void state_json_timer(const struct state_timer *t, bool first);
/* timers: there was one */
void state_json_end(bool timers);

#else

/* -j is refused before anything of this is called. */
static inline void state_json_header(const struct verdict *v, const char *verdict, const char *phase)
{
	(void)v;
	(void)verdict;
	(void)phase;
}

static inline void state_json_ups(const struct state_view *v, bool first)
{
	(void)v;
	(void)first;
}

static inline void state_json_timer(const struct state_timer *t, bool first)
{
	(void)t;
	(void)first;
}

static inline void state_json_end(bool timers)
{
	(void)timers;
}

#endif

#endif
