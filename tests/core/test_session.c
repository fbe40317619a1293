/* SPDX-License-Identifier: ISC */
/* session.c and proto.c: the conversation with a server, and its failures. */
#include "lab.h"

#include "core/status.h"

#define PRIMARY "MONITOR ups@a 1 u p primary\nSHUTDOWNCMD x\n"
#define SECONDARY "MONITOR ups@a 1 u p secondary\nSHUTDOWNCMD x\n"

static struct lab lab;

static const char *request(enum proto_request r, const char *conf)
{
	static char out[PROTO_REQUEST_MAX];
	size_t len;

	lab_conf(&lab, conf);
	len = proto_request(out, sizeof(out), r, &lab.conf, &lab.conf.ups[0]);
	assert_int_equal(len, strlen(out));
	return out;
}

static void test_requests(void **state)
{
	(void)state;
	assert_string_equal(request(REQUEST_USERNAME, PRIMARY), "USERNAME u\n");
	assert_string_equal(request(REQUEST_STATUS, PRIMARY), "GET VAR ups ups.status\n");
	assert_string_equal(request(REQUEST_FSD, PRIMARY), "FSD ups\n");
	assert_string_equal(request(REQUEST_LOGOUT, PRIMARY), "LOGOUT\n");
}

/* Row 16: passwords with quotes, spaces, # or \ */
static void test_row16_password_is_quoted(void **state)
{
	(void)state;
	assert_string_equal(request(REQUEST_PASSWORD, "MONITOR a 1 u \"p q#\\\"\\\\\" primary\n"),
			    "PASSWORD \"p q\\#\\\"\\\\\"\n");
	assert_string_equal(request(REQUEST_PASSWORD, "MONITOR a 1 u \"\" primary\n"),
			    "PASSWORD \"\"\n");
}

static struct proto_reply reply(enum proto_request r, const char *line)
{
	static struct words w;

	words_init(&w, WORDS_WIRE);
	for (; *line; line++)
		words_feed(&w, (unsigned char)*line);
	words_feed(&w, '\n');
	return proto_reply(r, &w, "ups");
}

static void test_replies(void **state)
{
	(void)state;
	assert_int_equal(reply(REQUEST_LOGIN, "OK").kind, PROTO_OK);
	assert_int_equal(reply(REQUEST_FSD, "OK FSD-SET").kind, PROTO_OK);
	assert_int_equal(reply(REQUEST_LOGIN, "ERR ACCESS-DENIED").kind, PROTO_ERR);
	assert_string_equal(reply(REQUEST_LOGIN, "ERR ACCESS-DENIED").text, "ACCESS-DENIED");
	assert_string_equal(reply(REQUEST_STATUS, "VAR ups ups.status \"OB LB\"").text, "OB LB");
	assert_int_equal(reply(REQUEST_STATUS, "VAR other ups.status \"OL\"").kind, PROTO_RUBBISH);
	assert_int_equal(reply(REQUEST_STATUS, "VAR ups ups.load \"9\"").kind, PROTO_RUBBISH);
	assert_int_equal(reply(REQUEST_STATUS, "OK").kind, PROTO_RUBBISH);
	assert_int_equal(reply(REQUEST_STATUS, "ERR").kind, PROTO_RUBBISH);
	assert_int_equal(reply(REQUEST_NUMLOGINS, "NUMLOGINS ups 3").number, 3);
	assert_int_equal(reply(REQUEST_NUMLOGINS, "NUMLOGINS ups -3").kind, PROTO_RUBBISH);
	assert_int_equal(reply(REQUEST_NUMLOGINS, "NUMLOGINS ups 99999999999").kind, PROTO_RUBBISH);
}

static void test_status_tokens(void **state)
{
	char text[32];

	(void)state;
	assert_int_equal(status_parse(""), 0);
	assert_int_equal(status_parse("  "), 0);
	assert_int_equal(status_parse("CHRG"), ST_ANSWERED);
	assert_int_equal(status_parse(" OB  LB "), ST_ANSWERED | ST_OB | ST_LB);
	assert_int_equal(status_parse("OLD"), ST_ANSWERED | ST_OTHER);
	assert_int_equal(status_parse("ol"), ST_ANSWERED | ST_OL);
	assert_int_equal(status_parse("Ob lb hb"), ST_ANSWERED | ST_OB | ST_LB);
	status_format(status_parse("FSD OB LB"), text, sizeof(text));
	assert_string_equal(text, "OB LB FSD");
	status_format(ST_ALL, text, 8);
	assert_string_equal(text, "OL OB");
}

static void test_login_order(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 0);
	assert_true(lab.core.session[0].logged_in);
	assert_true(lab.core.session[0].login_done);
	assert_int_equal(lab.server[0].polls_seen, 1);
}

