/* SPDX-License-Identifier: ISC */
#include "command/state_json.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

/* As a JSON string; what is not printable is left out. */
static void json_string(char *out, size_t size, const char *text)
{
	size_t used = 0;

	out[used++] = '"';
	for (; *text && used + 4 < size; text++) {
		if ((unsigned char)*text < ' ')
			continue;
		if (*text == '"' || *text == '\\')
			out[used++] = '\\';
		out[used++] = *text;
	}
	out[used++] = '"';
	out[used] = '\0';
}

static void json_number(char out[24], long number)
{
	if (number < 0)
		snprintf(out, 24, "null");
	else
		snprintf(out, 24, "%ld", number);
}

void state_json_ups(const struct state_view *v, bool first)
{
	char system[300], status[80], critical[80] = "null";
	char charge[24], runtime[24], age[24];

	json_string(system, sizeof(system), v->system);
	json_string(status, sizeof(status), v->status);
	json_number(charge, v->charge);
	json_number(runtime, v->runtime);
	json_number(age, v->age_ms < 0 ? -1 : (long)(v->age_ms / 1000));
	if (v->critical != CRITICAL_NOT)
		json_string(critical, sizeof(critical), critical_text(v->critical));
	/* three lines, because one holds no more than a message */
	log_line(STDOUT_FILENO, "    %s{\"system\": %s, \"role\": \"%s\", \"power_value\": %ld,",
		 first ? "" : ",", system, v->role, v->power);
	log_line(STDOUT_FILENO,
		 "     \"status\": %s, \"communication\": \"%s\", \"charge\": %s, \"runtime\": %s,",
		 status, v->comm, charge, runtime);
#if WITH_TLS
	log_line(STDOUT_FILENO, "     \"tls\": %s,",
		 v->secure & SECURE_VERIFIED    ? "\"verified\""
		 : v->secure & SECURE_ENCRYPTED ? "\"encrypted\""
						: "null");
#endif
	log_line(STDOUT_FILENO, "     \"age\": %s, \"login\": %s, \"critical\": %s}", age,
		 v->login ? "true" : "false", critical);
}

void state_json_header(const struct verdict *v, const char *verdict, const char *phase)
{
	char text[300], pid[24];

	json_string(text, sizeof(text), verdict);
	json_number(pid, verdict_is_running(v) && v->pid > 0 ? (long)v->pid : -1);
	log_line(STDOUT_FILENO, "{\"running\": %s, \"pid\": %s, \"verdict\": %s,",
		 verdict_is_running(v) ? "true" : "false", pid, text);
	json_string(text, sizeof(text), phase);
	log_line(STDOUT_FILENO, " \"phase\": %s, \"ups\": [", *phase ? text : "null");
}

void state_json_timer(const struct state_timer *t, bool first)
{
	char name[2 * SCHED_NAME_MAX], system[300], type[40];

	json_string(name, sizeof(name), t->name);
	json_string(system, sizeof(system), t->system);
	json_string(type, sizeof(type), t->type);
	log_line(STDOUT_FILENO, "%s", first ? " ], \"timers\": [" : "    ,");
	log_line(STDOUT_FILENO, "    {\"name\": %s, \"due\": %ld, \"system\": %s, \"type\": %s}",
		 name, t->seconds, *t->system ? system : "null", type);
}

void state_json_end(bool timers)
{
	log_line(STDOUT_FILENO, "%s]}", timers ? "" : " ], \"timers\": [");
}
