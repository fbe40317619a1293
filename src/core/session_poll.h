/* SPDX-License-Identifier: ISC */
/*
 * session_poll.h - a poll: the status, and then the variables that it made of interest.
 *
 * A variable can be done without: no answer, or an odd one, costs the connection
 * nothing.  What a server does not have is said once, and not asked for again on
 * that connection.
 */
#ifndef SESSION_POLL_H
#define SESSION_POLL_H

#include "core/session.h"

/* The answer to GET VAR ups.status. */
enum session_result session_poll_reply(struct session *s, struct session_step *step,
				       const struct proto_reply *reply);

/*
 * How a poll went, or why there was none.  The log hears of it when it differs from the
 * one before; of the same failure again only as POLLFAIL_LOG_THROTTLE_MAX has it.
 */
void session_poll_report(struct session *s, struct session_step *step, enum report report,
			 const char *why);

/* The next variable that this poll still wants; false: none. */
bool session_poll_wants(const struct session *s, enum proto_request *request);

/* The answer to that. */
enum session_result session_poll_variable(struct session *s, struct session_step *step,
					  const struct proto_reply *reply);

/* The request that was sent is a variable that can be done without. */
bool session_poll_is_optional(const struct session *s);

/* No answer to be had, now: the next poll asks again.  An alarm is notified without its text. */
enum session_result session_poll_do_without(struct session *s, struct session_step *step);

/* The value of a variable is not the number that it should be: said once in an outage. */
void session_poll_no_number(struct session *s, struct session_step *step,
			    enum conf_variable variable, const char *value);

#endif
