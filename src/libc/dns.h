/* SPDX-License-Identifier: ISC */
/*
 * dns.h - questions and answers of the domain name system (RFC 1035, 3596),
 * as bytes.  Pure: no system call, no state.
 *
 * Who owns a record of the answer is not looked at: a server that follows
 * aliases gives the addresses with them, and a server that lies could as well
 * lie about the name itself.
 */
#ifndef DNS_H
#define DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX 256
#define DNS_QUESTION_MAX (12 + DNS_NAME_MAX + 4)

enum dns_type {
	DNS_A = 1,
	DNS_AAAA = 28,
};

/* Addresses of one type; more than fit are left out. */
#define DNS_ADDRESSES_MAX 8
struct dns_addresses {
	unsigned int count;
	uint8_t bytes[DNS_ADDRESSES_MAX][16]; /* 4 of them used for DNS_A */
};

enum dns_result {
	DNS_FOREIGN,	/* no answer to that question: it may still come */
	DNS_FOUND,	/* there are addresses */
	DNS_NONE,	/* there is no such name, or it has no address of that type */
	DNS_TRUNCATED,	/* and no address among what came: ask by TCP */
	DNS_FAILED,	/* the server does not know, does not want to, or talks nonsense */
};

/* Writes a question; 0 if the name cannot be one of the DNS, else its length. */
size_t dns_question(uint8_t to[DNS_QUESTION_MAX], uint16_t id, const char *name, enum dns_type type);

enum dns_result dns_answer(const uint8_t *answer, size_t len, const uint8_t *question,
			   size_t question_len, struct dns_addresses *found);

#endif
