/* SPDX-License-Identifier: ISC */
/*
 * fuzz.h - what the fuzz targets share.  Each is one file: bytes in, and MUST()
 * for what has to hold whatever they are.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/conf.h"
#include "core/core.h"

#define MUST(what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #what); \
			abort(); \
		} \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A configuration of three UPSes that uses everything. */
extern const char fuzz_upsmon_conf[], fuzz_upssched_conf[];

/* Reads a file; its findings go nowhere. */
void fuzz_read_conf(struct conf *conf, const char *text, size_t len, const char *sched,
		    size_t sched_len);

/* Lets a core live on for a day; whatever it was told, it goes on, and forward. */
void fuzz_live(struct core *core, int64_t now);

/* One event; what has to hold after each. */
void fuzz_event(struct core *core, const struct event *ev, int64_t now);

#endif
