/* SPDX-License-Identifier: ISC */
#include "monitor/link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A server that says so much with nothing in it is not listened to: blanks, or a line without an end. */
#define NOTHING_MAX 4096

#if WITH_TLS
/* A handshake that waits for the random numbers of the kernel looks again after this. */
#define SECURE_NEXT_MS 250
#endif

/* Where the events of one call go. */
struct emitter {
	uint16_t ups;
	int64_t now;
	link_event *emit;
	void *arg;
};

void link_init(struct link *l, char out[PROTO_REQUEST_MAX])
{
	memset(l, 0, sizeof(*l));
	dial_init(&l->dial);
	l->out = out;
	l->fd = -1;
}

const char *link_what(const struct link *l)
{
	return l->dial.what;
}

void link_close(struct link *l)
{
	dial_end(&l->dial);
	transport_end(&l->transport);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->state = LINK_CLOSED;
	l->out_used = 0;
}

static void fail(struct link *l, const struct emitter *e, const char *why)
{
	struct event ev = { .kind = EV_CLOSED, .ups = e->ups, .why = why };

	link_close(l);
	e->emit(e->arg, &ev);
}

/* ---- connecting ---- */

static void connected(struct link *l, const struct emitter *e)
{
	struct event ev = { .kind = EV_CONNECTED, .ups = e->ups };
	int one = 1;

	l->fd = l->dial.fd;
	/* requests are one small packet each, and their replies are waited for */
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->state = LINK_OPEN;
	l->nothing = 0;
	words_init(&l->words, WORDS_WIRE);
	e->emit(e->arg, &ev);
}

static void dialled(struct link *l, const struct emitter *e, enum dial_result result)
{
	if (result == DIAL_CONNECTED)
		connected(l, e);
	else if (result == DIAL_FAILED)
		fail(l, e, l->dial.what);
}

void link_open(struct link *l, uint16_t ups, const char *host, uint16_t port, int family,
	       int64_t now, link_event *emit, void *arg)
{
	struct emitter e = { ups, now, emit, arg };

	link_close(l);
	l->state = LINK_DIALLING;
	dialled(l, &e, dial_start(&l->dial, host, port, family, now));
}

/* ---- bytes ---- */

static void flush(struct link *l)
{
	ssize_t n;

	if (l->out_used == 0)
		return;
	n = transport_send(&l->transport, l->fd, l->out, l->out_used);
	if (n <= 0)
		return; /* as in link_send() */
	l->out_used = (uint16_t)(l->out_used - n);
	memmove(l->out, l->out + n, l->out_used);
}

void link_send(struct link *l, const char *text, size_t len)
{
	size_t sent = 0;

	/* one request at a time is out, so there is room, or the link is broken */
	if (l->state != LINK_OPEN || len > PROTO_REQUEST_MAX - (size_t)l->out_used)
		return;
	/* half a line is of an answer that nobody waits for any more */
	words_init(&l->words, WORDS_WIRE);
	/* an error shows at the next read, with its reason */
	if (l->out_used == 0) {
		ssize_t n = transport_send(&l->transport, l->fd, text, len);

		sent = n > 0 ? (size_t)n : 0;
	}
	memcpy(l->out + l->out_used, text + sent, len - sent);
	l->out_used = (uint16_t)(l->out_used + len - sent);
}

/* Feeds what was read; false if the link has ended on the way, or is open no more. */
static bool feed(struct link *l, const struct emitter *e, const char *bytes, size_t len)
{
	size_t i;

	for (i = 0; i < len && l->state == LINK_OPEN; i++) {
		enum words_result result = words_feed(&l->words, (unsigned char)bytes[i]);
		struct event ev = { .kind = EV_LINE, .ups = e->ups, .words = &l->words };

		if (result == WORDS_MORE && l->nothing++ < NOTHING_MAX)
			continue;
		if (result == WORDS_MORE) {
			fail(l, e, "it says nothing, without an end");
			break;
		}
		l->nothing = 0;
		if (result != WORDS_LINE) {
			ev.kind = EV_GARBAGE;
			ev.why = words_error(result);
		}
		e->emit(e->arg, &ev);
	}
#if WITH_TLS
	/* it would be believed to have come encrypted */
	if (l->state == LINK_SECURING && i < len)
		fail(l, e, "plain text behind the answer to STARTTLS");
#endif
	return l->state == LINK_OPEN;
}

