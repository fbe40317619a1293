/* SPDX-License-Identifier: ISC */
#include "core/words.h"

#include "core/utf8.h"

/*
 * DONE is the state after a complete line: its words are still readable, and
 * the next byte starts the next line.  PASSING is the rest of a line in error.
 */
enum { BETWEEN, IN_WORD, IN_QUOTES, ESCAPED, ESCAPED_QUOTED, COMMENT, DONE, PASSING };

static void words_reset(struct words *w)
{
	w->error = WORDS_MORE;
	w->state = BETWEEN;
	w->count = 0;
	w->used = 0;
}

void words_init(struct words *w, enum words_mode mode)
{
	w->mode = mode;
	words_reset(w);
}

static void put(struct words *w, int byte)
{
	if (w->used >= WORDS_TEXT_MAX) {
		w->error = WORDS_TOO_LONG;
		return;
	}
	w->text[w->used++] = (char)byte;
}

static void open_word(struct words *w)
{
	if (w->count >= WORDS_MAX) {
		w->error = WORDS_TOO_LONG;
		return;
	}
	w->start[w->count++] = w->used;
}

static void close_word(struct words *w)
{
	put(w, '\0');
	w->state = BETWEEN;
}

static enum words_result end_line(struct words *w)
{
	if (w->state == IN_QUOTES || w->state == ESCAPED_QUOTED) {
		if (w->error == WORDS_MORE)
			w->error = WORDS_OPEN_QUOTE;
	} else if (w->state == IN_WORD || w->state == ESCAPED) {
		close_word(w);
	}
	if (w->error == WORDS_MORE && w->count == 0) {
		words_reset(w);
		return WORDS_MORE;
	}
	if (w->mode == WORDS_WIRE)
		utf8_mend(w->text, w->used);
	w->state = DONE;
	return w->error == WORDS_MORE ? WORDS_LINE : w->error;
}

static void feed_between(struct words *w, int byte)
{
	if (byte == ' ' || byte == '\t')
		return;
	if (w->mode == WORDS_CONF && byte == '#') {
		w->state = COMMENT;
		return;
	}
	open_word(w);
	if (w->mode == WORDS_CONF && byte == '=') {
		put(w, byte);
		close_word(w);
	} else if (byte == '"') {
		w->state = IN_QUOTES;
	} else if (byte == '\\') {
		w->state = ESCAPED;
	} else {
		put(w, byte);
		w->state = IN_WORD;
	}
}

static void feed_word(struct words *w, int byte)
{
	if (byte == '\\') {
		w->state = ESCAPED;
	} else if (byte == '"') {
		/* ab"c d"e is one word, as in a shell */
		w->state = IN_QUOTES;
	} else if (byte == ' ' || byte == '\t') {
		close_word(w);
	} else if (w->mode == WORDS_CONF && (byte == '=' || byte == '#')) {
		close_word(w);
		feed_between(w, byte);
	} else {
		put(w, byte);
	}
}

static enum words_result feed(struct words *w, int byte)
{
	if (w->state == PASSING) {
		if (byte == '\n')
			w->state = DONE;
		return WORDS_MORE;
	}
	if (w->state == DONE)
		words_reset(w);

	if (byte == '\n' && w->mode == WORDS_CONF && w->error == WORDS_MORE) {
		/* joins two lines; the first half of a word may stand before it */
		if (w->state == ESCAPED) {
			bool first = w->count > 0 && w->used == w->start[w->count - 1];

			/* nothing of the word yet: forget that it was opened */
			if (first)
				w->count--;
			w->state = first ? BETWEEN : IN_WORD;
			return WORDS_MORE;
		}
		if (w->state == ESCAPED_QUOTED) {
			w->state = IN_QUOTES;
			return WORDS_MORE;
		}
	}
	if (byte == '\n' || byte == WORDS_END)
		return end_line(w);
	/* a file edited on Windows, and servers that end lines with CR LF */
	if (byte == '\r')
		return WORDS_MORE;
	if (w->error != WORDS_MORE)
		return WORDS_MORE;
	if (w->state != COMMENT && byte < ' ' && byte != '\t') {
		w->error = WORDS_BAD_BYTE;
		return WORDS_MORE;
	}

	switch (w->state) {
	case BETWEEN:
		feed_between(w, byte);
		break;
	case IN_WORD:
		feed_word(w, byte);
		break;
	case IN_QUOTES:
		if (byte == '"')
			w->state = IN_WORD;
		else if (byte == '\\')
			w->state = ESCAPED_QUOTED;
		else
			put(w, byte);
		break;
	case ESCAPED:
		put(w, byte);
		w->state = IN_WORD;
		break;
	case ESCAPED_QUOTED:
		put(w, byte);
		w->state = IN_QUOTES;
		break;
	default:
		break;
	}
	return WORDS_MORE;
}

enum words_result words_feed(struct words *w, int byte)
{
	enum words_result result = feed(w, byte);

	if (w->mode == WORDS_WIRE && w->error != WORDS_MORE && w->state != DONE &&
	    w->state != PASSING) {
		w->state = PASSING;
		return w->error;
	}
	return result;
}

bool words_is_open(const struct words *w)
{
	return w->state != DONE && (w->state != BETWEEN || w->count > 0);
}

const char *words_at(const struct words *w, unsigned int i)
{
	return i < w->count ? &w->text[w->start[i]] : "";
}

void words_join(struct words *w, unsigned int from)
{
	/* they stand one behind the other, each with its NUL */
	for (unsigned int i = from + 1; i < w->count; i++)
		w->text[w->start[i] - 1] = ' ';
	if (from + 1U < w->count)
		w->count = (uint8_t)(from + 1);
}

const char *words_error(enum words_result result)
{
	switch (result) {
	case WORDS_OPEN_QUOTE:
		return "the quote is not closed on this line";
	case WORDS_TOO_LONG:
		return "the line is too long";
	case WORDS_BAD_BYTE:
		return "the line holds a control character";
	case WORDS_MORE:
	case WORDS_LINE:
		break;
	}
	return "no error";
}
