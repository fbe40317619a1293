/* SPDX-License-Identifier: ISC */
#include "core/session_tls.h"

#include "core/ups.h"

static bool is_forced(const struct session_step *step)
{
	const struct conf_ups *ups = &step->conf->ups[step->ups];

	return ups->tls_force || ups->tls_verify;
}

/* Only what differs from the last connection is told. */
static void report(struct session *s, struct session_step *step, enum report what, const char *why)
{
	if (s->tls_report != (uint8_t)what)
		action_report(step->out, step->ups, what, 0, why);
	s->tls_report = (uint8_t)what;
}

void session_tls_begin(struct session *s)
{
	s->tls_due = !s->tls_without;
	s->tls_without = false;
	s->secure = 0;
}

void session_tls_end(struct session *s)
{
	s->secure = 0;
}

bool session_tls_is_due(const struct session *s)
{
	return s->tls_due;
}

bool session_tls_reply(struct session *s, struct session_step *step,
		       const struct proto_reply *reply)
{
	s->tls_due = false;
	if (reply->kind == PROTO_OK) {
		s->state = SESSION_SECURING;
		s->reply_by = step->now + SESSION_TLS_MS;
		action_secure(step->out, step->ups);
		return true;
	}
	if (is_forced(step))
		return false;
	report(s, step, REPORT_TLS_NONE, reply->text);
	return true;
}

void session_tls_silent(struct session *s, struct session_step *step)
{
	if (is_forced(step))
		return;
	s->tls_without = true;
	report(s, step, REPORT_TLS_SILENT, "");
}

void session_tls_done(struct session *s, struct session_step *step, uint8_t secure,
		      const char *version)
{
	enum report what = REPORT_TLS_ENCRYPTED;

	if (s->state != SESSION_SECURING)
		return;
	s->state = SESSION_IDLE;
	s->secure = secure;
	if (secure & SECURE_VERIFIED)
		what = secure & SECURE_UNDATED ? REPORT_TLS_UNDATED : REPORT_TLS_VERIFIED;
	report(s, step, what, version);
}
