/* SPDX-License-Identifier: ISC */
/* session_tls.c and conf_tls.c, in a core that is built with TLS. */
#include "lab.h"

#define UPS "MONITOR ups@a 1 u secret primary\nSHUTDOWNCMD x\n"
#define FORCED UPS "FORCESSL 1\n"
#define VERIFIED UPS "CERTPATH /ca\nCERTVERIFY 1\n"

static struct lab lab;

static void start(const char *conf, enum lab_tls tls)
{
	lab_start(&lab, conf);
	lab.server[0].tls = tls;
	lab.server[0].secure = SECURE_ENCRYPTED;
}

static void test_starttls_comes_first(void **state)
{
	(void)state;
	start(UPS, LAB_TLS);
	lab_run(&lab, 1000);
	assert_true(lab_saw(&lab, "encrypted (TLSv1.3); the server's certificate is not verified"));
	assert_true(lab.server[0].logged_in);
	assert_int_equal(lab.server[0].passwords_in_clear, 0);
	assert_int_equal(lab.core.ups[0].secure, SECURE_ENCRYPTED);
}

static void test_a_server_without_is_used_in_the_clear(void **state)
{
	(void)state;
	start(UPS, LAB_NO_TLS);
	lab_run(&lab, 1000);
	assert_true(lab_saw(&lab, "not encrypted: the server has no TLS (FEATURE-NOT-SUPPORTED)"));
	assert_true(lab.server[0].logged_in);
	assert_int_equal(lab.core.ups[0].secure, 0);
}

/* Whoever wants the certificate verified wants no connection that has none. */
static void test_but_not_when_forced_or_verified(void **state)
{
	const char *const confs[] = { FORCED, VERIFIED, UPS "CERTPATH /ca\nCERTHOST a b 1 0\n",
				      UPS "CERTHOST a b 0 1\n" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(confs) / sizeof(confs[0]); i++) {
		start(confs[i], LAB_NO_TLS);
		lab_run(&lab, 60000);
		assert_true(lab_saw(&lab, "not connecting in the clear"));
		assert_int_equal(lab.server[0].passwords_in_clear, 0);
		assert_int_equal(lab.server[0].polls_seen, 0);
		assert_true(lab.server[0].connects_seen > 5);
		assert_string_equal(lab_notices(&lab), "COMMBAD ups@a, NOCOMM ups@a");
	}
}

static void test_certhost_lifts_what_holds_for_all(void **state)
{
	(void)state;
	start(FORCED "CERTHOST A:3493 b 0 0\n", LAB_NO_TLS);
	lab_run(&lab, 1000);
	assert_true(lab.server[0].logged_in);
	/* another port is another host */
	start(FORCED "CERTHOST a:3494 b 0 0\n", LAB_NO_TLS);
	lab_run(&lab, 1000);
	assert_false(lab.server[0].logged_in);
}

static void test_a_swallowed_starttls(void **state)
{
	(void)state;
	start(UPS, LAB_TLS_SILENT);
	lab_run(&lab, 12000);
	assert_true(lab_saw(&lab, "does not answer STARTTLS"));
	assert_true(lab.server[0].logged_in);
	/* the one after that asks again */
	lab.server[0].tls = LAB_TLS;
	lab_break(&lab, 0);
	lab_run(&lab, 12000);
	assert_int_equal(lab.core.ups[0].secure, SECURE_ENCRYPTED);

	start(FORCED, LAB_TLS_SILENT);
	lab_run(&lab, 60000);
	assert_int_equal(lab.server[0].passwords_in_clear, 0);
	assert_false(lab.server[0].logged_in);
}

/* A failed handshake always disconnects, and is tried again. */
static void test_a_failed_handshake(void **state)
{
	(void)state;
	start(UPS, LAB_TLS_FAILS);
	lab_run(&lab, 12000);
	assert_true(lab_saw(&lab, "TLS failed: "));
	assert_int_equal(lab.server[0].passwords_in_clear, 0);
	lab.server[0].tls = LAB_TLS;
	lab_run(&lab, 6000);
	assert_true(lab.server[0].logged_in);

	start(UPS, LAB_TLS_HANGS);
	lab_run(&lab, 14000);
	assert_false(lab_saw(&lab, "TLS failed: "));
	lab_run(&lab, 2000);
	assert_true(lab_saw(&lab, "TLS failed: the server does not go on with the handshake"));
}

