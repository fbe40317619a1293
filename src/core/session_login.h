/* SPDX-License-Identifier: ISC */
/*
 * session_login.h - the login of a session, step by step: USERNAME, PASSWORD,
 * LOGIN, and PRIMARY (MASTER in old servers) for a primary.
 *
 * A refusal is said once, and tried again every SESSION_LOGIN_RETRY_MS.
 */
#ifndef SESSION_LOGIN_H
#define SESSION_LOGIN_H

#include "core/session.h"

/* On a new connection. */
void session_login_begin(struct session *s);

/* The step s->login_step is to be sent. */
bool session_login_due(const struct session *s, int64_t now);

/* The answer to that step. */
void session_login_reply(struct session *s, struct session_step *step,
			 const struct proto_reply *reply);

#endif
