/* SPDX-License-Identifier: ISC */
/*
 * session_tls.h - STARTTLS, before anything else is said on a connection.
 *
 * As in NUT it is always tried.  A server that refuses is used in the clear, unless
 * the configuration forces TLS or wants the certificate verified: then nothing
 * is said in the clear, and a password least of all.
 *
 * A server that does not answer STARTTLS is asked again on every other
 * connection, and used in the clear on the one between: whoever swallows it in
 * the hope of that could as well refuse it.
 */
#ifndef SESSION_TLS_H
#define SESSION_TLS_H

#include "core/session.h"

#if WITH_TLS
/* The server has so long for its part of the handshake, as a whole. */
#define SESSION_TLS_MS 15000

/* On a new connection, and when it ends. */
void session_tls_begin(struct session *s);
void session_tls_end(struct session *s);

/* STARTTLS is to be sent, or was, and is not answered yet. */
bool session_tls_is_due(const struct session *s);

/* The answer to STARTTLS; false: the connection must not be used. */
bool session_tls_reply(struct session *s, struct session_step *step,
		       const struct proto_reply *reply);

/* There was none. */
void session_tls_silent(struct session *s, struct session_step *step);

/* The handshake is done: SECURE_ bits, and the version of TLS. */
void session_tls_done(struct session *s, struct session_step *step, uint8_t secure,
		      const char *version);
#else
static inline void session_tls_begin(struct session *s)
{
	(void)s;
}
static inline void session_tls_end(struct session *s)
{
	(void)s;
}
static inline bool session_tls_is_due(const struct session *s)
{
	(void)s;
	return false;
}
static inline bool session_tls_reply(struct session *s, struct session_step *step,
				     const struct proto_reply *reply)
{
	(void)s;
	(void)step;
	(void)reply;
	return true;
}
static inline void session_tls_silent(struct session *s, struct session_step *step)
{
	(void)s;
	(void)step;
}
#endif

#endif
