/* SPDX-License-Identifier: ISC */
#include "core/action.h"

#include <string.h>

#include "core/utf8.h"

/*
 * A full list would mean that ACTIONS_MAX is wrong.  The place at the end is
 * kept for the one action that must not be lost.
 */
static struct action *add(struct actions *out, enum action_kind kind, uint16_t ups)
{
	unsigned int limit = kind == ACT_SHUTDOWN ? ACTIONS_MAX : ACTIONS_MAX - 1;
	struct action *a = &out->list[out->count < limit ? out->count++ : limit - 1];

	memset(a, 0, sizeof(*a));
	a->kind = kind;
	a->ups = ups;
	return a;
}

void action_connect(struct actions *out, uint16_t ups)
{
	add(out, ACT_CONNECT, ups);
}

void action_close(struct actions *out, uint16_t ups)
{
	add(out, ACT_CLOSE, ups);
}

#if WITH_TLS
void action_secure(struct actions *out, uint16_t ups)
{
	add(out, ACT_SECURE, ups);
}
#endif

void action_send(struct actions *out, uint16_t ups, enum proto_request request)
{
	add(out, ACT_SEND, ups)->u.request = request;
}

static void keep_why(struct action *a, const char *why)
{
	size_t len = strlen(why);

	if (len >= sizeof(a->why))
		len = utf8_cut(why, sizeof(a->why) - 1);
	memcpy(a->why, why, len);
}

static struct action *add_of_type(struct actions *out, enum action_kind kind, uint16_t ups,
				  enum notify_type type, const char *why)
{
	struct action *a = add(out, kind, ups);

	a->u.type = type;
	keep_why(a, why);
	return a;
}

void action_notify(struct actions *out, uint16_t ups, enum notify_type type, const char *more)
{
	add_of_type(out, ACT_NOTIFY, ups, type, more);
}

void action_command(struct actions *out, uint16_t ups, enum notify_type type, const char *argument,
		    bool at_once)
{
	add_of_type(out, ACT_COMMAND, ups, type, argument)->value = at_once;
}

void action_report(struct actions *out, uint16_t ups, enum report report, uint32_t value,
		   const char *why)
{
	struct action *a = add(out, ACT_REPORT, ups);

	a->u.report = report;
	a->value = value;
	keep_why(a, why);
}

void action_shutdown(struct actions *out)
{
	add(out, ACT_SHUTDOWN, UPS_NONE);
}
