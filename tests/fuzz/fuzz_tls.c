/* SPDX-License-Identifier: ISC */
/*
 * A server that speaks TLS, or does not: the first byte says in pieces of which size its bytes
 * come, and whether its certificate is looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tls/tls.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What we say goes nowhere; it must not fill the socket. */
static void swallow(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

/* What a session does once it is encrypted, if it ever is. */
static void talk(struct tls *tls)
{
	char bytes[256];

	(void)tls_secure(tls);
	if (!*tls_version(tls))
		abort();
	for (int i = 0; i < 4; i++) {
		if (tls_recv(tls, bytes, sizeof(bytes)) <= 0)
			break;
	}
	(void)tls_send(tls, "GET VAR ups ups.status\n", 23);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool started;
	const struct tls_files files = { .ca = { .error = "" }, .own = { .error = "" },
					 .ca_path = "", .own_path = "", .password = "" };
	struct tls_problems problems;
	const char *why = "";
	size_t piece, sent = 1;
	struct tls *tls;
	int ends[2];

	if (size == 0)
		return 0;
	if (!started)
		tls_start(&files, 1, &problems);
	started = true;
	piece = (data[0] & 0x3f) ? data[0] & 0x3f : size;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		abort();
	tls = tls_begin(ends[0], "server", data[0] & 0x40, &why);
	for (int steps = 0; tls && steps < 10000; steps++) {
		enum tls_result result = tls_step(tls);

		swallow(ends[1]);
		if (result == TLS_DONE)
			talk(tls);
		if (result == TLS_DONE || result == TLS_FAILED)
			break;
		if (result != TLS_READ)
			continue;
		if (sent < size) {
			size_t len = size - sent < piece ? size - sent : piece;

			sent += (size_t)send(ends[1], data + sent, len, MSG_NOSIGNAL);
			if (sent >= size)
				shutdown(ends[1], SHUT_WR);
		} else {
			shutdown(ends[1], SHUT_WR);
		}
	}
	if (tls && !tls_why(tls))
		abort();
	if (tls)
		tls_end(tls);
	close(ends[0]);
	close(ends[1]);
	return 0;
}
