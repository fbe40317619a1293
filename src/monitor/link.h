/* SPDX-License-Identifier: ISC */
/*
 * link.h - the bytes between one session and its server: read, write, and the
 * handshake of TLS, on a connection that dial.h makes; none of them waits.
 *
 * A link tells what happens through its events: CONNECTED, then LINE for each
 * line, and GARBAGE for one that cannot be read; CLOSED ends it.  A close
 * that the caller asks for (link_close()) makes no event.  link_secure() turns a
 * connection into one of TLS: SECURED tells that it is, and CLOSED why it is not.
 */
#ifndef LINK_H
#define LINK_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "core/proto.h"
#include "core/words.h"
#include "monitor/dial.h"
#include "monitor/transport.h"

enum link_state {
	LINK_CLOSED,
	LINK_DIALLING,
#if WITH_TLS
	LINK_SECURING,	/* the handshake */
#endif
	LINK_OPEN,
};

struct link {
	enum link_state state;
	int fd;			/* while it is open */
	uint16_t out_used;	/* of out */
	uint16_t nothing;	/* bytes since the last line that said something */
	char *out;		/* what the kernel did not take, hardly ever anything */
	struct dial dial;
	struct transport transport;
#if WITH_TLS
	short secure_events;	/* what the handshake waits for */
	int64_t secure_at;	/* when the handshake goes on by itself; NEVER: it waits */
	const char *secure_why;	/* it could not even begin */
#endif
	struct words words;
};

typedef void link_event(void *arg, const struct event *ev);

/* out: the caller's, for as long as the link is used. */
void link_init(struct link *l, char out[PROTO_REQUEST_MAX]);

/* family: AF_UNSPEC, AF_INET, AF_INET6.  Failure comes as an event. */
void link_open(struct link *l, uint16_t ups, const char *host, uint16_t port, int family,
	       int64_t now, link_event *emit, void *arg);
void link_send(struct link *l, const char *text, size_t len);
void link_close(struct link *l);

/* name: that the certificate of the server must have, if it is to be verified. */
#if WITH_TLS
void link_secure(struct link *l, const char *name, bool verify);
#endif

/* For people, of a link that was closed: the addresses that it tried, and why they failed. */
const char *link_what(const struct link *l);

/* What to wait for, ADDRESSES_MAX descriptors at most; returns their number. */
unsigned int link_watch(const struct link *l, struct pollfd *fds);

/* And until when. */
int64_t link_deadline(const struct link *l);

/* fds as link_watch() has filled them; ones that are closed by now are passed over. */
void link_handle(struct link *l, uint16_t ups, const struct pollfd *fds, unsigned int count,
		 int64_t now, link_event *emit, void *arg);

#endif
