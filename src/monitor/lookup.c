/* SPDX-License-Identifier: ISC */
#include "monitor/lookup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/signals.h"

bool lookup_numeric(const char *host, uint16_t port, int family, struct lookup_answer *answer)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	memset(answer, 0, sizeof(*answer));
	answer->count = 1;
	if (family != AF_INET6 && inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		memcpy(&answer->address[0], &v4, sizeof(v4));
		answer->length[0] = sizeof(v4);
		return true;
	}
	/* an address with a scope (fe80::1%eth0) is left to getaddrinfo() */
	if (WITH_IPV6 && family != AF_INET && inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
		memcpy(&answer->address[0], &v6, sizeof(v6));
		answer->length[0] = sizeof(v6);
		return true;
	}
	answer->count = 0;
	return false;
}

static struct addrinfo *of_family(struct addrinfo *ai, int family, bool same)
{
	while (ai && (ai->ai_family == family) != same)
		ai = ai->ai_next;
	return ai;
}

static void keep(const struct addrinfo *ai, struct lookup_answer *answer)
{
	if (answer->count == ADDRESSES_MAX || ai->ai_addrlen > sizeof(answer->address[0]))
		return;
	memcpy(&answer->address[answer->count], ai->ai_addr, ai->ai_addrlen);
	answer->length[answer->count++] = ai->ai_addrlen;
}

/* In the order of the list, but that its first family and the others take turns. */
static void collect(struct addrinfo *list, struct lookup_answer *answer)
{
	int family = list->ai_family;
	struct addrinfo *first = list, *other = of_family(list, family, false);

	while (first || other) {
		if (first) {
			keep(first, answer);
			first = of_family(first->ai_next, family, true);
		}
		if (other) {
			keep(other, answer);
			other = of_family(other->ai_next, family, false);
		}
	}
}

static void resolve(const char *host, uint16_t port, int family, int fd)
{
	struct addrinfo hints, *list = NULL;
	struct lookup_answer answer;
	char service[8];

	memset(&answer, 0, sizeof(answer));
	memset(&hints, 0, sizeof(hints));
	hints.ai_family = family;
	hints.ai_socktype = SOCK_STREAM;
	snprintf(service, sizeof(service), "%u", port);
	answer.error = getaddrinfo(host, service, &hints, &list);
	if (answer.error)
		list = NULL;
	if (list)
		collect(list, &answer);
	/* below PIPE_BUF: written as a whole or not at all */
	if (write(fd, &answer, sizeof(answer)) != (ssize_t)sizeof(answer))
		_exit(1);
	_exit(0);
}

pid_t lookup_start(const char *host, uint16_t port, int family, int *fd)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	pid = child_fork(NULL, NULL);
	if (pid == 0) {
		signals_restore();
		/* a connection that is closed here must be closed for the server, too */
		dup2(ends[1], 3);
		child_close_from(4);
		ends[1] = 3;
		resolve(host, port, family, ends[1]);
	}
	close(ends[1]);
	if (pid < 0)
		close(ends[0]);
	*fd = ends[0];
	return pid;
}

bool lookup_read(int fd, struct lookup_answer *answer)
{
	bool whole = read(fd, answer, sizeof(*answer)) == (ssize_t)sizeof(*answer);

	close(fd);
	return whole && answer->count <= ADDRESSES_MAX;
}
