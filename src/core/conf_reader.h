/* SPDX-License-Identifier: ISC */
/*
 * conf_reader.h - one line of upsmon.conf while it is read: what the handlers
 * of the directives share.
 */
#ifndef CONF_READER_H
#define CONF_READER_H

#include "core/conf.h"

struct conf_reader {
	struct conf *conf;
	const struct words *words;
	struct conf_report *report;
	int line;
};

#define conf_error(r, ...) conf_say((r)->report, CONF_ERROR, (r)->line, __VA_ARGS__)
#define conf_warning(r, ...) conf_say((r)->report, CONF_WARNING, (r)->line, __VA_ARGS__)

/* The i-th word of the line; 0 is the directive. */
const char *conf_arg(const struct conf_reader *r, unsigned int i);

/* Keeps a text.  0, with an error reported, where there is no room left. */
uint16_t conf_keep(struct conf_reader *r, const char *text, size_t len);
uint16_t conf_keep_string(struct conf_reader *r, const char *text);

/* A whole decimal number within [min, max]; anything else is reported. */
bool conf_number(struct conf_reader *r, const char *what, const char *text, int32_t min,
		 int32_t max, int32_t *value);

/* Reports anything but `count` words behind the directive. */
bool conf_want(struct conf_reader *r, unsigned int count, const char *usage);

/* The MONITOR line of this system; NULL: there is none yet. */
struct conf_ups *conf_system(struct conf *conf, const char *system);

/* The handlers that have files of their own. */
void conf_read_monitor(struct conf_reader *r);
void conf_read_notify_msg(struct conf_reader *r);
void conf_read_notify_flag(struct conf_reader *r);

#endif