/* What is known of a connection ends with it, and only a change is told. */
static void test_every_connection_is_secured_anew(void **state)
{
	(void)state;
	start(VERIFIED, LAB_TLS);
	lab.server[0].secure = SECURE_ENCRYPTED | SECURE_VERIFIED | SECURE_UNDATED;
	lab_run(&lab, 1000);
	assert_true(lab_saw(&lab, "but not its dates"));
	lab_break(&lab, 0);
	lab_run(&lab, 0);
	assert_int_equal(lab.core.ups[0].secure, 0);
	lab.server[0].secure = SECURE_ENCRYPTED | SECURE_VERIFIED;
	lab_notices(&lab);
	lab_run(&lab, 6000);
	assert_true(lab_saw(&lab, "(TLSv1.3), and the server's certificate is verified"));
	lab_break(&lab, 0);
	lab_notices(&lab);
	lab_run(&lab, 6000);
	assert_int_equal(lab.core.ups[0].secure, SECURE_ENCRYPTED | SECURE_VERIFIED);
	assert_false(lab_saw(&lab, "encrypted"));
}

/* A handshake that is under way does not hold up a shutdown's end. */
static void test_a_stop_in_the_handshake(void **state)
{
	static struct actions out;
	struct event stop = { .kind = EV_STOP };

	(void)state;
	start(UPS, LAB_TLS_HANGS);
	lab_run(&lab, 1000);
	assert_int_equal(lab.core.session[0].state, SESSION_SECURING);
	core_event(&lab.core, &stop, lab.now, &out);
	assert_true(core_is_over(&lab.core));
	assert_int_equal(out.count, 1);
	assert_int_equal(out.list[0].kind, ACT_CLOSE);
}

/* ---- the configuration ---- */

static void bad(const char *conf, const char *finding)
{
	lab_conf(&lab, conf);
	assert_true(lab.errors > 0);
	if (!strstr(lab.findings, finding))
		fail_msg("\"%s\" is not in: %s", finding, lab.findings);
}

static void test_a_line_that_is_no_good_is_an_error(void **state)
{
	(void)state;
	bad(UPS "CERTVERIFY 1\n", "there is no CERTPATH");
	bad(UPS "CERTVERIFY perhaps\n", "3: error: CERTVERIFY: \"perhaps\" is neither 1 nor 0");
	bad(UPS "FORCESSL\n", "expected: FORCESSL 0 or 1");
	bad(UPS "CERTPATH ca.pem\n", "must be an absolute path");
	bad(UPS "CERTHOST a b 1\n", "expected: CERTHOST");
	bad(UPS "CERTHOST :1 b 0 0\n", "the host is missing");
	bad(UPS "CERTHOST a:x b 0 0\n", "the port is \"x\"");
	bad(UPS "CERTHOST a b 1 1\n", "there is no CERTPATH");
}

static void good(const char *conf, bool verify, bool force, const char *name)
{
	const struct conf_ups *ups = &lab.conf.ups[0];

	lab_conf(&lab, conf);
	if (lab.errors)
		fail_msg("%s", lab.findings);
	assert_int_equal(ups->tls_verify, verify);
	assert_int_equal(ups->tls_force, force);
	assert_string_equal(conf_get(&lab.conf, ups->cert_name), name);
}

static void test_what_holds_for_a_host(void **state)
{
	(void)state;
	good(UPS, false, false, "a");
	good(UPS "CERTVERIFY yes\nCERTPATH /ca\nFORCESSL On\n", true, true, "a");
	good(UPS "CERTHOST a \"the name\" 0 1\n", false, true, "the name");
	good(UPS "CERTHOST a \"\" 0 1\n", false, true, "a");
	good(UPS "CERTHOST b c 0 1\nCERTHOST a x 0 0\nCERTHOST a y 0 1\n", false, false, "x");
	good("MONITOR u@[::1]:99 1 u p primary\nSHUTDOWNCMD x\nCERTHOST [::1]:99 n 0 1\n", false,
	     true, "n");
	good("MONITOR u@[::1]:99 1 u p primary\nSHUTDOWNCMD x\nCERTHOST ::1 n 0 1\n", false, true,
	     "n");
	good("MONITOR u@[::1]:99 1 u p primary\nSHUTDOWNCMD x\nCERTHOST [::1]:98 n 0 1\n", false,
	     false, "::1");
	lab_conf(&lab, UPS "CERTIDENT a b\n");
	assert_int_equal(lab.errors, 0);
	assert_int_equal(lab.warnings, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_starttls_comes_first),
		cmocka_unit_test(test_a_server_without_is_used_in_the_clear),
		cmocka_unit_test(test_but_not_when_forced_or_verified),
		cmocka_unit_test(test_certhost_lifts_what_holds_for_all),
		cmocka_unit_test(test_a_swallowed_starttls),
		cmocka_unit_test(test_a_failed_handshake),
		cmocka_unit_test(test_every_connection_is_secured_anew),
		cmocka_unit_test(test_a_stop_in_the_handshake),
		cmocka_unit_test(test_a_line_that_is_no_good_is_an_error),
		cmocka_unit_test(test_what_holds_for_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
