/* SPDX-License-Identifier: ISC */
#include "libc/text_file.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool text_open(struct text_file *f, const char *path)
{
	f->at = f->have = 0;
	f->fd = open(path, O_RDONLY | O_CLOEXEC);
	return f->fd >= 0;
}

void text_close(struct text_file *f)
{
	close(f->fd);
}

static int next(struct text_file *f)
{
	if (f->at == f->have) {
		ssize_t n = read(f->fd, f->bytes, sizeof(f->bytes));

		if (n <= 0)
			return -1;
		f->at = 0;
		f->have = (size_t)n;
	}
	return (unsigned char)f->bytes[f->at++];
}

int text_word(struct text_file *f, char *word, size_t size, const char *ends)
{
	size_t len = 0;
	int c;

	for (;;) {
		c = next(f);
		/* a NUL ends no word: it is one of its letters, which then matches nothing */
		if (c < 0 || c == '\n' || (c && strchr(ends, c)))
			break;
		if (len < size)
			word[len] = (char)c;
		len++;
	}
	if (len >= size) {
		word[0] = '\n';
		len = 1;
	}
	word[len] = '\0';
	return c;
}

int text_first_word(struct text_file *f, char *word, size_t size, const char *ends)
{
	int end;

	do {
		end = text_word(f, word, size, ends);
	} while (*word == '\0' && (end == ' ' || end == '\t'));
	return end;
}

bool text_next_line(struct text_file *f, int end)
{
	while (end >= 0 && end != '\n')
		end = next(f);
	return end >= 0;
}
