/* SPDX-License-Identifier: ISC */
/*
 * status.h - the tokens of the variable ups.status as a set of bits.
 *
 * Pure.  Tokens that say nothing about the power (HB, CHRG, DISCHRG) are
 * known and give no bit; an unknown token gives ST_OTHER.  Upper and lower case
 * are the same, as in NUT.
 */
#ifndef STATUS_H
#define STATUS_H

#include <stddef.h>
#include <stdint.h>

enum {
	ST_OL = 1 << 0,		/* on line */
	ST_OB = 1 << 1,		/* on battery */
	ST_LB = 1 << 2,		/* battery low */
	ST_FSD = 1 << 3,	/* forced shutdown, latched by the server */
	ST_RB = 1 << 4,		/* battery needs to be replaced */
	ST_CAL = 1 << 5,	/* calibrating */
	ST_OFF = 1 << 6,
	ST_BYPASS = 1 << 7,
	ST_ECO = 1 << 8,
	ST_ALARM = 1 << 9,
	ST_OVER = 1 << 10,	/* overloaded */
	ST_TRIM = 1 << 11,
	ST_BOOST = 1 << 12,
	ST_OTHER = 1 << 13,
	ST_ALL = (1 << 14) - 1,
	ST_ANSWERED = 1 << 14,	/* there was a token at all: tells "CHRG" from "" */
};

/* 0 for a text without any token: the caller counts that as no answer. */
uint32_t status_parse(const char *text);

/* The tokens that nobody knows, as they stand; cut where they do not fit. */
void status_others(const char *text, char *others, size_t size);

/* The tokens of the bits, "OB LB"; cut where they do not fit. */
void status_format(uint32_t bits, char *text, size_t size);

#endif
