/* SPDX-License-Identifier: ISC */
/*
 * hosts.h - /etc/hosts.  A name that stands there is not asked of a server; nor
 * is localhost, which needs no file (RFC 6761).
 */
#ifndef HOSTS_H
#define HOSTS_H

#include "libc/dns_ask.h"

/* False if there is no address of a type that is wanted. */
bool hosts_find(const char *name, struct dns_asked asked[DNS_ASK_TYPES]);

#endif
