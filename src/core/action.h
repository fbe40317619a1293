/* SPDX-License-Identifier: ISC */
/*
 * action.h - what the core wants done.
 *
 * The core answers each event with a list of actions; the shell around it
 * carries them out in order.  The list is bounded: one event concerns one UPS,
 * or ends one deadline of each UPS.
 */
#ifndef ACTION_H
#define ACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/notify.h"
#include "core/proto.h"
#include "options.h"

/* A point in time that never comes. */
#define NEVER INT64_MAX

/* What the log is told; report.c has the sentences. */
enum report {
	REPORT_NONE,
	REPORT_CONNECT_FAILED,	/* why: the system's error */
	REPORT_CONNECT_TIMEOUT,	/* why: the addresses, which the shell adds */
	REPORT_CONNECTION_LOST,	/* why: the system's error */
	REPORT_NO_REPLY,
	REPORT_RUBBISH,		/* why: what the server said */
	REPORT_POLL_REFUSED,	/* why: the server's code */
	REPORT_STATUS_EMPTY,
	REPORT_POLL_WORKS,	/* after one of the above */
	REPORT_LOGIN_REFUSED,	/* why: the server's code, which is about the user */
	REPORT_LOGIN_FAILED,	/* why: another code */
	REPORT_LOGGED_IN,
	REPORT_PRIMARY_REFUSED,	/* why: the server's code */
	REPORT_FSD_REFUSED,	/* why: the server's code */
	REPORT_FSD_SET,
	REPORT_FSD_OLD,		/* it was there at the first contact; value: seconds */
	REPORT_VARIABLE_MISSING, /* why: its name */
	REPORT_VARIABLE_NO_NUMBER, /* why: its name and value */
	REPORT_CRITICAL,	/* why: the rule */
	REPORT_NOT_CRITICAL,
	REPORT_POWER_LOW,	/* value: power that is left */
	REPORT_FSD_ASKED,	/* -c fsd */
	REPORT_HOSTSYNC_WAIT,
	REPORT_HOSTSYNC_OVER,	/* somebody is still logged in */
	REPORT_FINAL_DELAY,	/* value: seconds */
	REPORT_TIMER_STARTED,	/* why: its name; value: seconds */
	REPORT_TIMER_CANCELLED,	/* why: its name */
	REPORT_TIMER_DUE,	/* why: its name */
	REPORT_TIMERS_FULL,	/* why: its name; value: how many run */
	/* WITH_TLS; why of the first three: its version */
	REPORT_TLS_VERIFIED,
	REPORT_TLS_UNDATED,	/* verified, but for the dates */
	REPORT_TLS_ENCRYPTED,	/* and not verified */
	REPORT_TLS_NONE,	/* in the clear; why: the server's code */
	REPORT_TLS_SILENT,	/* in the clear the next time */
	REPORT_TLS_REFUSED,	/* not in the clear; why: the server's code */
	REPORT_TLS_FAILED,	/* why: the reason */
};

enum action_kind {
	ACT_CONNECT,	/* ups: begin a connection; answer with an event */
	ACT_SEND,	/* ups, request */
	ACT_CLOSE,	/* ups: drop the connection, without an event */
	ACT_NOTIFY,	/* type, why; ups, or UPS_NONE for a global one */
	ACT_COMMAND,	/* run CMDSCRIPT with why, for a notification: type, ups or UPS_NONE;
			   value: not 0 for a timer that is due, which waits for nobody */
	ACT_REPORT,	/* report, value; ups or UPS_NONE */
	ACT_SHUTDOWN,	/* write POWERDOWNFLAG, run SHUTDOWNCMD */
#if WITH_TLS
	ACT_SECURE,	/* ups: begin the handshake; answer with an event */
#endif
};

#define UPS_NONE UINT16_MAX
#define WHY_MAX 96

struct action {
	enum action_kind kind;
	uint16_t ups;
	union {
		enum proto_request request;
		enum notify_type type;
		enum report report;
	} u;
	uint32_t value;
	char why[WHY_MAX];
};

/* sched.h makes one or two for an AT line that applies, and for a timer. */
#define ACTIONS_MAX (8 * UPS_MAX + 16 + WITH_UPSSCHED * 2 * (SCHED_RULES_MAX + SCHED_TIMERS_MAX))

struct actions {
	unsigned int count;
	struct action list[ACTIONS_MAX];
};

void action_connect(struct actions *out, uint16_t ups);
void action_close(struct actions *out, uint16_t ups);
#if WITH_TLS
void action_secure(struct actions *out, uint16_t ups);
#endif
void action_send(struct actions *out, uint16_t ups, enum proto_request request);
/* more: the second %s of the text, as the alarms are of ALARM. */
void action_notify(struct actions *out, uint16_t ups, enum notify_type type, const char *more);
void action_command(struct actions *out, uint16_t ups, enum notify_type type, const char *argument,
		    bool at_once);
void action_report(struct actions *out, uint16_t ups, enum report report, uint32_t value,
		   const char *why);
void action_shutdown(struct actions *out);

/* The sentence of an ACT_REPORT; *priority is a syslog priority. */
void report_format(char *out, size_t size, const struct conf *conf, const struct action *action,
		   int *priority);

#endif
