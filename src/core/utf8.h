/* SPDX-License-Identifier: ISC */
/*
 * utf8.h - text of a server, before it reaches a log, a command or a terminal.
 *
 * Not for what the owner of the machine wrote: that may be in any encoding.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>

/*
 * Each byte that is part of no letter of UTF-8 (RFC 3629), and of each control
 * character beyond ASCII, becomes a question mark.  Below 127 nothing changes,
 * so words keep their ends.
 */
void utf8_mend(char *text, size_t len);

/* The most bytes, up to `len`, of a text that is longer that cut no letter in two. */
size_t utf8_cut(const char *text, size_t len);

#endif
