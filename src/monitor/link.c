/* SPDX-License-Identifier: ISC */
#include "monitor/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"

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
	l->out = out;
	l->fd = -1;
	l->next_at = NEVER;
	for (int i = 0; i < ADDRESSES_MAX; i++)
		l->tries[i] = -1;
}

/* ---- addresses ---- */

/* Adds an address to what people are told; error 0: it has not answered. */
static void tell_address(struct link *l, uint32_t i, int error)
{
	const union lookup_address *a = &l->answer.address[i];
	bool is_v6 = WITH_IPV6 && a->any.sa_family == AF_INET6;
	size_t used = strlen(l->what);
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(a->any.sa_family,
		  is_v6 ? (const void *)&a->v6.sin6_addr : (const void *)&a->v4.sin_addr, text,
		  sizeof(text));
	if (is_v6 && error == EINVAL && IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr) &&
	    !a->v6.sin6_scope_id)
		snprintf(l->what + used, sizeof(l->what) - used,
			 "%s%s needs its interface, as in %s%%eth0", used ? ", " : "", text, text);
	else
		snprintf(l->what + used, sizeof(l->what) - used, "%s%s%s%s", used ? ", " : "", text,
			 error ? ": " : "", error ? strerror(error) : "");
}

const char *link_what(const struct link *l)
{
	return l->what;
}

/* The one that answered the last time goes first. */
static void prefer_winner(struct link *l)
{
	struct lookup_answer *a = &l->answer;

	for (uint32_t i = 1; i < a->count; i++) {
		union lookup_address first = a->address[0];
		socklen_t length = a->length[0];

		if (memcmp(&a->address[i], &l->winner, a->length[i]) != 0)
			continue;
		a->address[0] = a->address[i];
		a->length[0] = a->length[i];
		a->address[i] = first;
		a->length[i] = length;
		return;
	}
}

/* ---- its end ---- */

static void end_try(struct link *l, uint32_t i)
{
	if (l->tries[i] >= 0)
		close(l->tries[i]);
	l->tries[i] = -1;
}

void link_close(struct link *l)
{
	/* a look-up that is of no use any more; child.c knows if it ended already */
	if (l->state == LINK_LOOKUP) {
		child_kill(l->child, SIGKILL);
		snprintf(l->what, sizeof(l->what), "the name look-up");
	}
	for (uint32_t i = 0; l->state == LINK_CONNECTING && i < ADDRESSES_MAX; i++) {
		if (l->tries[i] >= 0)
			tell_address(l, i, 0);
	}
	transport_end(&l->transport);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	for (uint32_t i = 0; i < ADDRESSES_MAX; i++)
		end_try(l, i);
	l->next_at = NEVER;
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

static void connected(struct link *l, uint32_t i, const struct emitter *e)
{
	struct event ev = { .kind = EV_CONNECTED, .ups = e->ups };
	int one = 1;

	l->fd = l->tries[i];
	l->tries[i] = -1;
	for (uint32_t k = 0; k < ADDRESSES_MAX; k++)
		end_try(l, k);
	l->winner = l->answer.address[i];
	l->next_at = NEVER;
	/* requests are one small packet each, and their replies are waited for */
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->state = LINK_OPEN;
	words_init(&l->words, WORDS_WIRE);
	e->emit(e->arg, &ev);
}

static bool is_trying(const struct link *l)
{
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		if (l->tries[i] >= 0)
			return true;
	}
	return false;
}

/* Begins with the next address that can be begun with; fails when no hope is left. */
static void try_next(struct link *l, const struct emitter *e)
{
	l->next_at = NEVER;
	while (l->next < l->answer.count) {
		uint32_t i = l->next++;

		l->tries[i] = socket(l->answer.address[i].any.sa_family,
				     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (l->tries[i] >= 0 &&
		    connect(l->tries[i], &l->answer.address[i].any, l->answer.length[i]) == 0) {
			connected(l, i, e);
			return;
		}
		if (l->tries[i] >= 0 && errno == EINPROGRESS) {
			if (l->next < l->answer.count)
				l->next_at = e->now + LINK_NEXT_MS;
			return;
		}
		tell_address(l, i, errno);
		end_try(l, i);
	}
	if (!is_trying(l))
		fail(l, e, l->what);
}

static void begin_tries(struct link *l, const struct emitter *e)
{
	l->state = LINK_CONNECTING;
	l->next = 0;
	prefer_winner(l);
	try_next(l, e);
}

void link_open(struct link *l, uint16_t ups, const char *host, uint16_t port, int family,
	       int64_t now, link_event *emit, void *arg)
{
	struct emitter e = { ups, now, emit, arg };

	link_close(l);
	l->what[0] = '\0';
	if (lookup_numeric(host, port, family, &l->answer)) {
		begin_tries(l, &e);
		return;
	}
	l->child = lookup_start(host, port, family, &l->fd);
	if (l->child < 0) {
		l->fd = -1;
		fail(l, &e, strerror(errno));
		return;
	}
	l->state = LINK_LOOKUP;
}

static void lookup_done(struct link *l, const struct emitter *e)
{
	bool answered = lookup_read(l->fd, &l->answer);

	l->fd = -1;
	l->state = LINK_CONNECTING; /* the child has ended, or is about to */
	if (!answered)
		fail(l, e, "the name look-up failed");
	else if (l->answer.count == 0)
		fail(l, e, gai_strerror(l->answer.error));
	else
		begin_tries(l, e);
}

static void try_done(struct link *l, uint32_t i, const struct emitter *e)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(l->tries[i], SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0) {
		connected(l, i, e);
		return;
	}
	tell_address(l, i, error);
	end_try(l, i);
	/* the next one need not wait any longer */
	if (l->next < l->answer.count || !is_trying(l))
		try_next(l, e);
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

		if (result == WORDS_MORE)
			continue;
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
			snprintf(l->what, sizeof(l->what), "%s",
				 n < 0 ? transport_why(&l->transport) : "closed by the server");
			fail(l, e, l->what);
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
	l->next_at = 0;
	l->transport.tls = tls_begin(l->fd, name, verify, &l->secure_why);
}

