/* SPDX-License-Identifier: ISC */
#include "core/session.h"

#include <stdio.h>
#include <string.h>

#include "core/session_login.h"
#include "core/session_poll.h"
#include "core/session_tls.h"

static uint32_t interval(uint32_t poll_ms)
{
	return poll_ms < SESSION_KEEPALIVE_MS ? poll_ms : SESSION_KEEPALIVE_MS;
}

void session_init(struct session *s, int64_t now, uint32_t poll_ms)
{
	memset(s, 0, sizeof(*s));
	s->state = SESSION_DOWN;
	s->attempted = now - interval(poll_ms); /* the first one is due at once */
	s->login_at = NEVER;
}

/* A logout waits for one try of FSD, and not for a server that keeps refusing. */
static bool may_leave(const struct session *s)
{
	return s->want_logout && (!s->want_fsd || s->fsd_tried);
}

static enum session_result drop(struct session *s, struct session_step *step, enum report report,
				const char *why)
{
	s->logged_in = false;
	session_tls_end(s);
	if (may_leave(s)) {
		s->state = SESSION_OVER;
		return SESSION_NOTHING;
	}
	s->state = SESSION_DOWN;
	s->logins_known = false;
	/* what it said instead of an answer tells more than that none came */
	if (s->misfit[0]) {
		report = REPORT_RUBBISH;
		why = s->misfit;
	}
	session_poll_report(s, step, report, why);
	return SESSION_FAILED;
}

static void send(struct session *s, struct session_step *step, enum proto_request request)
{
	action_send(step->out, step->ups, request);
	s->state = SESSION_WAITING;
	s->request = request;
	s->asked = step->now;
	s->reply_by = step->now + SESSION_REPLY_MS;
}

enum session_result session_connected(struct session *s, struct session_step *step)
{
	if (s->state != SESSION_CONNECTING)
		return SESSION_NOTHING;
	s->state = SESSION_IDLE;
	session_login_begin(s);
	session_tls_begin(s);
	s->logins_at = step->now;
	s->list_clients = false;
	s->wants = 0;
	s->missing = 0;
	s->misfits = 0;
	s->misfit[0] = '\0';
	/* a fresh connection polls as soon as it is logged in */
	s->polled = step->now - interval(step->poll_ms);
	return SESSION_NOTHING;
}

enum session_result session_closed(struct session *s, struct session_step *step, const char *why)
{
	switch (s->state) {
	case SESSION_CONNECTING:
		return drop(s, step, REPORT_CONNECT_FAILED, why);
	case SESSION_IDLE:
	case SESSION_WAITING:
		return drop(s, step, REPORT_CONNECTION_LOST, why);
#if WITH_TLS
	case SESSION_SECURING:
		return drop(s, step, REPORT_TLS_FAILED, why);
#endif
	case SESSION_DOWN:
	case SESSION_OVER:
		break;
	}
	return SESSION_NOTHING;
}

/* Something came that answers nothing. */
static enum session_result misfit(struct session *s, struct session_step *step, const char *what)
{
	if (session_poll_is_optional(s))
		return session_poll_do_without(s, step);
	if (!s->misfit[0])
		snprintf(s->misfit, sizeof(s->misfit), "%s", what);
	if (s->misfits++ < SESSION_MISFITS_MAX)
		return SESSION_NOTHING;
	action_close(step->out, step->ups);
	return drop(s, step, REPORT_RUBBISH, s->misfit);
}

enum session_result session_garbage(struct session *s, struct session_step *step, const char *why)
{
	if (s->state != SESSION_IDLE && s->state != SESSION_WAITING)
		return SESSION_NOTHING;
	return misfit(s, step, why);
}

/* The count of logins, by either way; what fails is unknown. */
static void logins_reply(struct session *s, struct session_step *step,
			 const struct proto_reply *reply, uint32_t count)
{
	s->logins_known = reply->kind == PROTO_OK;
	s->logins = count;
	s->logins_at = step->now + SESSION_LOGINS_MS;
	if (reply->kind == PROTO_ERR && !s->list_clients) {
		/* DATA-STALE: the list of clients is still told */
		s->list_clients = true;
		s->logins_at = step->now;
	}
}

enum session_result session_reply(struct session *s, struct session_step *step,
				  struct words *words)
{
	const char *name = conf_get(step->conf, step->conf->ups[step->ups].name);
	struct proto_reply reply;

	if (s->state != SESSION_WAITING)
		return session_garbage(s, step, words_at(words, 0));
	reply = proto_reply(s->request, words, name);
	if (reply.kind == PROTO_RUBBISH && s->request != REQUEST_LOGOUT)
		return misfit(s, step, reply.text);
	s->misfits = 0;
	s->misfit[0] = '\0';
	if (reply.kind == PROTO_MORE) {
		s->counted += reply.number;
		return SESSION_NOTHING;
	}
	s->state = SESSION_IDLE;

