/* SPDX-License-Identifier: ISC */
/* nearest.h - how far a misspelt name is from the right one.  Pure. */
#ifndef NEAREST_H
#define NEAREST_H

/* Nothing that far away was meant. */
#define NEAREST_FAR 4

/*
 * How many letters are to be changed, left out or put in, without regard to
 * case; NEAREST_FAR for that many and more.
 */
unsigned int nearest_distance(const char *wrong, const char *right);

#endif