static void test_old_server_knows_master_only(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab.server[0].deny = "PRIMARY";
	lab.server[0].deny_code = "UNKNOWN-COMMAND";
	lab_run(&lab, 1000);
	assert_true(lab.core.session[0].login_done);
	assert_int_equal(lab.core.session[0].request, REQUEST_STATUS);
	assert_false(lab_saw(&lab, "refuses"));
}

/* Row 10: a refused LOGIN is never tried again. */
static void test_row10_refused_login_is_tried_again(void **state)
{
	(void)state;
	lab_start(&lab, SECONDARY);
	lab.server[0].deny = "LOGIN";
	lab.server[0].deny_code = "ACCESS-DENIED";
	lab_run(&lab, 20000);
	assert_true(lab_saw(&lab, "refuses the login (ACCESS-DENIED)"));
	assert_int_equal(lab.server[0].logins_seen, 1);
	/* reading needs no login */
	assert_int_equal(lab.server[0].polls_seen, 5);
	lab_run(&lab, 20000);
	assert_int_equal(lab.server[0].logins_seen, 2);
	lab.server[0].deny = NULL;
	lab_run(&lab, 30000);
	assert_true(lab.server[0].logged_in);
	assert_true(lab_saw(&lab, "logged in"));
	/* whoever is told of a lost UPS is told of a wrong password: once */
	assert_string_equal(lab_notices(&lab), "NOLOGIN ups@a ACCESS-DENIED");
}

/* Full, say: nobody need look for a wrong password. */
static void test_a_login_that_fails_for_now(void **state)
{
	(void)state;
	lab_start(&lab, SECONDARY);
	lab.server[0].deny = "LOGIN";
	lab.server[0].deny_code = "FAILED";
	lab_run(&lab, 60000);
	assert_true(lab_saw(&lab, "refuses the login for now (FAILED)"));
	assert_false(lab_saw(&lab, "compare user"));
	assert_string_equal(lab_notices(&lab), "");
}

static void test_refused_primary_is_said_once(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab.server[0].deny = "PRIMARY";
	lab.server[0].deny_code = "ACCESS-DENIED";
	lab_run(&lab, 600000);
	assert_true(lab_saw(&lab, "does not take this host as primary (ACCESS-DENIED)"));
	assert_int_equal(lab.server[0].logins_seen, 1);
	assert_null(strstr(strstr(lab.trace, "does not take") + 1, "does not take"));
}

static void test_silent_server_is_given_up(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 10000);
	lab.server[0].mode = LAB_SILENT;
	lab_run(&lab, 9999);
	assert_string_equal(lab_notices(&lab), "");
	lab_run(&lab, 1);
	assert_true(lab_saw(&lab, "no reply to GET VAR in time"));
	assert_string_equal(lab_notices(&lab), "COMMBAD ups@a");
}

static void test_rubbish_is_named(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab.server[0].mode = LAB_RUBBISH;
	lab_run(&lab, SESSION_REPLY_MS);
	assert_true(lab_saw(&lab, "no answer of a UPS server: \"HTTP/1.1\""));
	assert_true(core_is_ready(&lab.core));
	assert_string_equal(lab_notices(&lab), "COMMBAD ups@a, NOCOMM ups@a");
	/* said once, and not in turns with that no answer came */
	lab_run(&lab, 600000);
	assert_false(lab_saw(&lab, "report"));
}

/* ---- lines beside the point ---- */

static void say(const char *line)
{
	static struct words words;
	struct event ev = { .kind = EV_LINE, .words = &words };
	static struct actions out;

	words_init(&words, WORDS_WIRE);
	for (const char *c = line; *c; c++)
		words_feed(&words, (unsigned char)*c);
	words_feed(&words, '\n');
	core_event(&lab.core, &ev, lab.now, &out);
}

static void garbage(void)
{
	struct event ev = { .kind = EV_GARBAGE, .why = "the line is too long" };
	static struct actions out;

	core_event(&lab.core, &ev, lab.now, &out);
}

/* The request that is out, by hand: the lab's server is silent. */
static enum proto_request asked(void)
{
	assert_int_equal(lab.core.session[0].state, SESSION_WAITING);
	return lab.core.session[0].request;
}

static void test_a_greeting_is_passed_over(void **state)
{
	(void)state;
	lab_start(&lab, SECONDARY);
	lab.server[0].mode = LAB_SILENT;
	lab_run(&lab, 0);
	say("Network UPS Tools upsd 2.8.5");
	say("Welcome, and be kind");
	assert_int_equal(asked(), REQUEST_USERNAME);
	/* one that looks like an answer takes its place: the others follow, one late */
	say("OK hello");
	say("OK");
	say("OK");
	assert_int_equal(asked(), REQUEST_STATUS);
	say("OK");
	say("VAR ups ups.status \"OL\"");
	assert_int_equal(lab.core.ups[0].comm, COMM_OK);
	lab.server[0].mode = LAB_UP;
	lab_run(&lab, 60000);
	assert_string_equal(lab_notices(&lab), "");
	assert_int_equal(lab.server[0].connects_seen, 1);
}

