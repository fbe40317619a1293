/* SPDX-License-Identifier: ISC */
/* state_json.h - what `upsmon -c status -j` prints: a header, each UPS, an end. */
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
	enum critical critical;
};

#if WITH_JSON

void state_json_header(const struct verdict *v, const char *verdict, const char *phase);
void state_json_ups(const struct state_view *v, bool first);
void state_json_end(void);

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

static inline void state_json_end(void)
{
}

#endif

#endif
