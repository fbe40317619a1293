/* SPDX-License-Identifier: ISC */
/*
 * notify.h - the notify types of upsmon.conf, their default texts, and how a
 * text is expanded.
 *
 * Pure.  The table is the whole list: a type that is not in the table cannot be
 * configured, and a type in the table always has a text.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stddef.h>

enum notify_type {
	NOTIFY_ONLINE,
	NOTIFY_ONBATT,
	NOTIFY_LOWBATT,
	NOTIFY_FSD,
	NOTIFY_COMMOK,
	NOTIFY_COMMBAD,
	NOTIFY_SHUTDOWN,
	NOTIFY_SHUTDOWN_HOSTSYNC,
	NOTIFY_REPLBATT,
	NOTIFY_NOCOMM,
	NOTIFY_NOPARENT,
	NOTIFY_CAL,
	NOTIFY_NOTCAL,
	NOTIFY_OFF,
	NOTIFY_NOTOFF,
	NOTIFY_BYPASS,
	NOTIFY_NOTBYPASS,
	NOTIFY_ECO,
	NOTIFY_NOTECO,
	NOTIFY_ALARM,
	NOTIFY_NOTALARM,
	NOTIFY_OVER,
	NOTIFY_NOTOVER,
	NOTIFY_TRIM,
	NOTIFY_NOTTRIM,
	NOTIFY_BOOST,
	NOTIFY_NOTBOOST,
	NOTIFY_OTHER,
	NOTIFY_NOTOTHER,
	NOTIFY_SUSPEND_STARTING,
	NOTIFY_SUSPEND_FINISHED,
	NOTIFY_NOLOGIN,	/* not NUT's: its flags are those of NOCOMM, unless they are given */
	NOTIFY_TYPES,
};

/* What is done with a notification: a set of these.  IGNORE wins. */
enum {
	NOTIFY_IGNORE = 1 << 0,
	NOTIFY_SYSLOG = 1 << 1,
	NOTIFY_WALL = 1 << 2,
	NOTIFY_EXEC = 1 << 3,
};

#define NOTIFY_DEFAULT_FLAGS (NOTIFY_SYSLOG | NOTIFY_WALL)

const char *notify_name(enum notify_type type);
const char *notify_default_text(enum notify_type type);

/* NOTIFY_TYPES for a name that is none.  Names are compared without case, as in NUT. */
enum notify_type notify_by_name(const char *name);

/* 0 for a name that is none. */
unsigned int notify_flag_by_name(const char *name);

/*
 * Whether a configured text is safe to expand: at most two %s, and no other
 * conversion.  %% stands for one %.
 */
int notify_text_ok(const char *text);

/* Expands a text that passed notify_text_ok(); cut where it does not fit. */
void notify_expand(char *out, size_t size, const char *text, const char *first,
		   const char *second);

#endif
