/* SPDX-License-Identifier: ISC */
/*
 * resolv_conf.h - /etc/resolv.conf (resolv.conf(5)): nameserver, search, domain
 * and options ndots.  The other options are not needed: dns_ask.h says when
 * which server is asked.
 */
#ifndef RESOLV_CONF_H
#define RESOLV_CONF_H

#include <netinet/in.h>

#define RESOLV_SERVERS_MAX 3
#define RESOLV_SEARCH_MAX 6

union resolv_server {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct resolv_conf {
	/* of this machine where none is named, as everywhere */
	union resolv_server servers[RESOLV_SERVERS_MAX];
	unsigned int server_count;
	unsigned int silent; /* a bit for each that has not answered: dns_ask.h */
	char search[RESOLV_SEARCH_MAX][128];
	unsigned int search_count;
	unsigned int ndots; /* a name with as many dots is tried as it is first */
};

void resolv_conf_read(struct resolv_conf *conf);

/* An address in digits, IPv6 with a scope (fe80::1%eth0) as well; its length, 0 if it is none. */
socklen_t resolv_address(const char *text, union resolv_server *address);

#endif
