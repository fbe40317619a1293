/* SPDX-License-Identifier: ISC */
/*
 * conf_reader.h - one line of upsmon.conf while it is being read: what the
 * handlers of the directives share.
 */
#ifndef CONF_READER_H
#define CONF_READER_H

#include "core/conf.h"

struct conf_reader {
	struct conf *conf;
	const struct words *words;
	struct conf_report *report;
	int line;
	enum conf_severity severity;	/* of a line that cannot be used */
};

/* The line cannot be used, for this reason. */
#define conf_fault(r, format, ...)                                                              \
	conf_say((r)->report, (r)->severity, (r)->line, format "%s", __VA_ARGS__,               \
		 (r)->severity == CONF_WARNING ? "; the line is ignored" : "")

/* It is used, and yet: */
#define conf_warning(r, ...) conf_say((r)->report, CONF_WARNING, (r)->line, __VA_ARGS__)

/* The i-th word of the line; 0 is the directive. */
const char *conf_arg(const struct conf_reader *r, unsigned int i);

/* Keeps a text.  0, with a fault reported, where there is no room left. */
uint16_t conf_keep(struct conf_reader *r, const char *text, size_t len);
uint16_t conf_keep_string(struct conf_reader *r, const char *text);

/* A whole decimal number within [min, max]; anything else is a fault. */
bool conf_number(struct conf_reader *r, const char *what, const char *text, int32_t min,
		 int32_t max, int32_t *value);

/* yes, on, true; no, off, false: in any case. */
bool conf_is_yes(const char *word);
bool conf_is_no(const char *word);

/* Fewer than `count` words behind the directive are a fault; more are said, and ignored. */
bool conf_want(struct conf_reader *r, unsigned int count, const char *usage);

/* The MONITOR line of this system; NULL: there is none yet. */
struct conf_ups *conf_system(struct conf *conf, const char *system);

/* What 32 bits of milliseconds hold: seven weeks. */
#define CONF_SECONDS_MAX ((int32_t)(UINT32_MAX / 1000))

/* The handlers that have files of their own. */
void conf_read_monitor(struct conf_reader *r);
void conf_read_shutdown_cmd(struct conf_reader *r);
void conf_read_notify_cmd(struct conf_reader *r);
void conf_read_cmd_script(struct conf_reader *r);
void conf_read_notify_msg(struct conf_reader *r);
void conf_read_notify_flag(struct conf_reader *r);
#if WITH_TLS
void conf_read_cert_path(struct conf_reader *r);
void conf_read_cert_file(struct conf_reader *r);
void conf_read_cert_ident(struct conf_reader *r);
void conf_read_cert_host(struct conf_reader *r);
void conf_read_cert_verify(struct conf_reader *r);
void conf_read_force_ssl(struct conf_reader *r);
#endif
#if WITH_UPSSCHED
void conf_read_upssched(struct conf_reader *r);
#else
static inline void conf_read_upssched(struct conf_reader *r)
{
	conf_fault(r, "%s: this upsmon is built without timers; NOTIFYCMD may run upssched",
		   conf_arg(r, 0));
}
#endif

#endif
