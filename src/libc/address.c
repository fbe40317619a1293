/* SPDX-License-Identifier: ISC */
#include "libc/libc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* 01.2.3.4 is none: who wrote it may have meant octal, or not. */
static bool read_v4(const char *text, uint8_t *bytes)
{
	for (int i = 0; i < 4; i++) {
		unsigned int number = 0;
		const char *digits = text;

		for (; *text >= '0' && *text <= '9' && number < 256; text++)
			number = number * 10 + (unsigned int)(*text - '0');
		if (text == digits || number > 255 || (*digits == '0' && text > digits + 1) ||
		    *text++ != (i < 3 ? '.' : '\0'))
			return false;
		bytes[i] = (uint8_t)number;
	}
	return true;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_v6(const char *text, uint8_t *bytes)
{
	int at = 0, gap = -1;

	memset(bytes, 0, 16);
	if (text[0] == ':' && *++text != ':')
		return false;
	while (at < 16) {
		const char *digits = text;
		unsigned int number = 0;

		if (*text == ':' && gap < 0) {
			/* "::", of which the first was read as the end of the number before */
			gap = at;
			if (*++text == '\0')
				break;
			continue;
		}
		for (; hex(*text) >= 0 && text - digits < 4; text++)
			number = number << 4 | (unsigned int)hex(*text);
		if (*text == '.' && at <= 12) {
			if (!read_v4(digits, bytes + at))
				return false;
			at += 4;
			text = "";
			break;
		}
		if (text == digits)
			return false;
		bytes[at++] = (uint8_t)(number >> 8);
		bytes[at++] = (uint8_t)number;
		if (*text == '\0')
			break;
		if (*text++ != ':' || *text == '\0')
			return false;
	}
	if (*text != '\0' || (gap < 0 && at < 16) || (gap >= 0 && at == 16))
		return false;
	if (gap >= 0) {
		memmove(bytes + 16 - (at - gap), bytes + gap, (size_t)(at - gap));
		memset(bytes + gap, 0, (size_t)(16 - at));
	}
	return true;
}

int inet_pton(int family, const char *restrict text, void *restrict address)
{
	uint8_t bytes[16];
	bool good = family == AF_INET ? read_v4(text, bytes) : read_v6(text, bytes);

	if (good)
		memcpy(address, bytes, family == AF_INET ? 4 : 16);
	return good;
}

static unsigned int group(const uint8_t *bytes, int i)
{
	const uint8_t *p = bytes + (ptrdiff_t)2 * i;

	return (unsigned int)p[0] << 8 | p[1];
}

/* The longest run of zeros, at least two groups of them, is left out (RFC 5952). */
static void find_gap(const uint8_t *bytes, int *first, int *end)
{
	*first = *end = 8;
	for (int i = 0; i < 8; i++) {
		int n = i;

		while (n < 8 && group(bytes, n) == 0)
			n++;
		if (n - i > 1 && n - i > *end - *first) {
			*first = i;
			*end = n;
		}
	}
}

const char *inet_ntop(int family, const void *restrict address, char *restrict to, socklen_t size)
{
	const uint8_t *b = address;
	char text[INET6_ADDRSTRLEN];
	int len = 0, first, end;

	if (family == AF_INET) {
		len = snprintf(text, sizeof(text), "%u.%u.%u.%u", b[0], b[1], b[2], b[3]);
	} else {
		find_gap(b, &first, &end);
		for (int i = 0; i < 8; i++) {
			size_t room = sizeof(text) - (size_t)len;

			if (i == first) {
				len += snprintf(text + len, room, i == 0 ? "::" : ":");
				i = end - 1;
			} else if (i == 6 && first == 0 && (end == 6 || (end == 5 && group(b, 5) == 0xffff))) {
				/* an IPv4 address in IPv6's clothes */
				len += snprintf(text + len, room, "%u.%u.%u.%u", b[12], b[13], b[14], b[15]);
				break;
			} else {
				len += snprintf(text + len, room, i < 7 ? "%x:" : "%x", group(b, i));
			}
		}
	}
	if ((socklen_t)len >= size) {
		errno = ENOSPC;
		return NULL;
	}
	memcpy(to, text, (size_t)len + 1);
	return to;
}
