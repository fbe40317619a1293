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
	assert_int_equal(status_parse("ol"), ST_ANSWERED | ST_OTHER);
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
	lab_run(&lab, 1000);
	assert_true(lab_saw(&lab, "no answer of a UPS server: \"HTTP/1.1\""));
	assert_true(core_is_ready(&lab.core));
	assert_string_equal(lab_notices(&lab), "COMMBAD ups@a, NOCOMM ups@a");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
