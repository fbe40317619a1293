/* SPDX-License-Identifier: ISC */
#include "core/proto.h"

#include <string.h>
#include <strings.h>

/* What follows the verb. */
enum argument { ARG_NONE, ARG_USER, ARG_PASSWORD, ARG_UPS };

static const struct {
	const char *verb;
	enum argument argument;
	const char *tail;
} requests[] = {
	[REQUEST_USERNAME] = { "USERNAME", ARG_USER, "" },
	[REQUEST_PASSWORD] = { "PASSWORD", ARG_PASSWORD, "" },
	[REQUEST_LOGIN] = { "LOGIN", ARG_UPS, "" },
	[REQUEST_PRIMARY] = { "PRIMARY", ARG_UPS, "" },
	[REQUEST_MASTER] = { "MASTER", ARG_UPS, "" },
	[REQUEST_STATUS] = { "GET VAR", ARG_UPS, " ups.status" },
	[REQUEST_ALARM] = { "GET VAR", ARG_UPS, " ups.alarm" },
	[REQUEST_CHARGE] = { "GET VAR", ARG_UPS, " battery.charge" },
	[REQUEST_RUNTIME] = { "GET VAR", ARG_UPS, " battery.runtime" },
	[REQUEST_CLIENTS] = { "LIST CLIENT", ARG_UPS, "" },
	[REQUEST_NUMLOGINS] = { "GET NUMLOGINS", ARG_UPS, "" },
	[REQUEST_FSD] = { "FSD", ARG_UPS, "" },
	[REQUEST_LOGOUT] = { "LOGOUT", ARG_NONE, "" },
#if WITH_TLS
	[REQUEST_STARTTLS] = { "STARTTLS", ARG_NONE, "" },
#endif
};

struct out {
	char *text;
	size_t size, used;
};

static void put(struct out *o, char c)
{
	if (o->used + 1 < o->size)
		o->text[o->used++] = c;
}

static void put_text(struct out *o, const char *text)
{
	while (*text)
		put(o, *text++);
}

/*
 * Quoted only where it must be, as NUT's tools do.  upsd takes # for a comment
 * even inside quotes, so that is escaped as well.
 */
static void put_argument(struct out *o, const char *text)
{
	int quote = *text == '\0' || strpbrk(text, " \t\"\\#=") != NULL;

	put(o, ' ');
	if (quote)
		put(o, '"');
	for (; *text; text++) {
		if (strchr("\"\\#", *text))
			put(o, '\\');
		put(o, *text);
	}
	if (quote)
		put(o, '"');
}

size_t proto_request(char *out, size_t size, enum proto_request request, const struct conf *conf,
		     const struct conf_ups *ups)
{
	struct out o = { out, size, 0 };

	put_text(&o, requests[request].verb);
	switch (requests[request].argument) {
	case ARG_USER:
		put_argument(&o, conf_get(conf, ups->user));
		break;
	case ARG_PASSWORD:
		put_argument(&o, conf_get(conf, ups->password));
		break;
	case ARG_UPS:
		put_argument(&o, conf_get(conf, ups->name));
		break;
	case ARG_NONE:
		break;
	}
	put_text(&o, requests[request].tail);
	put(&o, '\n');
	out[o.used] = '\0';
	return o.used;
}

/* Without case, as in NUT: a server may spell the name of a UPS in its own way. */
static int matches(const struct words *w, const char *first, const char *second, const char *third)
{
	return strcasecmp(words_at(w, 0), first) == 0 && strcasecmp(words_at(w, 1), second) == 0 &&
	       (!third || strcasecmp(words_at(w, 2), third) == 0);
}

static int read_count(const char *text, uint32_t *number)
{
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || digits > 6 || text[digits] != '\0')
		return 0;
	*number = 0;
	for (; *text; text++)
		*number = *number * 10 + (uint32_t)(*text - '0');
	return 1;
}

struct proto_reply proto_reply(enum proto_request request, struct words *words,
			       const char *ups_name)
{
	struct proto_reply reply = { PROTO_RUBBISH, words_at(words, 0), 0 };

	if (strcmp(words_at(words, 0), "ERR") == 0 && words->count > 1) {
		reply.kind = PROTO_ERR;
		reply.text = words_at(words, 1);
		return reply;
	}
	if (request >= REQUEST_STATUS && request <= REQUEST_RUNTIME) {
		/* the tail is " variable"; a value without quotes may be several words, or none */
		if (words->count >= 3 &&
		    matches(words, "VAR", ups_name, requests[request].tail + 1)) {
			words_join(words, 3);
			reply.kind = PROTO_OK;
			reply.text = words_at(words, 3);
		}
	} else if (request == REQUEST_CLIENTS) {
		if (matches(words, "END", "LIST", "CLIENT"))
			reply.kind = PROTO_OK;
		else if (matches(words, "BEGIN", "LIST", "CLIENT"))
			reply.kind = PROTO_MORE;
		else if (matches(words, "CLIENT", ups_name, NULL)) {
			reply.kind = PROTO_MORE;
			reply.number = 1;
		}
	} else if (request == REQUEST_NUMLOGINS) {
		if (words->count == 3 && matches(words, "NUMLOGINS", ups_name, NULL) &&
		    read_count(words_at(words, 2), &reply.number))
			reply.kind = PROTO_OK;
	} else if (strncmp(words_at(words, 0), "OK", 2) == 0) {
		/* "OK", "OK FSD-SET", "OK Goodbye": whatever starts so is a yes */
		reply.kind = PROTO_OK;
	}
	return reply;
}

const char *proto_variable_name(enum conf_variable variable)
{
	return requests[REQUEST_ALARM + variable].tail + 1;
}

const char *proto_request_name(enum proto_request request)
{
	return requests[request].verb;
}
