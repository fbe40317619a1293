/* SPDX-License-Identifier: ISC */
/* usage.h - the command line as a struct. */
#ifndef USAGE_H
#define USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "command/control.h"

/* Exit code for a command line that makes no sense. */
#define EXIT_USAGE 2

struct usage {
	enum control_command command;	/* -c */
	pid_t pid;			/* -P; 0: not given */
	bool killpower;			/* -K */
	bool foreground;		/* -F or -D */
	bool one_process;		/* -p */
	bool help;			/* -h */
	bool version;			/* -V */
	bool test;			/* -t */
	bool json;			/* -j */
	int debug;			/* -D, counted */
	int family;			/* -4, -6 */
	uint32_t connect_ms;		/* -W; 0: not given */
	const char *user;		/* -u */
	const char *conf_file;		/* -f */
};

/* False, with the reason on stderr, if the command line makes no sense. */
bool usage_read(int argc, char **argv, struct usage *u);
void usage_print(void);

#endif
