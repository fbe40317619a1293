/* SPDX-License-Identifier: ISC */
#include "core/nearest.h"

#include <string.h>

#define LEN_MAX 32

static int lower(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Row by row: the distance of the first i letters of one from the first j of the other. */
unsigned int nearest_distance(const char *wrong, const char *right)
{
	unsigned int row[LEN_MAX + 1];
	size_t len = strlen(right);

	if (len > LEN_MAX || strlen(wrong) > LEN_MAX)
		return NEAREST_FAR;
	for (unsigned int j = 0; j <= len; j++)
		row[j] = j;
	for (unsigned int i = 1; wrong[i - 1]; i++) {
		unsigned int corner = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= len; j++) {
			unsigned int change = corner + (lower(wrong[i - 1]) != lower(right[j - 1]));

			corner = row[j];
			row[j] = least(change, least(row[j - 1], row[j]) + 1);
		}
	}
	/* of a short name, little is left when so much is changed */
	return row[len] > len / 2 ? NEAREST_FAR : least(row[len], NEAREST_FAR);
}
