/* SPDX-License-Identifier: ISC */
/*
 * transport.h - what a link reads from and writes to: its socket, or TLS over it.
 *
 * Both answer as recv(2) and send(2) do.  Without TLS nothing of this is left.
 */
#ifndef TRANSPORT_H
#define TRANSPORT_H

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "options.h"

#if WITH_TLS
#include "tls/tls.h"

struct transport {
	struct tls *tls;	/* NULL: in the clear */
};

static inline ssize_t transport_recv(const struct transport *t, int fd, void *out, size_t size)
{
	return t->tls ? tls_recv(t->tls, out, size) : recv(fd, out, size, 0);
}

static inline ssize_t transport_send(const struct transport *t, int fd, const void *data, size_t size)
{
	return t->tls ? tls_send(t->tls, data, size) : send(fd, data, size, MSG_NOSIGNAL);
}

/* There is more to read, which poll(2) does not know of. */
static inline bool transport_has_more(const struct transport *t)
{
	return t->tls && tls_has_more(t->tls);
}

/* Why the last call failed. */
static inline const char *transport_why(const struct transport *t)
{
	return t->tls && errno == EPROTO ? tls_why(t->tls) : strerror(errno);
}

static inline void transport_end(struct transport *t)
{
	if (t->tls)
		tls_end(t->tls);
	t->tls = NULL;
}
#else
struct transport {
};

static inline ssize_t transport_recv(const struct transport *t, int fd, void *out, size_t size)
{
	(void)t;
	return recv(fd, out, size, 0);
}

static inline ssize_t transport_send(const struct transport *t, int fd, const void *data, size_t size)
{
	(void)t;
	return send(fd, data, size, MSG_NOSIGNAL);
}

static inline bool transport_has_more(const struct transport *t)
{
	(void)t;
	return false;
}

static inline const char *transport_why(const struct transport *t)
{
	(void)t;
	return strerror(errno);
}

static inline void transport_end(struct transport *t)
{
	(void)t;
}
#endif

#endif
