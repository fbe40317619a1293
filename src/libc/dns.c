/* SPDX-License-Identifier: ISC */
#include "libc/dns.h"

#include <string.h>

#define HEADER 12
#define CLASS_IN 1
#define NO_SUCH_NAME 3

static unsigned int read16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

static void write16(uint8_t *p, unsigned int value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

/* The labels of a name, each behind its length; the length of all, 0 if it is none. */
static size_t write_name(uint8_t *to, const char *name)
{
	size_t used = 0;

	while (*name) {
		size_t len = strcspn(name, ".");

		/* 255 with the 0 at the end; an empty label is none */
		if (len == 0 || len > 63 || used + len + 2 > DNS_NAME_MAX - 1)
			return 0;
		to[used++] = (uint8_t)len;
		memcpy(to + used, name, len);
		used += len;
		name += len + (name[len] == '.');
	}
	to[used] = 0;
	return used > 0 ? used + 1 : 0;
}

size_t dns_question(uint8_t to[DNS_QUESTION_MAX], uint16_t id, const char *name, enum dns_type type)
{
	size_t len = write_name(to + HEADER, name);

	if (len == 0)
		return 0;
	memset(to, 0, HEADER);
	write16(to, id);
	to[2] = 1; /* recursion desired */
	to[5] = 1; /* one question */
	write16(to + HEADER + len, type);
	write16(to + HEADER + len + 2, CLASS_IN);
	return HEADER + len + 4;
}

/* Servers may change the case of letters; no length of a label is a letter. */
static bool is_same_question(const uint8_t *a, const uint8_t *b, size_t len)
{
	for (size_t i = HEADER; i < len; i++) {
		uint8_t x = a[i], y = b[i];

		if (x >= 'A' && x <= 'Z')
			x |= 0x20;
		if (y >= 'A' && y <= 'Z')
			y |= 0x20;
		if (x != y)
			return false;
	}
	return true;
}

/* Behind a name: its end, or a pointer to the rest, which is not followed.  Past len: none. */
static size_t skip_name(const uint8_t *message, size_t len, size_t at)
{
	while (at < len) {
		if (message[at] == 0)
			return at + 1;
		if (message[at] >= 0xc0)
			return at + 2;
		if (message[at] > 63)
			break;
		at += 1u + message[at];
	}
	return len + 1;
}

static void keep(struct dns_addresses *found, const uint8_t *data, size_t len)
{
	if (found->count < DNS_ADDRESSES_MAX)
		memcpy(found->bytes[found->count++], data, len);
}

/* Nothing at all, of a server that neither has the name nor asks others. */
static bool is_lame(const uint8_t *answer)
{
	bool authoritative = answer[2] & 4, asks_others = answer[3] & 0x80;

	return (answer[3] & 15) == 0 && read16(answer + 6) == 0 && read16(answer + 10) == 0 &&
	       !(answer[2] & 2) && !authoritative && !asks_others;
}

enum dns_result dns_answer(const uint8_t *answer, size_t len, const uint8_t *question,
			   size_t question_len, struct dns_addresses *found)
{
	unsigned int type = read16(question + question_len - 4);
	size_t at = question_len, address_len = type == DNS_A ? 4 : 16;
	unsigned int rcode;
	bool fails;

	found->count = 0;
	if (len < HEADER || read16(answer) != read16(question) || (answer[2] & 0xf8) != 0x80)
		return DNS_FOREIGN;
	rcode = answer[3] & 15u;
	fails = rcode != 0 && rcode != NO_SUCH_NAME;
	/* who refuses may leave out the question */
	if (fails && read16(answer + 4) == 0)
		return DNS_FAILED;
	if (read16(answer + 4) != 1 || len < question_len ||
	    !is_same_question(answer, question, question_len))
		return DNS_FOREIGN;
	if (fails || is_lame(answer))
		return DNS_FAILED;
	for (unsigned int n = read16(answer + 6); n > 0; n--) {
		size_t data_len;

		at = skip_name(answer, len, at);
		if (at + 10 > len)
			break;
		data_len = read16(answer + at + 8);
		at += 10;
		if (data_len > len - at)
			break;
		if (read16(answer + at - 10) == type && read16(answer + at - 8) == CLASS_IN &&
		    data_len == address_len)
			keep(found, answer + at, data_len);
		at += data_len;
	}
	/* of a truncated answer, too, each address is one */
	if (found->count > 0)
		return DNS_FOUND;
	return answer[2] & 2 ? DNS_TRUNCATED : DNS_NONE;
}
