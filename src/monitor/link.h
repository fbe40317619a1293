/* SPDX-License-Identifier: ISC */
/*
 * link.h - the bytes between one session and its server: name look-up,
 * connect, read, write, and the handshake of TLS; none of them waits.
 *
 * A name may have several addresses, and one of them may swallow all packets.
 * So the addresses are tried side by side: each one starts LINK_NEXT_MS after the
 * last, or as soon as that has failed.  The first that answers wins (RFC 8305),
 * and goes first the next time.
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
#include "monitor/lookup.h"
#include "monitor/transport.h"

#define LINK_NEXT_MS 250

enum link_state {
	LINK_CLOSED,
	LINK_LOOKUP,
	LINK_CONNECTING,
#if WITH_TLS
	LINK_SECURING,	/* the handshake */
#endif
	LINK_OPEN,
};

struct link {
	enum link_state state;
	int fd;			/* the look-up's pipe, then the socket */
	int tries[ADDRESSES_MAX]; /* sockets that connect; -1: none */
	uint32_t next;		/* the address to try next */
	int64_t next_at;	/* when; NEVER: there is none.  Of a handshake the next step */
	pid_t child;		/* of the look-up */
	uint16_t out_used;	/* of out */
	char *out;		/* what the kernel did not take, hardly ever anything */
	struct lookup_answer answer;
	union lookup_address winner; /* of the last connection */
	struct transport transport;
#if WITH_TLS
	short secure_events;	/* what the handshake waits for */
	const char *secure_why;	/* it could not even begin */
#endif
	struct words words;
	char what[WHY_MAX];	/* which addresses were tried, and why they failed */
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
