/* SPDX-License-Identifier: ISC */
#include "core/conf_reader.h"

#include <string.h>
#include <strings.h>

const char *conf_arg(const struct conf_reader *r, unsigned int i)
{
	return words_at(r->words, i);
}

uint16_t conf_keep(struct conf_reader *r, const char *text, size_t len)
{
	struct conf *conf = r->conf;
	uint16_t at = conf->text_used;

	if (len == 0)
		return 0;
	if (len + 1 > sizeof(conf->text) - at) {
		conf_fault(r, "the file holds more text than the %d bytes there is room for",
			   CONF_TEXT_MAX);
		return 0;
	}
	memcpy(conf->text + at, text, len);
	conf->text[at + len] = '\0';
	conf->text_used = (uint16_t)(at + len + 1);
	return at;
}

uint16_t conf_keep_string(struct conf_reader *r, const char *text)
{
	return conf_keep(r, text, strlen(text));
}

bool conf_number(struct conf_reader *r, const char *what, const char *text, int32_t min,
		 int32_t max, int32_t *value)
{
	const char *digit = *text == '-' ? text + 1 : text;
	size_t digits = strspn(digit, "0123456789");
	int32_t number = 0;

	if (digits == 0 || digit[digits] != '\0' || digits > 9) {
		conf_fault(r, "%s is \"%s\", which is not a whole number from %d to %d", what, text,
			   min, max);
		return false;
	}
	for (; *digit; digit++)
		number = number * 10 + (*digit - '0');
	if (*text == '-')
		number = -number;
	if (number < min || number > max) {
		conf_fault(r, "%s is %d; it must be from %d to %d", what, number, min, max);
		return false;
	}
	*value = number;
	return true;
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return strcasecmp(word, a) == 0 || strcasecmp(word, b) == 0 || strcasecmp(word, c) == 0;
}

bool conf_is_yes(const char *word)
{
	return is_one_of(word, "yes", "on", "true");
}

bool conf_is_no(const char *word)
{
	return is_one_of(word, "no", "off", "false");
}

bool conf_want(struct conf_reader *r, unsigned int count, const char *usage)
{
	unsigned int found = r->words->count - 1U;

	if (found < count) {
		conf_fault(r, "expected: %s; found %u word%s behind %s (# begins a comment: what "
			      "holds one, or a space, or =, needs quotes)",
			   usage, found, found == 1 ? "" : "s", conf_arg(r, 0));
		return false;
	}
	if (found > count)
		conf_warning(r, "expected: %s; what stands behind \"%s\" is ignored", usage,
			     conf_arg(r, count));
	return true;
}
