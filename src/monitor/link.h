/* SPDX-License-Identifier: ISC */
/*
 * link.h - the bytes between one session and its server: name look-up,
 * connect, read, write; none of them waits.  TLS will go in here, and nothing
 * above will notice.
 *
 * A link tells what happens through its events: CONNECTED, then LINE for each
 * line; CLOSED or GARBAGE ends it.  What the caller asks for (link_close())
 * makes no event.
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

enum link_state { LINK_CLOSED, LINK_LOOKUP, LINK_CONNECTING, LINK_OPEN };

struct link {
	enum link_state state;
	int fd;			/* the look-up's pipe, then the socket */
	pid_t child;		/* of the look-up */
	uint16_t out_used;	/* not yet written */
	uint32_t next;		/* the address to try next */
	struct lookup_answer answer;
	struct words words;
	char out[PROTO_REQUEST_MAX];
};

typedef void link_event(void *arg, const struct event *ev);

void link_init(struct link *l);

/* family: AF_UNSPEC, AF_INET, AF_INET6.  Failure comes as an event. */
void link_open(struct link *l, uint16_t ups, const char *host, uint16_t port, int family,
	       link_event *emit, void *arg);
void link_send(struct link *l, const char *text, size_t len);
void link_close(struct link *l);

/* What to wait for; false if there is nothing. */
bool link_watch(const struct link *l, struct pollfd *pfd);
void link_handle(struct link *l, uint16_t ups, link_event *emit, void *arg);

#endif
