/* SPDX-License-Identifier: ISC */
/*
 * tls.h - TLS for the connections of the monitor, by mbedTLS 2.28 or 3.6.
 *
 * Nothing here waits: what the socket does not have at once comes later.  A
 * handshake goes by steps, of which each is one message, so that no other UPS
 * waits longer than the longest computation of one step.
 *
 * A certificate that is verified leads to a CA of CERTPATH, is valid by its
 * dates, and bears the name that was asked for (its SAN first, IP addresses too;
 * its CN only if it has no SAN).  While the clock stands before the date of this
 * program it is not set, as on a board without one: the dates alone are then not
 * held against a certificate (SECURE_UNDATED).
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/action.h"

/* What a file of PEM holds, with a NUL behind it; or why there is none. */
struct tls_text {
	const char *text;
	size_t size;
	const char *error;	/* NULL: there is a text */
};

struct tls_files {
	struct tls_text ca;	/* CERTPATH */
	struct tls_text own;	/* CERTFILE */
	const char *ca_path;
	const char *own_path;
	const char *password;	/* of CERTFILE's key; "": none */
};

/* What is wrong with them, for people; "": nothing. */
struct tls_problems {
	char ca[WHY_MAX];	/* no certificate can be verified */
	char some[WHY_MAX];	/* not all of CERTPATH can be used */
	char own[WHY_MAX];	/* a server that wants a certificate refuses us */
};

/*
 * Takes what it needs of *files.  For so many connections at once, before the
 * first of them; anew when all have ended.
 */
void tls_start(const struct tls_files *files, unsigned int connections,
	       struct tls_problems *problems);

struct tls;

enum tls_result {
	TLS_DONE,
	TLS_AGAIN,	/* there is more to compute, at once */
	TLS_LATER,	/* the kernel has no random numbers yet: try again in a while */
	TLS_READ,	/* when there is something to read */
	TLS_WRITE,	/* when something can be written */
	TLS_FAILED,	/* tls_why() */
};

/*
 * Begins with a socket, which stays the caller's.  NULL: it cannot, and *why says
 * so.  The name is a host's or an address; one of scope (fe80::1%eth0) is
 * taken without it.
 */
struct tls *tls_begin(int fd, const char *name, bool verify, const char **why);
void tls_end(struct tls *tls);

enum tls_result tls_step(struct tls *tls);

/* After the handshake: SECURE_ bits, and the version, such as TLSv1.3. */
uint8_t tls_secure(const struct tls *tls);
const char *tls_version(const struct tls *tls);

/* As recv(2) and send(2) do; EPROTO: tls_why(). */
ssize_t tls_recv(struct tls *tls, void *out, size_t size);
ssize_t tls_send(struct tls *tls, const void *data, size_t size);

/* There is more to read, which poll(2) does not know of. */
bool tls_has_more(const struct tls *tls);

/* For people, until the next tls_begin(). */
const char *tls_why(const struct tls *tls);

#endif
