/* SPDX-License-Identifier: ISC */
/*
 * words.h - split a stream of bytes into lines of words.
 *
 * One splitter serves upsmon.conf and the wire protocol (RFC 9271), because
 * both have the same quoting: words are separated by white space, "..." keeps
 * white space, and a backslash takes the next byte literally.  In a
 * configuration file # also starts a comment, = is a word of its own, and a
 * backslash before the line's end joins two lines.
 *
 * Bytes are fed one at a time, so no line has to be kept before it is split, and
 * a half-received line simply stays half-split.  In a file, a bad line is read to
 * its end and then reported once, and the next line starts fresh: an open quote
 * never reaches into the next line.  On the wire an error is reported at once,
 * because the line may never end; the rest of the line is skipped.
 *
 * What is no UTF-8 on the wire, and DEL, becomes a question mark (utf8.h); a file
 * is taken as it is, in whatever encoding its owner likes.
 *
 * Pure: no system call, no allocation.  A struct words holds one line.
 */
#ifndef WORDS_H
#define WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

enum words_mode { WORDS_CONF, WORDS_WIRE };

enum words_result {
	WORDS_MORE,		/* feed on */
	WORDS_LINE,		/* a line is complete; it has at least one word */
	WORDS_OPEN_QUOTE,	/* the line ended inside quotes */
	WORDS_TOO_LONG,		/* more than WORDS_TEXT_MAX bytes or WORDS_MAX words */
	WORDS_BAD_BYTE,		/* a control character */
};

#define WORDS_END (-1)		/* feed this at the end of a file */

struct words {
	enum words_mode mode;
	enum words_result error;	/* WORDS_MORE while the line is sound */
	uint8_t state;
	uint8_t count;
	uint16_t used;
	uint16_t start[WORDS_MAX];
	char text[WORDS_TEXT_MAX];
};

void words_init(struct words *w, enum words_mode mode);

/*
 * Takes one byte (0..255) or WORDS_END.  After anything but WORDS_MORE the
 * words stay readable until the next byte is fed.
 */
enum words_result words_feed(struct words *w, int byte);

/* In the middle of a line, also of one that goes on behind a backslash. */
bool words_is_open(const struct words *w);

/* The i-th word of a complete line, "" where there is none. */
const char *words_at(const struct words *w, unsigned int i);

/* Makes one word of this one and all behind it, with spaces between. */
void words_join(struct words *w, unsigned int from);

/* What a result other than WORDS_MORE and WORDS_LINE means, for people. */
const char *words_error(enum words_result result);

#endif
