/* SPDX-License-Identifier: ISC */
/*
 * lookup.h - host names to addresses, without waiting.
 *
 * getaddrinfo(3) blocks for as long as a name server likes, so it runs in a
 * short-lived child that writes its answer into a pipe.  A numeric address
 * needs no child.  If a name has many addresses, the address families take
 * turns, so that neither fills the whole answer.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "options.h"

/* Much smaller than a struct sockaddr_storage. */
union lookup_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct lookup_answer {
	uint32_t count;
	int32_t error; /* of getaddrinfo(), where count is 0 */
	union lookup_address address[ADDRESSES_MAX];
	socklen_t length[ADDRESSES_MAX];
};

/* True if the host is a number; then *answer is complete. */
bool lookup_numeric(const char *host, uint16_t port, int family, struct lookup_answer *answer);

/*
 * Starts the child; *fd becomes readable when the answer is there or the child
 * has died.  family is AF_UNSPEC, AF_INET or AF_INET6.  -1 with errno set.
 */
pid_t lookup_start(const char *host, uint16_t port, int family, int *fd);

/* Reads what the child left, and closes fd.  False if it died without an answer. */
bool lookup_read(int fd, struct lookup_answer *answer);

#endif
