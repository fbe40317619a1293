/* SPDX-License-Identifier: ISC */
#include "core/utf8.h"

#include <stdbool.h>
#include <stdint.h>

static bool is_inside(unsigned char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* Its bytes; 0 if none begins here. */
static size_t letter(const unsigned char *p, size_t left)
{
	/* the first letter of each length: what is smaller has a shorter form */
	static const uint32_t least[] = { 0, 0, 0xa0, 0x800, 0x10000 };
	size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	uint32_t code = p[0];

	if (len < 2)
		return p[0] == 0x7f ? 0 : len;
	if (len > left)
		return 0;
	code &= 0x7fU >> len;
	for (size_t i = 1; i < len; i++) {
		if (!is_inside(p[i]))
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	if (code < least[len] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff || p[0] >= 0xf8)
		return 0;
	return len;
}

void utf8_mend(char *text, size_t len)
{
	size_t at = 0;

	while (at < len) {
		size_t bytes = letter((const unsigned char *)text + at, len - at);

		if (bytes == 0)
			text[at] = '?';
		at += bytes > 0 ? bytes : 1;
	}
}

size_t utf8_cut(const char *text, size_t len)
{
	size_t end = len;

	/* of a text in another encoding no more than this is lost */
	while (end > 0 && len - end < 3 && is_inside((unsigned char)text[end]))
		end--;
	return end;
}
