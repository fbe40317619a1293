/* SPDX-License-Identifier: ISC */
/*
 * conf.h - upsmon.conf as one flat struct.
 *
 * Pure: lines come in as words, findings go out through a callback.  The
 * struct holds no pointer, only offsets into its own text, so that it can be
 * copied and shared between processes as a whole.
 *
 * Times are kept in milliseconds, as everywhere in the core; the file has
 * seconds.  Numbers are decimal and whole; anything else is an error, where
 * NUT's atoi() would make 0 of it.
 *
 * Errors and warnings: an error is what leaves nothing sensible to watch (no
 * MONITOR, one that cannot be used, no SHUTDOWNCMD, MINSUPPLIES that can never
 * be met), and what asks for TLS.  With an error the daemon does not start, and
 * a reload changes nothing.  Any other line that cannot be used is a warning: it
 * is reported and ignored, and the board stays protected.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/notify.h"
#include "core/words.h"
#include "options.h"

#define CONF_DEFAULT_PORT 3493

/*
 * apcupsd's ways to shut down before the battery is low, for all UPSes or for
 * one.  -1: off.
 */
enum conf_trigger {
	TRIGGER_BATTERYLEVEL,	/* percent */
	TRIGGER_MINUTES,
	TRIGGER_TIMEOUT,	/* seconds on battery; 0 is off as well */
	TRIGGER_ONBATTERYDELAY,	/* seconds until ONBATT is notified */
	TRIGGERS,
};

/* Variables of the server's beside ups.status. */
enum conf_variable { VARIABLE_ALARM, VARIABLE_CHARGE, VARIABLE_RUNTIME, VARIABLES };

/*
 * One MONITOR line.  Texts are offsets into conf.text, to be read with
 * conf_get(); 0 is the empty text, which means unset.
 */
struct conf_ups {
	uint16_t system;	/* as written: ups[@host[:port]] */
	uint16_t name;		/* ups */
	uint16_t host;		/* without brackets */
	uint16_t user;
	uint16_t password;
	uint16_t port;
	uint16_t power_value;	/* 0: watched, feeds nothing here */
	bool primary;
	int32_t trigger[TRIGGERS]; /* CONF_INHERIT: that of all */
#if WITH_TLS
	uint16_t cert_name;	/* that the server's certificate must have */
	bool tls_verify;
	bool tls_force;
#endif
};

/* One CERTHOST line. */
struct conf_cert_host {
	uint16_t host;
	uint16_t port;		/* 0: every one */
	uint16_t name;
	bool verify;
	bool force;
};

#define CONF_INHERIT (-2)

/*
 * A command: one word is for the shell, several are program and arguments (as
 * NUT has it since 2.8.3).  They stand one behind the other, each with its NUL.
 */
struct conf_command {
	uint16_t text;
	uint16_t words;		/* 0: there is no such line; or one empty word */
};

/* One AT line of upssched.conf (sched.h). */
enum conf_verb { VERB_START, VERB_START_SHARED, VERB_CANCEL, VERB_EXECUTE };

struct conf_rule {
	uint8_t type;		/* enum notify_type */
	uint8_t verb;
	uint16_t system;	/* 0: every UPS, and none */
	uint16_t name;		/* of the timer; or what is executed */
	uint16_t command;	/* of CANCEL-TIMER; 0: none */
	uint32_t ms;
};

/* It starts a timer, and does not end one or run something. */
static inline bool conf_rule_starts(const struct conf_rule *rule)
{
	return rule->verb == VERB_START || rule->verb == VERB_START_SHARED;
}

struct conf {
	uint16_t ups_count;
	uint16_t min_supplies;
	struct conf_ups ups[UPS_MAX];
	uint32_t poll_freq_ms;
	uint32_t poll_freq_alert_ms;
	uint32_t dead_time_ms;
	uint32_t host_sync_ms;
	uint32_t final_delay_ms;
	uint32_t nocomm_warn_ms;	/* 0: said once */
	uint32_t replace_warn_ms;	/* 0: said once */
	int32_t oblb_ms;
	int32_t off_ms;			/* these three: below 0 is never */
	int32_t over_ms;
	int32_t shutdown_exit_ms;	/* from SHUTDOWNCMD to the logout */
	int32_t poll_fail_throttle;	/* -1 each, 0 changes, n every nth */
	int32_t debug_min;
	bool alarm_critical;
	int8_t no_new_privs;		/* of the monitor and NOTIFYCMD; -1: the file does not say */
	int32_t trigger[TRIGGERS];
	struct conf_command shutdown_cmd;
	struct conf_command notify_cmd;
	uint16_t powerdown_flag;
	uint16_t run_as_user;
	uint16_t upssched;		/* the file; 0: there is none */
	struct conf_command cmd_script;
	bool upssched_broken;		/* it cannot be used, or not as a whole: a reload is refused */
	uint16_t rule_count;
	struct conf_rule rules[SCHED_RULES_MAX];
	struct {
		uint16_t text;	/* 0: the default text */
		uint8_t flags;
		bool given;	/* the flags are the file's */
	} notify[NOTIFY_TYPES];
#if WITH_TLS
	uint16_t cert_path;		/* a file or folder of CAs; 0: none */
	uint16_t cert_file;		/* our own certificate and its key */
	uint16_t key_password;
	bool cert_verify;
	bool force_ssl;
	uint16_t cert_host_count;
	struct conf_cert_host cert_hosts[UPS_MAX];
#endif
	uint16_t text_used;
	char text[CONF_TEXT_MAX];
};

enum conf_severity { CONF_WARNING, CONF_ERROR };

/* Where findings go.  The counts are conf's to keep. */
struct conf_report {
	void (*say)(void *arg, enum conf_severity severity, int line, const char *text);
	void *arg;
	int errors;
	int warnings;
};

/* All defaults. */
void conf_init(struct conf *conf);

/* *to = *from, but that no more is written than is used. */
void conf_copy(struct conf *to, const struct conf *from);

/* One line of the file.  Line numbers start at 1. */
void conf_line(struct conf *conf, const struct words *words, int line, struct conf_report *report);

/* A line that could not be split into words. */
void conf_broken(const struct words *words, enum words_result result, int line,
		 struct conf_report *report);

/*
 * The same for the file that UPSSCHED names, which is read behind all of
 * upsmon.conf.  No line of it keeps the daemon down.
 */
#if WITH_UPSSCHED
void conf_sched_line(struct conf *conf, const struct words *words, int line,
		     struct conf_report *report);
void conf_sched_finish(struct conf *conf, struct conf_report *report);
#endif

/* Settles for each UPS what of CERTHOST, CERTVERIFY and FORCESSL holds; part of conf_finish(). */
#if WITH_TLS
void conf_tls_finish(struct conf *conf, struct conf_report *report);
#endif

/* What only the whole file shows.  Call once, at its end. */
void conf_finish(struct conf *conf, struct conf_report *report);

/* A finding of the caller's own (a broken line, say). */
void conf_say(struct conf_report *report, enum conf_severity severity, int line, const char *format,
	      ...) __attribute__((format(printf, 4, 5)));

int32_t conf_trigger(const struct conf *conf, uint16_t ups, enum conf_trigger trigger);

/* The place in `old` of the UPS that stands at `ups` in `conf`: the same system.  -1: none. */
int conf_find_system(const struct conf *old, const struct conf *conf, uint16_t ups);

const char *conf_get(const struct conf *conf, uint16_t text);

const char *conf_notify_text(const struct conf *conf, enum notify_type type);

#endif
