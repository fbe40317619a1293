/* SPDX-License-Identifier: ISC */
/* words.c: the quoting that upsmon.conf and the protocol share. */
#include "core/utf8.h"
#include "lab.h"

/* Splits a whole text; each line's words joined by "|", lines by ";". */
static const char *split(enum words_mode mode, const char *text)
{
	static char out[2048];
	struct words w;

	out[0] = '\0';
	words_init(&w, mode);
	for (;; text++) {
		int byte = *text ? (unsigned char)*text : WORDS_END;
		enum words_result r = words_feed(&w, byte);

		if (r != WORDS_MORE && out[0])
			strcat(out, ";");
		if (r == WORDS_LINE) {
			for (unsigned int i = 0; i < w.count; i++)
				sprintf(out + strlen(out), "%s%s", i ? "|" : "", words_at(&w, i));
		} else if (r != WORDS_MORE) {
			sprintf(out + strlen(out), "!%d", r);
		}
		if (byte == WORDS_END)
			return out;
	}
}

#define CONF(text) split(WORDS_CONF, text)
#define WIRE(text) split(WORDS_WIRE, text)

static void test_plain(void **state)
{
	(void)state;
	assert_string_equal(CONF("a bb  c\n"), "a|bb|c");
	assert_string_equal(CONF("\ta\t b \r\n"), "a|b");
	assert_string_equal(CONF("a\nb"), "a;b");
	assert_string_equal(CONF("\n\n  \n"), "");
	assert_string_equal(CONF(""), "");
}

static void test_quotes(void **state)
{
	(void)state;
	assert_string_equal(CONF("a \"b c\" d\n"), "a|b c|d");
	assert_string_equal(CONF("a \"\" d\n"), "a||d");
	assert_string_equal(CONF("a \"x\\\"y\\\\z\"\n"), "a|x\"y\\z");
	assert_string_equal(CONF("ab\"c d\"e\n"), "abc de");
	assert_string_equal(CONF("\"#=\"\n"), "#=");
}

static void test_backslash(void **state)
{
	(void)state;
	assert_string_equal(CONF("a\\ b c\\#d\n"), "a b|c#d");
	assert_string_equal(CONF("a \\\nb\n"), "a|b");
	assert_string_equal(CONF("a\\\nb\n"), "ab");
	assert_string_equal(CONF("\"a \\\nb\"\n"), "a b");
	assert_string_equal(CONF("a\\"), "a");
}

static void test_comments_and_equals(void **state)
{
	(void)state;
	assert_string_equal(CONF("# a \"b\na # c\n"), "a");
	assert_string_equal(CONF("a=b\n"), "a|=|b");
	assert_string_equal(CONF("a#b\n"), "a");
	assert_string_equal(CONF("= a\n"), "=|a");
	/* neither means anything on the wire */
	assert_string_equal(WIRE("a#b c=d\n"), "a#b|c=d");
}

/* Row 16: a password with a quote must not eat the line after it. */
static void test_row16_open_quote_ends_with_its_line(void **state)
{
	(void)state;
	assert_string_equal(CONF("a \"b\nc d\n"), "!2;c|d");
	assert_string_equal(CONF("a \"b"), "!2");
}

static void test_limits(void **state)
{
	char line[2 * WORDS_TEXT_MAX];

	(void)state;
	memset(line, 'x', sizeof(line));
	strcpy(line + WORDS_TEXT_MAX, "\nb\n");
	assert_string_equal(CONF(line), "!3;b");
	strcpy(line + WORDS_TEXT_MAX - 1, "\nb\n");
	assert_int_equal(strlen(CONF(line)), WORDS_TEXT_MAX - 1 + 2);
	line[0] = '\0';
	for (int i = 0; i < WORDS_MAX + 1; i++)
		strcat(line, "x ");
	strcat(line, "\\\nb\nc\n");
	/* the rest of a line in error is not looked at */
	assert_string_equal(CONF(line), "!3;b;c");
	assert_string_equal(CONF("a\001b\nc\n"), "!4;c");
	/* on the wire at once: such a line may never end */
	assert_string_equal(WIRE("a\033\nOK\n"), "!4;OK");
	memset(line, 'x', sizeof(line));
	line[WORDS_TEXT_MAX + 1] = '\0';
	assert_string_equal(WIRE(line), "!3");
}

static void test_letters(void **state)
{
	static const struct {
		const char *text, *mended;
	} rows[] = {
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x8b", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x94\x8b" },
		{ "\xc3", "?" }, { "\xe2\x82", "??" }, { "\xf0\x9f\x94", "???" },
		{ "\x80\xbf", "??" }, { "\xc0\xaf", "??" }, { "\xc1\xbf", "??" }, { "\xe0\x80\xaf", "???" },
		{ "\xe0\xa0\x80", "\xe0\xa0\x80" }, { "\xed\xa0\x80", "???" }, { "\xee\x80\x80", "\xee\x80\x80" },
		{ "\xf0\x80\x80\xaf", "????" }, { "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
		{ "\xf4\x90\x80\x80", "????" }, { "\xf8\x88\x80\x80\x80", "?????" }, { "\xfe\xff", "??" },
		/* a terminal takes these for the start of a command */
		{ "\xc2\x9b", "??" }, { "\x9b", "?" }, { "\xc2\xa0", "\xc2\xa0" }, { "a\x7f", "a?" },
	};
	char text[] = "ab\xe2\x82\xac", latin[] = "\xbf\xbf\xbf\xbf\xbf";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(WIRE(rows[i].text), rows[i].mended);
		/* a file is in the encoding of its owner */
		assert_string_equal(CONF(rows[i].text), rows[i].text);
	}
	assert_int_equal(utf8_cut(text, 5), 5);
	assert_int_equal(utf8_cut(text, 4), 2);
	assert_int_equal(utf8_cut(text, 3), 2);
	assert_int_equal(utf8_cut(text, 2), 2);
	assert_int_equal(utf8_cut(latin, 4), 1);
	assert_int_equal(utf8_cut(latin, 0), 0);
}

static void test_out_of_range_word(void **state)
{
	struct words w;

	(void)state;
	words_init(&w, WORDS_WIRE);
	assert_string_equal(words_at(&w, 0), "");
	assert_string_equal(words_at(&w, 1000), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_backslash),
		cmocka_unit_test(test_comments_and_equals),
		cmocka_unit_test(test_row16_open_quote_ends_with_its_line),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_out_of_range_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
