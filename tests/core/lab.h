/* SPDX-License-Identifier: ISC */
/*
 * lab.h - the core with a world around it: a virtual clock and servers that
 * answer as they are told.  Nothing here sleeps; a day passes in no time.
 *
 * What the core does is written into a trace, a line each, with the virtual
 * milliseconds before it:  "5000 notify ONBATT ups@a".
 */
#ifndef LAB_H
#define LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/conf.h"
#include "core/core.h"

enum lab_mode {
	LAB_UP,		/* answers at once */
	LAB_REFUSED,	/* no connection can be made */
	LAB_SILENT,	/* connects, and never says a word */
	LAB_STALE,	/* ERR DATA-STALE to every poll */
	LAB_RUBBISH,	/* speaks something else */
};

/* What a server makes of STARTTLS; in a build without TLS nobody asks. */
enum lab_tls {
	LAB_NO_TLS,	/* refuses it */
	LAB_TLS,
	LAB_TLS_FAILS,	/* in the handshake */
	LAB_TLS_HANGS,	/* in the handshake */
	LAB_TLS_SILENT,	/* does not answer it */
};

struct lab_server {
	enum lab_mode mode;
	enum lab_tls tls;
	uint8_t secure;		/* what its handshakes end with */
	bool encrypted;		/* the connection is */
	unsigned int passwords_in_clear;
	char status[64];
	const char *deny;	/* the request that is answered by deny_code */
	const char *deny_code;
	unsigned int others;	/* logins besides ours */
	bool logged_in;
	bool fsd;
	const char *variable[VARIABLES];	/* NULL: not supported */
	unsigned int logins_seen, connects_seen, polls_seen, fsds_seen, logouts_seen;
	unsigned int variables_seen;
};

struct lab {
	struct conf conf;
	struct core core;
	struct lab_server server[UPS_MAX];
	int64_t now;
	char trace[65536];
	size_t trace_used;
	char findings[4096];	/* of the configuration */
	int errors, warnings;
	unsigned int shutdowns;
	int64_t shutdown_at;
	/* requests that a server has still to answer */
	struct {
		uint16_t ups;
		enum { LAB_NOTHING, LAB_CONNECTED, LAB_FAILED, LAB_SECURED, LAB_REPLY } kind;
		char line[256];
	} pending[256];
	unsigned int pending_count;
};

/* Reads a configuration; findings land in lab->findings. */
void lab_conf(struct lab *lab, const char *text);

/* The same, and starts the core: every server is up and on line. */
void lab_start(struct lab *lab, const char *text);

/* Both with an upssched.conf. */
void lab_conf_sched(struct lab *lab, const char *text, const char *sched);
void lab_start_sched(struct lab *lab, const char *text, const char *sched);

/* Lets this much time pass. */
void lab_run(struct lab *lab, int64_t ms);

void lab_status(struct lab *lab, unsigned int ups, const char *status);

/* The connection breaks, as when upsd is restarted. */
void lab_break(struct lab *lab, unsigned int ups);
void lab_fsd(struct lab *lab);

/* The notifications and shutdowns since the last call, "ONBATT ups@a, SHUTDOWN". */
const char *lab_notices(struct lab *lab);

/* Whether the trace has this text, since the last lab_notices(). */
bool lab_saw(const struct lab *lab, const char *text);

#endif
