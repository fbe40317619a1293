/* SPDX-License-Identifier: ISC */
/*
 * session.h - one connection to one server, as a state machine.
 *
 * It logs in (USERNAME, PASSWORD, LOGIN, PRIMARY), polls ups.status, asks for
 * the number of logins and sets FSD when told to, and connects again when the
 * connection is lost.  Everything is an event; each state has one deadline.
 *
 * A server that refuses the login is still polled, because reading needs no
 * login, and the login is tried again every SESSION_LOGIN_RETRY_MS.  (NUT never
 * tries again, and its primary then ignores this host.)
 *
 * A line that answers no request (a greeting, a late answer) is skipped.  A
 * server that has not answered SESSION_REPLY_MS after a request is out of step,
 * and gets a new connection.  But a missing answer that no decision needs
 * (ups.alarm, battery.charge, battery.runtime) never costs the connection.
 *
 * Pure.  Times are monotonic milliseconds.
 */
#ifndef SESSION_H
#define SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/action.h"
#include "core/conf.h"
#include "core/words.h"

/* A server that is silent for this long after a request is given up. */
#define SESSION_REPLY_MS 5000
#define SESSION_LOGIN_RETRY_MS 30000
/* upsd drops a client after 60 s of silence: a longer POLLFREQ is cut to this. */
#define SESSION_KEEPALIVE_MS 45000
/* Between two GET NUMLOGINS, or two tries of FSD, while a primary waits for its secondaries. */
#define SESSION_LOGINS_MS 1000

/* A server that says more than this beside the point is given up at once. */
#define SESSION_MISFITS_MAX 32

enum session_state {
	SESSION_DOWN,		/* until the next attempt is due */
	SESSION_CONNECTING,
	SESSION_IDLE,
	SESSION_WAITING,	/* for the reply to `request` */
#if WITH_TLS
	SESSION_SECURING,	/* the handshake */
#endif
	SESSION_OVER,		/* logged out; stays closed */
};

struct session {
	enum session_state state;
	enum proto_request request;
	enum proto_request login_step;	/* the next one of the login */
	bool login_done;		/* all of its steps */
	bool logged_in;
	bool want_fsd;
	bool want_logins;
	bool want_logout;
	bool logins_known;
	bool list_clients;	/* instead of NUMLOGINS, which failed */
	uint32_t logins;
	uint32_t counted;	/* while a list comes in */
	uint32_t failures;	/* polls in a row */
	unsigned int wants;	/* variables to ask for: a set of 1 << conf_variable */
	unsigned int missing;	/* those that the server does not have, in this outage */
	unsigned int told_missing; /* as the log was told, once */
	int64_t reply_by;	/* CONNECTING and WAITING */
	int64_t asked;		/* when the last request was sent */
	int64_t attempted;	/* when the last connection was begun */
	int64_t polled;		/* when the last poll was sent */
	int64_t login_at;	/* the next try of a refused login */
	int64_t logins_at;
	int64_t fsd_at;		/* the next try of FSD */
	uint8_t poll_report;	/* what the log was told last, so that */
	uint8_t login_report;	/* only a change is told again */
	bool fsd_tried;		/* whatever came of it */
	bool fsd_told;
	uint8_t misfits;	/* lines in a row that answer nothing */
	char misfit[48];	/* the first of them */
#if WITH_TLS
	bool tls_due;		/* STARTTLS is to be sent on this connection, or was just now */
	bool tls_without;	/* the next connection does without: there was no answer */
	uint8_t tls_report;	/* as the others above */
	uint8_t secure;		/* SECURE_ bits */
#endif
	unsigned int told_values; /* variables without a number in this outage, as the log knows */
};

/* What an event means for what is known of the UPS. */
enum session_result {
	SESSION_NOTHING,
	SESSION_STATUS,		/* text is a new ups.status */
	SESSION_VARIABLE,	/* text is the value of variable; NULL: there is none */
	SESSION_FAILED,		/* there was no answer */
};

struct session_step {
	const struct conf *conf;
	uint16_t ups;
	int64_t now;
	uint32_t poll_ms;
	uint32_t connect_ms;
	struct actions *out;
	/* results */
	const char *text;	/* points into the reply */
	enum conf_variable variable;
};

void session_init(struct session *s, int64_t now, uint32_t poll_ms);

enum session_result session_connected(struct session *s, struct session_step *step);
enum session_result session_closed(struct session *s, struct session_step *step, const char *why);
enum session_result session_reply(struct session *s, struct session_step *step,
				  struct words *words);

/* Bytes that are no line of the protocol. */
enum session_result session_garbage(struct session *s, struct session_step *step, const char *why);

/* Says LOGOUT, waits for nothing, and is over. */
void session_leave(struct session *s, struct session_step *step);

/* Acts on whatever is due; call after every event and at the deadline. */
enum session_result session_advance(struct session *s, struct session_step *step);
int64_t session_deadline(const struct session *s, uint32_t poll_ms);

#endif