	switch (s->request) {
	case REQUEST_USERNAME:
	case REQUEST_PASSWORD:
	case REQUEST_LOGIN:
	case REQUEST_PRIMARY:
	case REQUEST_MASTER:
		session_login_reply(s, step, &reply);
		break;
	case REQUEST_STATUS:
		return session_poll_reply(s, step, &reply);
	case REQUEST_ALARM:
	case REQUEST_CHARGE:
	case REQUEST_RUNTIME:
		return session_poll_variable(s, step, &reply);
	case REQUEST_NUMLOGINS:
		logins_reply(s, step, &reply, reply.number);
		break;
	case REQUEST_CLIENTS:
		logins_reply(s, step, &reply, s->counted);
		break;
	case REQUEST_FSD:
		/* who may not, never may; anything else may pass */
		s->want_fsd = reply.kind != PROTO_OK && strcmp(reply.text, "ACCESS-DENIED") != 0;
		s->fsd_tried = true;
		s->fsd_at = step->now + SESSION_LOGINS_MS;
		if (reply.kind == PROTO_OK)
			action_report(step->out, step->ups, REPORT_FSD_SET, 0, "");
		else if (!s->fsd_told)
			action_report(step->out, step->ups, REPORT_FSD_REFUSED, 0, reply.text);
		s->fsd_told = true;
		break;
	case REQUEST_LOGOUT:
		action_close(step->out, step->ups);
		s->logged_in = false;
		s->state = SESSION_OVER;
		break;
	case REQUEST_STARTTLS:
		if (session_tls_reply(s, step, &reply))
			break;
		action_close(step->out, step->ups);
		return drop(s, step, REPORT_TLS_REFUSED, reply.text);
	}
	return SESSION_NOTHING;
}

/*
 * The order is the priority: what a shutdown needs comes before a poll, and
 * the secondaries learn of FSD even if nobody waits for them (HOSTSYNC 0).
 */
static void idle(struct session *s, struct session_step *step)
{
	enum proto_request variable;

	if (may_leave(s)) {
		send(s, step, REQUEST_LOGOUT);
	} else if (session_tls_is_due(s)) {
		send(s, step, REQUEST_STARTTLS);
	} else if (session_login_due(s, step->now)) {
		send(s, step, s->login_step);
	} else if (s->want_fsd && step->now >= s->fsd_at) {
		send(s, step, REQUEST_FSD);
	} else if (s->want_logins && step->now >= s->logins_at) {
		s->counted = 0;
		send(s, step, s->list_clients ? REQUEST_CLIENTS : REQUEST_NUMLOGINS);
	} else if (session_poll_wants(s, &variable)) {
		send(s, step, variable);
	} else if (step->now >= s->polled + interval(step->poll_ms)) {
		s->polled = step->now;
		send(s, step, REQUEST_STATUS);
	}
}

void session_leave(struct session *s, struct session_step *step)
{
	if (s->state == SESSION_IDLE || s->state == SESSION_WAITING)
		action_send(step->out, step->ups, REQUEST_LOGOUT);
	if (s->state != SESSION_DOWN && s->state != SESSION_OVER)
		action_close(step->out, step->ups);
	s->logged_in = false;
	s->state = SESSION_OVER;
}

enum session_result session_advance(struct session *s, struct session_step *step)
{
	switch (s->state) {
	case SESSION_DOWN:
		if (may_leave(s)) {
			s->state = SESSION_OVER;
		} else if (step->now >= s->attempted + interval(step->poll_ms)) {
			s->state = SESSION_CONNECTING;
			s->attempted = step->now;
			s->reply_by = step->now + step->connect_ms;
			action_connect(step->out, step->ups);
		}
		break;
	case SESSION_CONNECTING:
		if (may_leave(s) || step->now >= s->reply_by) {
			action_close(step->out, step->ups);
			return drop(s, step, REPORT_CONNECT_TIMEOUT, "");
		}
		break;
#if WITH_TLS
	case SESSION_SECURING:
		if (may_leave(s) || step->now >= s->reply_by) {
			action_close(step->out, step->ups);
			return drop(s, step, REPORT_TLS_FAILED,
				    "the server does not go on with the handshake");
		}
		break;
#endif
	case SESSION_IDLE:
		idle(s, step);
		break;
	case SESSION_WAITING:
		if (step->now >= s->reply_by) {
			/* that text is not asked for again while this alarm lasts */
			if (s->request == REQUEST_ALARM)
				s->missing |= 1U << VARIABLE_ALARM;
			if (session_poll_is_optional(s))
				return session_poll_do_without(s, step);
			action_close(step->out, step->ups);
			if (session_tls_is_due(s))
				session_tls_silent(s, step);
			return drop(s, step, REPORT_NO_REPLY, proto_request_name(s->request));
		}
		break;
	case SESSION_OVER:
		break;
	}
	return SESSION_NOTHING;
}

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t session_deadline(const struct session *s, uint32_t poll_ms)
{
	int64_t poll_at = s->polled + interval(poll_ms);

	switch (s->state) {
	case SESSION_DOWN:
		return s->attempted + interval(poll_ms);
	case SESSION_CONNECTING:
	case SESSION_WAITING:
#if WITH_TLS
	case SESSION_SECURING:
#endif
		return s->reply_by;
	case SESSION_IDLE:
		if (!s->login_done)
			poll_at = earliest(poll_at, s->login_at);
		if (s->want_logins)
			poll_at = earliest(poll_at, s->logins_at);
		if (s->want_fsd)
			poll_at = earliest(poll_at, s->fsd_at);
		return poll_at;
	case SESSION_OVER:
		break;
	}
	return NEVER;
}
