/* SPDX-License-Identifier: ISC */
#include "core/session_poll.h"

#include <stdio.h>
#include <string.h>

void session_poll_report(struct session *s, struct session_step *step, enum report report,
			 const char *why)
{
	int32_t throttle = step->conf->poll_fail_throttle;
	bool say = s->poll_report != (uint8_t)report;

	if (report == REPORT_POLL_WORKS) {
		say = say && s->poll_report != REPORT_NONE;
		s->failures = 0;
	} else {
		s->failures++;
		say = say || throttle < 0 ||
		      (throttle > 0 && s->failures % (uint32_t)throttle == 0);
	}
	if (say)
		action_report(step->out, step->ups, report, 0, why);
	s->poll_report = (uint8_t)report;
}

bool session_poll_is_optional(const struct session *s)
{
	return s->state == SESSION_WAITING && s->request >= REQUEST_ALARM &&
	       s->request <= REQUEST_RUNTIME;
}

static void say_missing(struct session *s, struct session_step *step, enum conf_variable variable)
{
	unsigned int bit = 1U << variable;

	/* an alarm without a text is no loss */
	if (variable != VARIABLE_ALARM && !(s->told_missing & bit))
		action_report(step->out, step->ups, REPORT_VARIABLE_MISSING, 0,
			      proto_variable_name(variable));
	if (variable != VARIABLE_ALARM)
		s->told_missing |= bit;
}

/* The variable that was asked for: this poll has done its part. */
static void take_variable(struct session *s, struct session_step *step)
{
	step->variable = (enum conf_variable)(s->request - REQUEST_ALARM);
	step->text = NULL;
	s->wants &= ~(1U << step->variable);
}

enum session_result session_poll_do_without(struct session *s, struct session_step *step)
{
	take_variable(s, step);
	s->state = SESSION_IDLE;
	say_missing(s, step, step->variable);
	return step->variable == VARIABLE_ALARM ? SESSION_VARIABLE : SESSION_NOTHING;
}

enum session_result session_poll_reply(struct session *s, struct session_step *step,
				       const struct proto_reply *reply)
{
	if (reply->kind == PROTO_ERR) {
		session_poll_report(s, step, REPORT_POLL_REFUSED, reply->text);
		return SESSION_FAILED;
	}
	if (reply->text[strspn(reply->text, " ")] == '\0') {
		session_poll_report(s, step, REPORT_STATUS_EMPTY, "");
		return SESSION_FAILED;
	}
	session_poll_report(s, step, REPORT_POLL_WORKS, "");
	step->text = reply->text;
	return SESSION_STATUS;
}

enum session_result session_poll_variable(struct session *s, struct session_step *step,
					  const struct proto_reply *reply)
{
	take_variable(s, step);
	if (reply->kind == PROTO_OK) {
		step->text = reply->text;
		return SESSION_VARIABLE;
	}
	/* a passing failure: the next poll asks again */
	if (strcmp(reply->text, "VAR-NOT-SUPPORTED") != 0)
		return SESSION_NOTHING;
	say_missing(s, step, step->variable);
	/* an alarm may have a text the next time */
	if (step->variable != VARIABLE_ALARM)
		s->missing |= 1U << step->variable;
	return SESSION_VARIABLE;
}

bool session_poll_wants(const struct session *s, enum proto_request *request)
{
	unsigned int wants = s->wants & ~s->missing;

	for (int variable = 0; wants >> variable; variable++) {
		*request = (enum proto_request)(REQUEST_ALARM + variable);
		if (wants & (1U << variable))
			return true;
	}
	return false;
}

void session_poll_no_number(struct session *s, struct session_step *step,
			    enum conf_variable variable, const char *value)
{
	char why[WHY_MAX];

	if (s->told_values & (1U << variable))
		return;
	s->told_values |= 1U << variable;
	snprintf(why, sizeof(why), "%s \"%.40s\"", proto_variable_name(variable), value);
	action_report(step->out, step->ups, REPORT_VARIABLE_NO_NUMBER, 0, why);
}
