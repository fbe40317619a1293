/* SPDX-License-Identifier: ISC */
/*
 * dns_ask.h - one name, asked of the servers of resolv.conf.
 *
 * Each second another server is asked, in their order and over again; one that
 * fails hands over to the next at once.  All that were asked are listened to,
 * so a server that is dead costs a second, and a slow one is not lost.  Both
 * types are asked together; when one has brought addresses, the other gets a
 * second more.  10 seconds at most; who calls has less patience, and kills.
 */
#ifndef DNS_ASK_H
#define DNS_ASK_H

#include "libc/dns.h"
#include "libc/resolv_conf.h"

enum { DNS_ASK_V6, DNS_ASK_V4, DNS_ASK_TYPES };

struct dns_asked {
	bool wanted; /* from the caller */
	enum dns_result result;
	struct dns_addresses found;
};

/*
 * DNS_FOUND: there are addresses of one type at least.  DNS_NONE: there are
 * none.  DNS_FAILED: the servers do not know.  DNS_FOREIGN: no server answers.
 */
enum dns_result dns_ask(const struct resolv_conf *conf, const char *name,
			struct dns_asked asked[DNS_ASK_TYPES]);

#endif
