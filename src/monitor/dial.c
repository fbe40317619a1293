/* SPDX-License-Identifier: ISC */
#include "monitor/dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"

void dial_init(struct dial *d)
{
	memset(d, 0, sizeof(*d));
	d->fd = -1;
	d->next_at = NEVER;
	for (int i = 0; i < ADDRESSES_MAX; i++)
		d->tries[i] = -1;
}

/* ---- addresses ---- */

/* Adds an address to what people are told; error 0: it has not answered. */
static void tell_address(struct dial *d, uint32_t i, int error)
{
	const union lookup_address *a = &d->answer.address[i];
	bool is_v6 = WITH_IPV6 && a->any.sa_family == AF_INET6;
	size_t used = strlen(d->what);
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(a->any.sa_family,
		  is_v6 ? (const void *)&a->v6.sin6_addr : (const void *)&a->v4.sin_addr, text,
		  sizeof(text));
	if (is_v6 && error == EINVAL && IN6_IS_ADDR_LINKLOCAL(&a->v6.sin6_addr) &&
	    !a->v6.sin6_scope_id)
		snprintf(d->what + used, sizeof(d->what) - used,
			 "%s%s needs its interface, as in %s%%eth0", used ? ", " : "", text, text);
	else
		snprintf(d->what + used, sizeof(d->what) - used, "%s%s%s%s", used ? ", " : "", text,
			 error ? ": " : "", error ? strerror(error) : "");
}

/* The one that answered the last time goes first. */
static void prefer_winner(struct dial *d)
{
	struct lookup_answer *a = &d->answer;

	for (uint32_t i = 1; i < a->count; i++) {
		union lookup_address first = a->address[0];
		socklen_t length = a->length[0];

		if (memcmp(&a->address[i], &d->winner, a->length[i]) != 0)
			continue;
		a->address[0] = a->address[i];
		a->length[0] = a->length[i];
		a->address[i] = first;
		a->length[i] = length;
		return;
	}
}

/* ---- connecting ---- */

static void end_try(struct dial *d, uint32_t i)
{
	if (d->tries[i] >= 0)
		close(d->tries[i]);
	d->tries[i] = -1;
}

static bool is_trying(const struct dial *d)
{
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		if (d->tries[i] >= 0)
			return true;
	}
	return false;
}

static enum dial_result connected(struct dial *d, uint32_t i)
{
	d->fd = d->tries[i];
	d->tries[i] = -1;
	for (uint32_t k = 0; k < ADDRESSES_MAX; k++)
		end_try(d, k);
	d->winner = d->answer.address[i];
	d->next_at = NEVER;
	return DIAL_CONNECTED;
}

/* Begins with the next address that can be begun with; fails when no hope is left. */
static enum dial_result try_next(struct dial *d, int64_t now)
{
	d->next_at = NEVER;
	while (d->next < d->answer.count) {
		uint32_t i = d->next++;

		d->tries[i] = socket(d->answer.address[i].any.sa_family,
				     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (d->tries[i] >= 0 &&
		    connect(d->tries[i], &d->answer.address[i].any, d->answer.length[i]) == 0)
			return connected(d, i);
		if (d->tries[i] >= 0 && errno == EINPROGRESS) {
			if (d->next < d->answer.count)
				d->next_at = now + DIAL_NEXT_MS;
			return DIAL_GOING;
		}
		tell_address(d, i, errno);
		end_try(d, i);
	}
	return is_trying(d) ? DIAL_GOING : DIAL_FAILED;
}

static enum dial_result begin_tries(struct dial *d, int64_t now)
{
	d->next = 0;
	prefer_winner(d);
	return try_next(d, now);
}

static enum dial_result try_done(struct dial *d, uint32_t i, int64_t now)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(d->tries[i], SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0)
		return connected(d, i);
	tell_address(d, i, error);
	end_try(d, i);
	/* the next one need not wait any longer */
	return d->next < d->answer.count || !is_trying(d) ? try_next(d, now) : DIAL_GOING;
}

static enum dial_result handle_tries(struct dial *d, const struct pollfd *fds, unsigned int count,
				     int64_t now)
{
	enum dial_result result = DIAL_GOING;

	for (unsigned int k = 0; k < count; k++) {
		uint32_t i = 0;

		if (!fds[k].revents)
			continue;
		while (i < ADDRESSES_MAX && d->tries[i] != fds[k].fd)
			i++;
		if (i < ADDRESSES_MAX)
			result = try_done(d, i, now);
		if (result != DIAL_GOING)
			return result;
	}
	return now >= d->next_at ? try_next(d, now) : DIAL_GOING;
}

/* ---- the look-up ---- */

static enum dial_result failed(struct dial *d, const char *why)
{
	snprintf(d->what, sizeof(d->what), "%s", why);
	return DIAL_FAILED;
}

static enum dial_result lookup_done(struct dial *d, int64_t now)
{
	bool answered = lookup_read(d->fd, &d->answer);

	d->fd = -1;
	d->child = 0; /* it has ended, or is about to */
	if (!answered)
		return failed(d, "the name look-up failed");
	return d->answer.count ? begin_tries(d, now) : failed(d, gai_strerror(d->answer.error));
}

enum dial_result dial_start(struct dial *d, const char *host, uint16_t port, int family,
			    int64_t now)
{
	pid_t child;

	d->what[0] = '\0';
	if (lookup_numeric(host, port, family, &d->answer))
		return begin_tries(d, now);
	child = lookup_start(host, port, family, &d->fd);
	if (child < 0) {
		d->fd = -1;
		return failed(d, strerror(errno));
	}
	d->child = child;
	return DIAL_GOING;
}

unsigned int dial_watch(const struct dial *d, struct pollfd *fds)
{
	unsigned int used = 0;

	if (d->child > 0) {
		fds[used].fd = d->fd;
		fds[used].revents = 0;
		fds[used++].events = POLLIN;
	}
	for (int i = 0; i < ADDRESSES_MAX; i++) {
		if (d->tries[i] < 0)
			continue;
		fds[used].fd = d->tries[i];
		fds[used].revents = 0;
		fds[used++].events = POLLOUT;
	}
	return used;
}

int64_t dial_deadline(const struct dial *d)
{
	return d->next_at;
}

enum dial_result dial_handle(struct dial *d, const struct pollfd *fds, unsigned int count,
			     int64_t now)
{
	if (d->child <= 0)
		return handle_tries(d, fds, count, now);
	return count == 1 && fds[0].revents ? lookup_done(d, now) : DIAL_GOING;
}

void dial_end(struct dial *d)
{
	/* a look-up that is of no use any more; child.c knows if it ended already */
	if (d->child > 0) {
		child_kill(d->child, SIGKILL);
		d->child = 0;
		close(d->fd);
		d->fd = -1;
		snprintf(d->what, sizeof(d->what), "the name look-up");
	}
	for (uint32_t i = 0; i < ADDRESSES_MAX; i++) {
		if (d->tries[i] >= 0)
			tell_address(d, i, 0);
		end_try(d, i);
	}
	d->next_at = NEVER;
}