static void test_who_never_stops_talking_is_given_up(void **state)
{
	(void)state;
	lab_start(&lab, SECONDARY);
	lab_run(&lab, 1000);
	for (int i = 0; i <= SESSION_MISFITS_MAX; i++)
		say("blah blah");
	assert_int_equal(lab.core.session[0].state, SESSION_DOWN);
}

static void test_words_without_quotes_and_names_in_another_case(void **state)
{
	(void)state;
	lab_start(&lab, SECONDARY);
	lab.server[0].mode = LAB_SILENT;
	lab_run(&lab, 0);
	say("OK");
	say("OK");
	say("OK");
	say("VAR UPS ups.status OB LB");
	assert_int_equal(lab.core.ups[0].bits, ST_ANSWERED | ST_OB | ST_LB);
}

/* Until an alarm's text is asked for. */
static void ask_for_alarm(void)
{
	lab_start(&lab, SECONDARY);
	lab_run(&lab, 1000);
	lab.server[0].mode = LAB_SILENT;
	lab_run(&lab, 5000);
	assert_int_equal(asked(), REQUEST_STATUS);
	say("VAR ups ups.status \"OL ALARM\"");
	assert_int_equal(asked(), REQUEST_ALARM);
}

/* What is not needed for the judgement never costs the connection. */
static void test_an_alarm_without_an_answer(void **state)
{
	(void)state;
	for (int way = 0; way < 4; way++) {
		ask_for_alarm();
		if (way == 0)
			garbage();
		else if (way == 1)
			say("what?");
		else if (way == 2)
			say("ERR DATA-STALE");
		else
			lab_run(&lab, SESSION_REPLY_MS);
		/* where the time was waited for, the next poll is due */
		if (way < 3)
			assert_int_equal(lab.core.session[0].state, SESSION_IDLE);
		else
			assert_int_equal(asked(), REQUEST_STATUS);
		/* it comes late, which is no harm */
		say("VAR ups ups.alarm \"Replace battery\"");
		lab.server[0].mode = LAB_UP;
		lab_status(&lab, 0, "OL ALARM");
		if (way == 3)
			say("VAR ups ups.status \"OL ALARM\"");
		lab_run(&lab, 60000);
		assert_int_equal(lab.server[0].connects_seen, 1);
		assert_int_equal(lab.core.ups[0].comm, COMM_OK);
		assert_int_equal(lab.shutdowns, 0);
		assert_null(strstr(lab_notices(&lab), "COMMBAD"));
	}
}

/* Notified without its text, at once; and once. */
static void test_an_alarm_is_notified_without_its_text(void **state)
{
	static struct actions out;
	struct event ev = { .kind = EV_GARBAGE, .why = "the line is too long" };

	(void)state;
	ask_for_alarm();
	core_event(&lab.core, &ev, lab.now, &out);
	assert_int_equal(out.list[0].kind, ACT_NOTIFY);
	assert_int_equal(out.list[0].u.type, NOTIFY_ALARM);
}

/* A server that takes each connection and drops it must not be hammered. */
static void test_reconnects_are_spaced(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab.server[0].mode = LAB_RUBBISH;
	lab_run(&lab, 100000);
	assert_in_range(lab.server[0].connects_seen, 20, 21);
}

static void test_restarted_server_is_found_at_once(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 62000);
	lab_break(&lab, 0);
	lab_run(&lab, 0);
	assert_string_equal(lab_notices(&lab), "COMMBAD ups@a, COMMOK ups@a");
	assert_int_equal(lab.server[0].logins_seen, 2);
}

static void test_stale_data_keeps_the_connection(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 10000);
	lab.server[0].mode = LAB_STALE;
	lab_run(&lab, 100000);
	assert_string_equal(lab_notices(&lab), "COMMBAD ups@a");
	assert_int_equal(lab.server[0].connects_seen, 1);
	lab.server[0].mode = LAB_UP;
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "COMMOK ups@a");
}

static void test_empty_status_is_no_answer(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "COMMBAD ups@a");
}

/* Row 17: each failed poll logs a line for ever. */
static void test_row17_a_lasting_failure_is_said_once(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab.server[0].mode = LAB_REFUSED;
	lab_run(&lab, 86400000);
	assert_non_null(strstr(lab.trace, "cannot connect"));
	assert_null(strstr(strstr(lab.trace, "cannot connect") + 1, "cannot connect"));
}

