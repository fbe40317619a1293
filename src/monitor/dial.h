/* SPDX-License-Identifier: ISC */
/*
 * dial.h - from the name of a server to a connection with it; nothing waits.
 *
 * A name may have several addresses, and one of them may swallow all packets.
 * So the addresses are tried side by side: each one starts DIAL_NEXT_MS after the
 * last, or as soon as that has failed.  The first that answers wins (RFC 8305),
 * and goes first the next time.
 */
#ifndef DIAL_H
#define DIAL_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/action.h"
#include "monitor/lookup.h"

#define DIAL_NEXT_MS 250

struct dial {
	int fd;			/* the look-up's pipe; then the connection, which is the caller's */
	pid_t child;		/* of a look-up that goes on; 0: none does */
	int tries[ADDRESSES_MAX]; /* sockets that connect; -1: none */
	uint32_t next;		/* the address to try next */
	int64_t next_at;	/* when; NEVER: there is none */
	struct lookup_answer answer;
	union lookup_address winner; /* of the last connection */
	char what[WHY_MAX];	/* for people: which addresses were tried, and why they failed */
};

enum dial_result {
	DIAL_GOING,	/* see dial_watch() and dial_deadline() */
	DIAL_CONNECTED,	/* fd is the connection; all else is closed */
	DIAL_FAILED,	/* what tells why; all is closed */
};

void dial_init(struct dial *d);

/* Nothing is under way.  family: AF_UNSPEC, AF_INET, AF_INET6. */
enum dial_result dial_start(struct dial *d, const char *host, uint16_t port, int family,
			    int64_t now);

/* What to wait for, ADDRESSES_MAX descriptors at most; returns their number. */
unsigned int dial_watch(const struct dial *d, struct pollfd *fds);

/* And until when. */
int64_t dial_deadline(const struct dial *d);

/* fds as dial_watch() has filled them. */
enum dial_result dial_handle(struct dial *d, const struct pollfd *fds, unsigned int count,
			     int64_t now);

/* Ends what is under way, if anything is; what tells what had not answered. */
void dial_end(struct dial *d);

#endif
