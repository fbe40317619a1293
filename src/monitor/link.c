/* SPDX-License-Identifier: ISC */
#include "monitor/link.h"

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
	link_event *emit;
	void *arg;
};

void link_init(struct link *l)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
}

void link_close(struct link *l)
{
	/* a look-up that is of no use any more; child.c knows if it ended already */
	if (l->state == LINK_LOOKUP)
		child_kill(l->child, SIGKILL);
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->state = LINK_CLOSED;
	l->out_used = 0;
}

static void fail(struct link *l, const struct emitter *e, enum event_kind kind, const char *why)
{
	struct event ev = { .kind = kind, .ups = e->ups, .why = why };

	link_close(l);
	e->emit(e->arg, &ev);
}

static void connected(struct link *l, const struct emitter *e)
{
	struct event ev = { .kind = EV_CONNECTED, .ups = e->ups };
	int one = 1;

	/* requests are one small packet each, and their replies are waited for */
	(void)setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	l->state = LINK_OPEN;
	words_init(&l->words, WORDS_WIRE);
	e->emit(e->arg, &ev);
}

/* Tries the addresses in turn, from l->next on. */
static void try_addresses(struct link *l, const struct emitter *e, int error)
{
	while (l->next < l->answer.count) {
		const struct sockaddr_storage *to = &l->answer.address[l->next];
		socklen_t len = l->answer.length[l->next++];

		l->fd = socket(to->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (l->fd < 0) {
			error = errno;
			continue;
		}
		if (connect(l->fd, (const struct sockaddr *)to, len) == 0) {
			connected(l, e);
			return;
		}
		if (errno == EINPROGRESS) {
			l->state = LINK_CONNECTING;
			return;
		}
		error = errno;
		close(l->fd);
		l->fd = -1;
	}
	fail(l, e, EV_CLOSED, strerror(error));
}

void link_open(struct link *l, uint16_t ups, const char *host, uint16_t port, int family,
	       link_event *emit, void *arg)
{
	struct emitter e = { ups, emit, arg };

	link_close(l);
	l->next = 0;
	if (lookup_numeric(host, port, family, &l->answer)) {
		try_addresses(l, &e, 0);
		return;
	}
	l->child = lookup_start(host, port, family, &l->fd);
	if (l->child < 0) {
		l->fd = -1;
		fail(l, &e, EV_CLOSED, strerror(errno));
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
		fail(l, e, EV_CLOSED, "the name look-up failed");
	else if (l->answer.count == 0)
		fail(l, e, EV_CLOSED, gai_strerror(l->answer.error));
	else
		try_addresses(l, e, 0);
}

static void connect_done(struct link *l, const struct emitter *e)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0) {
		connected(l, e);
		return;
	}
	close(l->fd);
	l->fd = -1;
	try_addresses(l, e, error);
}

static void flush(struct link *l)
{
	ssize_t n;

	if (l->out_used == 0)
		return;
	n = send(l->fd, l->out, l->out_used, MSG_NOSIGNAL);
	/* an error shows at the next read, with its reason */
	if (n <= 0)
		return;
	l->out_used = (uint16_t)(l->out_used - n);
	memmove(l->out, l->out + n, l->out_used);
}

void link_send(struct link *l, const char *text, size_t len)
{
	/* one request at a time is out, so there is room, or the link is broken */
	if (l->state != LINK_OPEN || len > sizeof(l->out) - l->out_used)
		return;
	memcpy(l->out + l->out_used, text, len);
	l->out_used = (uint16_t)(l->out_used + len);
	flush(l);
}

/* Feeds what was read; false if the link has ended on the way. */
static bool feed(struct link *l, const struct emitter *e, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct event ev = { .kind = EV_LINE, .ups = e->ups, .words = &l->words };
		enum words_result result = words_feed(&l->words, (unsigned char)bytes[i]);

		if (result == WORDS_MORE)
			continue;
		if (result != WORDS_LINE) {
			fail(l, e, EV_GARBAGE, words_error(result));
			return false;
		}
		e->emit(e->arg, &ev);
		if (l->state != LINK_OPEN)
			return false;
	}
	return true;
}

static void receive(struct link *l, const struct emitter *e)
{
	char bytes[256];

	/* bounded: a server that talks without end must not keep us here */
	for (int rounds = 0; rounds < 8; rounds++) {
		ssize_t n = recv(l->fd, bytes, sizeof(bytes), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			fail(l, e, EV_CLOSED,
			     n < 0 ? strerror(errno) : "closed by the server");
			return;
		}
		if (!feed(l, e, bytes, (size_t)n))
			return;
	}
}

bool link_watch(const struct link *l, struct pollfd *pfd)
{
	pfd->fd = l->fd;
	pfd->revents = 0;
	pfd->events = POLLIN;
	if (l->state == LINK_CONNECTING)
		pfd->events = POLLOUT;
	else if (l->out_used > 0)
		pfd->events = POLLIN | POLLOUT;
	return l->state != LINK_CLOSED;
}

void link_handle(struct link *l, uint16_t ups, link_event *emit, void *arg)
{
	struct emitter e = { ups, emit, arg };

	switch (l->state) {
	case LINK_LOOKUP:
		lookup_done(l, &e);
		break;
	case LINK_CONNECTING:
		connect_done(l, &e);
		break;
	case LINK_OPEN:
		flush(l);
		receive(l, &e);
		break;
	case LINK_CLOSED:
		break;
	}
}
