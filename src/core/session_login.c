/* SPDX-License-Identifier: ISC */
#include "core/session_login.h"

#include <string.h>

void session_login_begin(struct session *s)
{
	s->login_step = REQUEST_USERNAME;
	s->login_done = false;
	s->login_at = NEVER;
}

bool session_login_due(const struct session *s, int64_t now)
{
	return !s->login_done && (s->login_at == NEVER || now >= s->login_at);
}

static void granted(struct session *s, struct session_step *step)
{
	switch (s->request) {
	case REQUEST_USERNAME:
		s->login_step = REQUEST_PASSWORD;
		break;
	case REQUEST_PASSWORD:
		s->login_step = REQUEST_LOGIN;
		break;
	case REQUEST_LOGIN:
		s->logged_in = true;
		if (s->login_report != REPORT_LOGGED_IN)
			action_report(step->out, step->ups, REPORT_LOGGED_IN, 0, "");
		s->login_report = REPORT_LOGGED_IN;
		s->login_step = REQUEST_PRIMARY;
		s->login_done = !step->conf->ups[step->ups].primary;
		break;
	default:
		s->login_done = true;
		break;
	}
}

/* Other codes are of a server that is full, or has no driver, or is old. */
static bool is_about_the_user(const char *code)
{
	return strcmp(code, "ACCESS-DENIED") == 0 || strncmp(code, "INVALID-", 8) == 0 ||
	       strcmp(code, "USERNAME-REQUIRED") == 0 || strcmp(code, "PASSWORD-REQUIRED") == 0;
}

static void refused(struct session *s, struct session_step *step, const char *code)
{
	enum report report = REPORT_PRIMARY_REFUSED;

	if (!s->logged_in)
		report = is_about_the_user(code) ? REPORT_LOGIN_REFUSED : REPORT_LOGIN_FAILED;
	if (s->request == REQUEST_PRIMARY && strcmp(code, "UNKNOWN-COMMAND") == 0) {
		s->login_step = REQUEST_MASTER;
		return;
	}
	if (s->request == REQUEST_LOGIN && strcmp(code, "ALREADY-LOGGED-IN") == 0) {
		granted(s, step);
		return;
	}
	/* left over from a try that got half way */
	if (strcmp(code, "ALREADY-SET-USERNAME") == 0 || strcmp(code, "ALREADY-SET-PASSWORD") == 0) {
		granted(s, step);
		return;
	}
	if (s->login_report != report) {
		action_report(step->out, step->ups, report, 0, code);
		/* a wrong password shows in nothing else: the UPS is seen all the same */
		if (report == REPORT_LOGIN_REFUSED)
			action_notify(step->out, step->ups, NOTIFY_NOLOGIN, code);
	}
	s->login_report = (uint8_t)report;
	s->login_at = step->now + SESSION_LOGIN_RETRY_MS;
}

void session_login_reply(struct session *s, struct session_step *step,
			 const struct proto_reply *reply)
{
	if (reply->kind == PROTO_OK)
		granted(s, step);
	else
		refused(s, step, reply->text);
}
