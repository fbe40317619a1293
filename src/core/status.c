/* SPDX-License-Identifier: ISC */
#include "core/status.h"

#include <string.h>
#include <strings.h>

/* A token without a bit is known and says nothing about the power. */
static const struct token {
	char name[8];
	uint32_t bit;
} tokens[] = {
	{ "OL", ST_OL },	 { "OB", ST_OB },	  { "LB", ST_LB },
	{ "FSD", ST_FSD },	 { "RB", ST_RB },	  { "CAL", ST_CAL },
	{ "OFF", ST_OFF },	 { "BYPASS", ST_BYPASS }, { "ECO", ST_ECO },
	{ "ALARM", ST_ALARM },	 { "OVER", ST_OVER },	  { "TRIM", ST_TRIM },
	{ "BOOST", ST_BOOST },	 { "OTHER", ST_OTHER },	  { "HB", 0 },
	{ "CHRG", 0 },		 { "WAIT", 0 },		 { "DISCHRG", 0 },
};

#define TOKENS (sizeof(tokens) / sizeof(tokens[0]))

/* The token that starts here; TOKENS for one that nobody knows. */
static size_t find(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < TOKENS; i++) {
		if (strlen(tokens[i].name) == len && strncasecmp(tokens[i].name, text, len) == 0)
			break;
	}
	return i;
}

static const char *skip_spaces(const char *text)
{
	return text + strspn(text, " ");
}

uint32_t status_parse(const char *text)
{
	uint32_t bits = 0;

	for (text = skip_spaces(text); *text; text = skip_spaces(text)) {
		size_t len = strcspn(text, " ");
		size_t i = find(text, len);

		bits |= ST_ANSWERED | (i < TOKENS ? tokens[i].bit : ST_OTHER);
		text += len;
	}
	return bits;
}

void status_others(const char *text, char *others, size_t size)
{
	size_t used = 0;

	others[0] = '\0';
	for (text = skip_spaces(text); *text; text = skip_spaces(text)) {
		size_t len = strcspn(text, " ");

		if (find(text, len) == TOKENS && used + len + 2 <= size) {
			if (used > 0)
				others[used++] = ' ';
			memcpy(others + used, text, len);
			used += len;
			others[used] = '\0';
		}
		text += len;
	}
}

void status_format(uint32_t bits, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < TOKENS; i++) {
		size_t len = strlen(tokens[i].name);

		if (!(bits & tokens[i].bit) || used + len + 2 > size)
			continue;
		if (used > 0)
			text[used++] = ' ';
		memcpy(text + used, tokens[i].name, len + 1);
		used += len;
	}
}
