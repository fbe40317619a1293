/* SPDX-License-Identifier: ISC */
/*
 * proto.h - the requests of RFC 9271 that upsmon makes, and their replies.
 *
 * Pure: requests are written into a buffer, replies are read from words.
 */
#ifndef PROTO_H
#define PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "core/conf.h"
#include "core/words.h"

enum proto_request {
	REQUEST_USERNAME,
	REQUEST_PASSWORD,
	REQUEST_LOGIN,
	REQUEST_PRIMARY,
	REQUEST_MASTER,		/* PRIMARY's name in servers before NUT 2.8 */
	REQUEST_STATUS,
	REQUEST_ALARM,		/* in the order of enum conf_variable */
	REQUEST_CHARGE,
	REQUEST_RUNTIME,
	REQUEST_NUMLOGINS,
	REQUEST_CLIENTS,	/* where NUMLOGINS fails: stale data, say */
	REQUEST_FSD,
	REQUEST_LOGOUT,
	REQUEST_STARTTLS,	/* WITH_TLS */
};

/* The longest request: two quoted texts, each byte of them escaped. */
#define PROTO_REQUEST_MAX (2 * WORDS_TEXT_MAX + 64)

enum proto_kind {
	PROTO_OK,	/* yes, or the value that was asked for */
	PROTO_ERR,	/* ERR and a code */
	PROTO_MORE,	/* a line of a list; number is 1 for an entry, and 0 at its begin */
	PROTO_RUBBISH,	/* nothing that answers this request */
};

struct proto_reply {
	enum proto_kind kind;
	const char *text;	/* ups.status, or the ERR code; points into the words */
	uint32_t number;	/* NUMLOGINS */
};

/* Writes the request with its newline; returns its length, below PROTO_REQUEST_MAX. */
size_t proto_request(char *out, size_t size, enum proto_request request, const struct conf *conf,
		     const struct conf_ups *ups);

/* May join words of the reply. */
struct proto_reply proto_reply(enum proto_request request, struct words *words,
			       const char *ups_name);

const char *proto_variable_name(enum conf_variable variable);

/* The request's name, for messages. */
const char *proto_request_name(enum proto_request request);

#endif
