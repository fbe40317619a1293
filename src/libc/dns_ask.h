/* SPDX-License-Identifier: ISC */
/*
 * dns_ask.h - one name, asked of the servers of resolv.conf.
 *
 * Each second another server is asked, in their order and over again; one that
 * fails hands over to the next at once, and is not asked again.  All that were
 * asked are listened to, so a server that is dead costs a second, and a slow one
 * is not lost.  An address counts at once, whoever knows it; that there is none
 * counts of a later server only when those before it have failed, or have said
 * nothing for 3 seconds.
 *
 * Both types are asked together.  When one has brought addresses, or IPv4 has
 * none, the other gets a second more.  10 seconds at most; who calls has no more
 * patience, and kills.
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
 * Servers that said nothing are noted in conf, and come last for the next name.
 */
enum dns_result dns_ask(struct resolv_conf *conf, const char *name,
			struct dns_asked asked[DNS_ASK_TYPES]);

#endif
