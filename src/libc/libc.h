/* SPDX-License-Identifier: ISC */
/*
 * libc.h - functions of the C library, as small as the daemon needs them.
 *
 * In a static program those of uClibc-ng are a quarter of all: a look-up of a
 * name brings 25 KB, a formatted number stdio, setenv() an allocator.  So static
 * builds take these in their place, under the names and with the promises of
 * POSIX, and the rest of the daemon knows nothing of it.  A build against a
 * shared C library keeps that library's: there they cost nothing.
 *
 *	format.c   snprintf(), vsnprintf(): c d i u x X p s %, with - 0 * width
 *	           precision and hh h l ll z j t; the rest of a format that asks
 *	           for more stands in the text as it is (tests/lint/architecture.sh)
 *	address.c  inet_pton(), inet_ntop()
 *	resolve.c  getaddrinfo(), freeaddrinfo(), gai_strerror(): a host, and a
 *	           port in digits; hosts.c, resolv_conf.c, dns.c and dns_ask.c do the work
 *	users.c    getpwnam(), getgrouplist(): from /etc/passwd and /etc/group,
 *	           the number of the user and its groups, and no more
 *	environ.c  setenv(), unsetenv(), getcwd()
 *	strings.c  strerror(), of what can happen here; strcasecmp(), strncasecmp()
 */
#ifndef LIBC_H
#define LIBC_H

/* Tests have both in one program. */
#ifdef LIBC_BESIDE_ANOTHER
#define snprintf small_snprintf
#define vsnprintf small_vsnprintf
#define inet_pton small_inet_pton
#define inet_ntop small_inet_ntop
#define getaddrinfo small_getaddrinfo
#define freeaddrinfo small_freeaddrinfo
#define gai_strerror small_gai_strerror
#define getpwnam small_getpwnam
#define getgrouplist small_getgrouplist
#define setenv small_setenv
#define unsetenv small_unsetenv
#define getcwd small_getcwd
#define strerror small_strerror
#define strcasecmp small_strcasecmp
#define strncasecmp small_strncasecmp
#endif

#endif