static void receive(struct link *l, const struct emitter *e)
{
	char bytes[256];

	/* bounded: a server that talks without end must not keep us here */
	for (int rounds = 0; rounds < 8; rounds++) {
		bool more;
		ssize_t n = transport_recv(&l->transport, l->fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			snprintf(l->dial.what, sizeof(l->dial.what), "%s",
				 n < 0 ? transport_why(&l->transport) : "closed by the server");
			fail(l, e, l->dial.what);
			return;
		}
		more = (size_t)n == sizeof(bytes);
		if (!feed(l, e, bytes, (size_t)n) || !more)
			return;
	}
}

#if WITH_TLS
/* ---- the handshake ---- */

void link_secure(struct link *l, const char *name, bool verify)
{
	if (l->state != LINK_OPEN)
		return;
	l->state = LINK_SECURING;
	l->secure_events = 0;
	l->secure_at = 0;
	l->transport.tls = tls_begin(l->fd, name, verify, &l->secure_why);
}

static void secured(struct link *l, const struct emitter *e)
{
	struct event ev = { .kind = EV_SECURED,
			    .ups = e->ups,
			    .secure = tls_secure(l->transport.tls),
			    .why = tls_version(l->transport.tls) };

	l->state = LINK_OPEN;
	l->secure_at = NEVER;
	words_init(&l->words, WORDS_WIRE);
	e->emit(e->arg, &ev);
}

static void secure_on(struct link *l, const struct emitter *e)
{
	if (!l->transport.tls) {
		fail(l, e, l->secure_why);
		return;
	}
	l->secure_events = 0;
	l->secure_at = NEVER;
	switch (tls_step(l->transport.tls)) {
	case TLS_DONE:
		secured(l, e);
		break;
	case TLS_AGAIN:
		l->secure_at = 0; /* the others have their turn in between */
		break;
	case TLS_LATER:
		l->secure_at = e->now + SECURE_NEXT_MS;
		break;
	case TLS_READ:
		l->secure_events = POLLIN;
		break;
	case TLS_WRITE:
		l->secure_events = POLLOUT;
		break;
	case TLS_FAILED:
		snprintf(l->dial.what, sizeof(l->dial.what), "%s", tls_why(l->transport.tls));
		fail(l, e, l->dial.what);
		break;
	}
}
#endif

unsigned int link_watch(const struct link *l, struct pollfd *fds)
{
	if (l->state == LINK_DIALLING)
		return dial_watch(&l->dial, fds);
	if (l->state == LINK_CLOSED)
		return 0;
	fds->fd = l->fd;
	fds->revents = 0;
	fds->events = (short)(l->out_used > 0 ? POLLIN | POLLOUT : POLLIN);
#if WITH_TLS
	if (l->state == LINK_SECURING)
		fds->events = l->secure_events;
#endif
	return 1;
}

int64_t link_deadline(const struct link *l)
{
	/* what was read already, poll(2) does not tell */
	if (l->state == LINK_OPEN && transport_has_more(&l->transport))
		return 0;
#if WITH_TLS
	if (l->state == LINK_SECURING)
		return l->secure_at;
#endif
	return dial_deadline(&l->dial);
}

void link_handle(struct link *l, uint16_t ups, const struct pollfd *fds, unsigned int count,
		 int64_t now, link_event *emit, void *arg)
{
	struct emitter e = { ups, now, emit, arg };
	/* one that was closed on the way may have lost its descriptor */
	bool readable = count == 1 && fds[0].revents && fds[0].fd == l->fd;

	switch (l->state) {
	case LINK_DIALLING:
		dialled(l, &e, dial_handle(&l->dial, fds, count, now));
		break;
#if WITH_TLS
	case LINK_SECURING:
		if (readable || now >= l->secure_at)
			secure_on(l, &e);
		break;
#endif
	case LINK_OPEN:
		if (!readable && !transport_has_more(&l->transport))
			break;
		flush(l);
		receive(l, &e);
		break;
	case LINK_CLOSED:
		break;
	}
}
