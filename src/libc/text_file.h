/* SPDX-License-Identifier: ISC */
/* text_file.h - words of the files in /etc, of any size, a piece at a time. */
#ifndef TEXT_FILE_H
#define TEXT_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Between the words of most of them; a file of Windows has one more. */
#define TEXT_BLANKS " \t\r"

struct text_file {
	int fd;
	size_t at, have;
	char bytes[256];
};

/* False, with errno set, if it cannot be opened. */
bool text_open(struct text_file *f, const char *path);
void text_close(struct text_file *f);

/*
 * Reads up to one of `ends`, the end of the line or that of the file, and
 * returns which: a character, '\n', or -1.  A word that does not fit is "\n", which is like no other.
 */
int text_word(struct text_file *f, char *word, size_t size, const char *ends);

/* The same for the first word of a line: blanks may stand before it. */
int text_first_word(struct text_file *f, char *word, size_t size, const char *ends);

/* The rest of a line of which `end` was the last to be read.  False at the end of the file. */
bool text_next_line(struct text_file *f, int end);

#endif