static void test_connect_timeout(void **state)
{
	static struct actions out;
	struct event ev = { .kind = EV_TIME };

	(void)state;
	lab_start(&lab, PRIMARY);
	core_event(&lab.core, &ev, lab.now, &out);
	assert_int_equal(out.list[0].kind, ACT_CONNECT);
	assert_int_equal(core_deadline(&lab.core, lab.now), lab.now + 10000);
	lab.now += 10000;
	core_event(&lab.core, &ev, lab.now, &out);
	assert_int_equal(out.list[0].kind, ACT_CLOSE);
	assert_true(core_is_ready(&lab.core));
}

/* FSD that is refused for the moment is tried again while somebody waits for it. */
static void test_fsd_is_tried_again(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY "HOSTSYNC 30\n");
	lab.server[0].deny = "FSD";
	lab.server[0].deny_code = "DATA-STALE";
	lab_run(&lab, 10000);
	lab_fsd(&lab);
	lab_run(&lab, 5500);
	assert_false(lab.server[0].fsd);
	lab.server[0].deny = NULL;
	lab_run(&lab, 600);
	assert_true(lab.server[0].fsd);
	/* who may not, never may */
	lab_start(&lab, PRIMARY "HOSTSYNC 30\n");
	lab.server[0].deny = "FSD";
	lab.server[0].deny_code = "ACCESS-DENIED";
	lab_run(&lab, 10000);
	lab_fsd(&lab);
	lab_run(&lab, 5000);
	assert_int_equal(lab.server[0].fsds_seen, 1);
}

/* One that keeps refusing is said once, and does not keep us logged in. */
static void test_fsd_that_is_refused_for_ever(void **state)
{
	const char *said;

	(void)state;
	lab_start(&lab, PRIMARY "HOSTSYNC 5\nFINALDELAY 1\n");
	lab.server[0].deny = "FSD";
	lab.server[0].deny_code = "DRIVER-NOT-CONNECTED";
	lab_run(&lab, 10000);
	lab_fsd(&lab);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 1);
	said = strstr(lab.trace, "refuses FSD");
	assert_non_null(said);
	assert_null(strstr(said + 1, "refuses FSD"));
	assert_int_equal(lab.server[0].logouts_seen, 1);
}

/* No time for anything, and the server away just then: the secondaries are warned all the same. */
static void test_fsd_is_sent_after_the_shutdown_has_begun(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY "HOSTSYNC 0\nFINALDELAY 0\n");
	lab_run(&lab, 10000);
	lab.server[0].mode = LAB_REFUSED;
	lab_break(&lab, 0);
	lab_fsd(&lab);
	assert_int_equal(lab.shutdowns, 1);
	assert_false(lab.server[0].fsd);
	lab.server[0].mode = LAB_UP;
	lab_run(&lab, 20000);
	assert_true(lab.server[0].fsd);
	assert_int_equal(lab.server[0].logouts_seen, 1);
}

/* Whose own login is refused is none of those who are counted. */
static void test_secondaries_are_counted_without_us(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY "HOSTSYNC 30\nFINALDELAY 0\n");
	lab.server[0].deny = "LOGIN";
	lab.server[0].deny_code = "FAILED";
	lab.server[0].others = 1;
	lab_run(&lab, 10000);
	lab_fsd(&lab);
	lab_run(&lab, 29000);
	assert_int_equal(lab.shutdowns, 0);
	assert_non_null(strstr(lab_notices(&lab), "SHUTDOWN_HOSTSYNC"));
	lab_run(&lab, 1000);
	assert_int_equal(lab.shutdowns, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_row16_password_is_quoted),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_status_tokens),
		cmocka_unit_test(test_login_order),
		cmocka_unit_test(test_old_server_knows_master_only),
		cmocka_unit_test(test_row10_refused_login_is_tried_again),
		cmocka_unit_test(test_refused_primary_is_said_once),
		cmocka_unit_test(test_silent_server_is_given_up),
		cmocka_unit_test(test_rubbish_is_named),
		cmocka_unit_test(test_reconnects_are_spaced),
		cmocka_unit_test(test_restarted_server_is_found_at_once),
		cmocka_unit_test(test_stale_data_keeps_the_connection),
		cmocka_unit_test(test_empty_status_is_no_answer),
		cmocka_unit_test(test_row17_a_lasting_failure_is_said_once),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_fsd_is_tried_again),
		cmocka_unit_test(test_fsd_that_is_refused_for_ever),
		cmocka_unit_test(test_fsd_is_sent_after_the_shutdown_has_begun),
		cmocka_unit_test(test_secondaries_are_counted_without_us),
		cmocka_unit_test(test_a_login_that_fails_for_now),
		cmocka_unit_test(test_a_greeting_is_passed_over),
		cmocka_unit_test(test_who_never_stops_talking_is_given_up),
		cmocka_unit_test(test_words_without_quotes_and_names_in_another_case),
		cmocka_unit_test(test_an_alarm_without_an_answer),
		cmocka_unit_test(test_an_alarm_is_notified_without_its_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
