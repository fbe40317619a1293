/* SPDX-License-Identifier: ISC */
/* flap.c - takes a file's name away and gives it back, as fast as it can: flap FILE OTHER MS */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	long end = ms() + (argc == 4 ? strtol(argv[3], NULL, 10) : 0);

	while (argc == 4 && ms() < end) {
		rename(argv[1], argv[2]);
		rename(argv[2], argv[1]);
	}
	return 0;
}