static void secured(struct link *l, const struct emitter *e)
{
	struct event ev = { .kind = EV_SECURED,
			    .ups = e->ups,
			    .secure = tls_secure(l->transport.tls),
			    .why = tls_version(l->transport.tls) };

	l->state = LINK_OPEN;
	l->next_at = NEVER;
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
	l->next_at = NEVER;
	switch (tls_step(l->transport.tls)) {
	case TLS_DONE:
		secured(l, e);
		break;
	case TLS_AGAIN:
		l->next_at = 0; /* the others have their turn in between */
		break;
	case TLS_LATER:
		l->next_at = e->now + LINK_NEXT_MS;
		break;
	case TLS_READ:
		l->secure_events = POLLIN;
		break;
	case TLS_WRITE:
		l->secure_events = POLLOUT;
		break;
	case TLS_FAILED:
		snprintf(l->what, sizeof(l->what), "%s", tls_why(l->transport.tls));
		fail(l, e, l->what);
		break;
	}
}
#endif

unsigned int link_watch(const struct link *l, struct pollfd *fds)
{
	unsigned int used = 0;

	if (l->state == LINK_LOOKUP || l->state == LINK_OPEN) {
		fds[used].fd = l->fd;
		fds[used].revents = 0;
		fds[used++].events = (short)(l->out_used > 0 ? POLLIN | POLLOUT : POLLIN);
	}
#if WITH_TLS
	if (l->state == LINK_SECURING) {
		fds[used].fd = l->fd;
		fds[used].revents = 0;
		fds[used++].events = l->secure_events;
	}
#endif
	for (int i = 0; l->state == LINK_CONNECTING && i < ADDRESSES_MAX; i++) {
		if (l->tries[i] < 0)
			continue;
		fds[used].fd = l->tries[i];
		fds[used].revents = 0;
		fds[used++].events = POLLOUT;
	}
	return used;
}

int64_t link_deadline(const struct link *l)
{
	/* what was read already, poll(2) does not tell */
	if (l->state == LINK_OPEN && transport_has_more(&l->transport))
		return 0;
#if WITH_TLS
	if (l->state == LINK_SECURING)
		return l->next_at;
#endif
	return l->state == LINK_CONNECTING ? l->next_at : NEVER;
}

static void handle_tries(struct link *l, const struct pollfd *fds, unsigned int count,
			 const struct emitter *e)
{
	for (unsigned int k = 0; k < count; k++) {
		for (uint32_t i = 0; fds[k].revents && i < ADDRESSES_MAX; i++) {
			if (l->state == LINK_CONNECTING && l->tries[i] == fds[k].fd) {
				try_done(l, i, e);
				break;
			}
		}
	}
	if (l->state == LINK_CONNECTING && e->now >= l->next_at)
		try_next(l, e);
}

void link_handle(struct link *l, uint16_t ups, const struct pollfd *fds, unsigned int count,
		 int64_t now, link_event *emit, void *arg)
{
	struct emitter e = { ups, now, emit, arg };
	/* one that was closed on the way may have lost its descriptor */
	bool readable = count == 1 && fds[0].revents && fds[0].fd == l->fd;

	switch (l->state) {
	case LINK_LOOKUP:
		if (readable)
			lookup_done(l, &e);
		break;
	case LINK_CONNECTING:
		handle_tries(l, fds, count, &e);
		break;
#if WITH_TLS
	case LINK_SECURING:
		if (readable || now >= l->next_at)
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
