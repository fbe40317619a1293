/* SPDX-License-Identifier: ISC */
/* conf.c: what upsmon.conf may say, and what is said about the rest. */
#include "lab.h"

#define GOOD "MONITOR ups@a 1 u p primary\nSHUTDOWNCMD x\n"

static struct lab lab;

static const char *text(uint16_t at)
{
	return conf_get(&lab.conf, at);
}

static void good(const char *conf)
{
	lab_conf(&lab, conf);
	if (lab.errors || lab.warnings)
		fail_msg("%s", lab.findings);
}

/* The text is refused, and the finding says this. */
static void bad(const char *conf, const char *finding)
{
	lab_conf(&lab, conf);
	assert_int_not_equal(lab.errors, 0);
	if (!strstr(lab.findings, finding))
		fail_msg("no \"%s\" in: %s", finding, lab.findings);
}

static void warned(const char *conf, const char *finding)
{
	lab_conf(&lab, conf);
	assert_int_equal(lab.errors, 0);
	assert_int_equal(lab.warnings, 1);
	if (!strstr(lab.findings, finding))
		fail_msg("no \"%s\" in: %s", finding, lab.findings);
}

static void test_defaults(void **state)
{
	(void)state;
	good(GOOD);
	assert_int_equal(lab.conf.min_supplies, 1);
	assert_int_equal(lab.conf.poll_freq_ms, 5000);
	assert_int_equal(lab.conf.poll_freq_alert_ms, 5000);
	assert_int_equal(lab.conf.dead_time_ms, 15000);
	assert_int_equal(lab.conf.host_sync_ms, 15000);
	assert_int_equal(lab.conf.final_delay_ms, 5000);
	assert_int_equal(lab.conf.powerdown_flag, 0);
	for (int i = 0; i < NOTIFY_TYPES; i++) {
		assert_int_equal(lab.conf.notify[i].flags, NOTIFY_SYSLOG | NOTIFY_WALL);
		assert_true(*conf_notify_text(&lab.conf, (enum notify_type)i));
		assert_true(notify_text_ok(conf_notify_text(&lab.conf, (enum notify_type)i)));
	}
}

static void test_monitor(void **state)
{
	const struct conf_ups *u = lab.conf.ups;

	(void)state;
	good("MONITOR big@nas:1234 2 me \"a b\\\"c#\\\\\" secondary\nMONITOR a 0 u p master\n"
	     "MONITOR v6@[fe80::1]:99 1 u p slave\nMONITOR w6@[::1] 1 u p primary\n"
	     "SHUTDOWNCMD x\n");
	assert_string_equal(text(u[0].name), "big");
	assert_string_equal(text(u[0].host), "nas");
	assert_int_equal(u[0].port, 1234);
	assert_int_equal(u[0].power_value, 2);
	assert_string_equal(text(u[0].password), "a b\"c#\\");
	assert_false(u[0].primary);
	assert_string_equal(text(u[1].host), "localhost");
	assert_int_equal(u[1].port, 3493);
	assert_true(u[1].primary);
	assert_string_equal(text(u[2].host), "fe80::1");
	assert_int_equal(u[2].port, 99);
	assert_string_equal(text(u[3].host), "::1");
	assert_string_equal(text(u[3].system), "w6@[::1]");
}

static void test_bad_monitor(void **state)
{
	(void)state;
	bad("MONITOR a 1 u p\n", "1: error: expected: MONITOR system powervalue");
	bad("MONITOR a 1 u p=q primary\n", "quotes");
	bad("MONITOR a 1 u p boss\n", "neither primary nor secondary");
	bad("MONITOR a x u p primary\n", "not a whole number");
	bad("MONITOR a -1 u p primary\n", "the power value is -1");
	bad("MONITOR a 99999999999 u p primary\n", "not a whole number");
	bad("MONITOR @b 1 u p primary\n", "name of the UPS is missing");
	bad("MONITOR a@ 1 u p primary\n", "host behind @ is missing");
	bad("MONITOR a@b:0 1 u p primary\n", "from 1 to 65535");
	bad("MONITOR a@b:x 1 u p primary\n", "the port");
	bad("MONITOR a@::1 1 u p primary\n", "needs brackets");
	bad("MONITOR a@[::1 1 u p primary\n", "expected ups@[address]");
	bad(GOOD "MONITOR ups@a 1 u p primary\n", "3: error: ups@a is monitored already");
	bad("SHUTDOWNCMD x\n", "no MONITOR line");
}

static void test_too_many_monitors(void **state)
{
	char conf[UPS_MAX * 40 + 80] = "SHUTDOWNCMD x\n";

	(void)state;
	for (int i = 0; i < UPS_MAX; i++)
		sprintf(conf + strlen(conf), "MONITOR ups%d 1 u p primary\n", i);
	good(conf);
	strcat(conf, "MONITOR more 1 u p primary\n");
	bad(conf, "more than 16 MONITOR lines");
}

static void test_numbers(void **state)
{
	(void)state;
	good(GOOD "POLLFREQ 7\nPOLLFREQALERT 1\nDEADTIME 20\nHOSTSYNC 0\nFINALDELAY 3\n"
		  "MINSUPPLIES 0\n");
	assert_int_equal(lab.conf.poll_freq_ms, 7000);
	assert_int_equal(lab.conf.poll_freq_alert_ms, 1000);
	assert_int_equal(lab.conf.dead_time_ms, 20000);
	assert_int_equal(lab.conf.host_sync_ms, 0);
	assert_int_equal(lab.conf.final_delay_ms, 3000);
	assert_int_equal(lab.conf.min_supplies, 0);
	bad(GOOD "POLLFREQ five\n", "3: error: POLLFREQ is \"five\"");
	bad(GOOD "POLLFREQ 0\n", "must be from 1 to 86400");
	bad(GOOD "DEADTIME 5s\n", "not a whole number");
	bad(GOOD "HOSTSYNC\n", "expected: HOSTSYNC seconds");
	bad(GOOD "HOSTSYNC = 5\n", "expected: HOSTSYNC seconds");
	bad(GOOD "MINSUPPLIES 2\n", "add up to 1, and MINSUPPLIES asks for 2");
}

static void test_commands(void **state)
{
	(void)state;
	good("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD /sbin/shutdown -h +0\nNOTIFYCMD \"/x y\"\n"
	     "POWERDOWNFLAG /run/killpower\nRUN_AS_USER nut\n");
	assert_string_equal(text(lab.conf.shutdown_cmd), "/sbin/shutdown -h +0");
	assert_string_equal(text(lab.conf.notify_cmd), "/x y");
	assert_string_equal(text(lab.conf.powerdown_flag), "/run/killpower");
	assert_string_equal(text(lab.conf.run_as_user), "nut");
	bad("MONITOR ups@a 1 u p primary\n", "no SHUTDOWNCMD");
	bad("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD\n", "2: error: expected: SHUTDOWNCMD");
	bad(GOOD "POWERDOWNFLAG killpower\n", "absolute path");
	warned("MONITOR ups@a 1 u p primary\nMINSUPPLIES 0\n", "no SHUTDOWNCMD");
}

static void test_notify(void **state)
{
	(void)state;
	good(GOOD "NOTIFYMSG ONBATT \"%s lost %s 100%%\"\nNOTIFYFLAG ONBATT EXEC+SYSLOG\n"
		  "NOTIFYFLAG ONLINE IGNORE\n");
	assert_string_equal(conf_notify_text(&lab.conf, NOTIFY_ONBATT), "%s lost %s 100%%");
	assert_int_equal(lab.conf.notify[NOTIFY_ONBATT].flags, NOTIFY_EXEC | NOTIFY_SYSLOG);
	assert_int_equal(lab.conf.notify[NOTIFY_ONLINE].flags, NOTIFY_IGNORE);
	warned(GOOD "NOTIFYMSG NOSUCH x\n", "3: warning: NOTIFYMSG: there is no notify type");
	warned(GOOD "NOTIFYFLAG ONLINE SYSLOG+MAIL\n", "\"MAIL\" is none of");
	warned(GOOD "NOTIFYFLAG ONLINE\n", "expected: NOTIFYFLAG");
	/* a broken flag line changes nothing */
	assert_int_equal(lab.conf.notify[NOTIFY_ONLINE].flags, NOTIFY_SYSLOG | NOTIFY_WALL);
}

static void test_message_is_never_a_format_string(void **state)
{
	char out[64];

	(void)state;
	bad(GOOD "NOTIFYMSG ONBATT \"%n\"\n", "3: error: NOTIFYMSG ONBATT");
	bad(GOOD "NOTIFYMSG ONBATT \"%d\"\n", "NOTIFYMSG ONBATT");
	bad(GOOD "NOTIFYMSG ONBATT \"%5s\"\n", "NOTIFYMSG ONBATT");
	bad(GOOD "NOTIFYMSG ONBATT \"%s %s %s\"\n", "NOTIFYMSG ONBATT");
	bad(GOOD "NOTIFYMSG ONBATT \"100%\"\n", "NOTIFYMSG ONBATT");
	notify_expand(out, sizeof(out), "%s: %s at 100%%", "ups", "%n");
	assert_string_equal(out, "ups: %n at 100%");
	notify_expand(out, 8, "0123456789%s", "", "");
	assert_string_equal(out, "0123456");
	notify_expand(out, 8, "01%s", "23456789", "");
	assert_string_equal(out, "0123456");
}

static void test_unknown_directive(void **state)
{
	(void)state;
	bad(GOOD "MINSUPLIES 1\n", "3: error: there is no directive \"MINSUPLIES\"");
	bad(GOOD "pollfreq 5\n", "case-sensitive");
}

/* TLS is not there: whoever asks for it must not run without in silence. */
static void test_tls_fails_loudly(void **state)
{
	(void)state;
	bad(GOOD "FORCESSL 1\n", "3: error: FORCESSL asks for TLS");
	bad(GOOD "CERTVERIFY 1\n", "would not be encrypted");
	bad(GOOD "CERTPATH /etc/ssl\n", "CERTPATH asks for TLS");
	bad(GOOD "CERTIDENT a b\n", "CERTIDENT asks for TLS");
	bad(GOOD "CERTHOST a b 1 1\n", "CERTHOST asks for TLS");
	bad(GOOD "CERTFILE /x\n", "CERTFILE asks for TLS");
	good(GOOD "FORCESSL 0\nCERTVERIFY 0\n");
}

static void test_durations(void **state)
{
	(void)state;
	good(GOOD);
	assert_int_equal(lab.conf.off_ms, 30000);
	assert_int_equal(lab.conf.oblb_ms, 0);
	assert_true(lab.conf.over_ms < 0);
	assert_int_equal(lab.conf.alarm_critical, true);
	assert_int_equal(lab.conf.nocomm_warn_ms, 300000);
	assert_int_equal(lab.conf.replace_warn_ms, 43200000);
	assert_int_equal(lab.conf.shutdown_exit_ms, 0);
	good(GOOD "OFFDURATION -1\nOBLBDURATION 20\nOVERDURATION 0\nALARMCRITICAL 0\n"
		  "SHUTDOWNEXIT no\nPOLLFAIL_LOG_THROTTLE_MAX -1\nDEBUG_MIN 2\n");
	assert_true(lab.conf.off_ms < 0);
	assert_int_equal(lab.conf.oblb_ms, 20000);
	assert_int_equal(lab.conf.over_ms, 0);
	assert_false(lab.conf.alarm_critical);
	assert_true(lab.conf.shutdown_exit_ms < 0);
	assert_int_equal(lab.conf.poll_fail_throttle, -1);
	assert_int_equal(lab.conf.debug_min, 2);
	good(GOOD "SHUTDOWNEXIT 7\n");
	assert_int_equal(lab.conf.shutdown_exit_ms, 7000);
	bad(GOOD "OFFDURATION -2\n", "must be from -1 to 86400");
	bad(GOOD "ALARMCRITICAL yes\n", "ALARMCRITICAL is \"yes\"");
	bad(GOOD "SHUTDOWNEXIT maybe\n", "SHUTDOWNEXIT is \"maybe\"");
}

static void test_triggers(void **state)
{
	(void)state;
	good("MONITOR a 1 u p primary\nMONITOR b 1 u p primary\nSHUTDOWNCMD x\n"
	     "BATTERYLEVEL 20\nTIMEOUT 60 b\nBATTERYLEVEL -1 b\n");
	assert_int_equal(conf_trigger(&lab.conf, 0, TRIGGER_BATTERYLEVEL), 20);
	assert_int_equal(conf_trigger(&lab.conf, 1, TRIGGER_BATTERYLEVEL), -1);
	assert_int_equal(conf_trigger(&lab.conf, 0, TRIGGER_TIMEOUT), -1);
	assert_int_equal(conf_trigger(&lab.conf, 1, TRIGGER_TIMEOUT), 60);
	assert_int_equal(conf_trigger(&lab.conf, 1, TRIGGER_MINUTES), -1);
	bad(GOOD "BATTERYLEVEL 101\n", "must be from -1 to 100");
	bad(GOOD "MINUTES 5 other\n", "no MONITOR line above names \"other\"");
	bad(GOOD "TIMEOUT\n", "expected: TIMEOUT number [ups]");
}

static void test_broken_line_spoils_no_other(void **state)
{
	(void)state;
	bad("MONITOR ups@a 1 u \"p primary\nSHUTDOWNCMD x\nPOLLFREQ 9\n",
	    "1: error: the quote is not closed");
	assert_string_equal(text(lab.conf.shutdown_cmd), "x");
	assert_int_equal(lab.conf.poll_freq_ms, 9000);
}

static void test_more_text_than_room(void **state)
{
	static char conf[40000] = GOOD;

	(void)state;
	for (int i = 0; i < 40; i++)
		sprintf(conf + strlen(conf), "NOTIFYCMD %0500d\n", i);
	bad(conf, "more text than");
}

static void test_find_system(void **state)
{
	static struct lab old;

	(void)state;
	lab_conf(&old, "MONITOR a 1 u p primary\nMONITOR b 1 u p primary\nSHUTDOWNCMD x\n");
	lab_conf(&lab, "MONITOR c 1 u p primary\nMONITOR b 2 u p primary\nMONITOR a 1 u p secondary\n"
		       "SHUTDOWNCMD x\n");
	assert_int_equal(conf_find_system(&old.conf, &lab.conf, 0), -1);
	assert_int_equal(conf_find_system(&old.conf, &lab.conf, 1), 1);
	assert_int_equal(conf_find_system(&old.conf, &lab.conf, 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_monitor),
		cmocka_unit_test(test_bad_monitor),
		cmocka_unit_test(test_too_many_monitors),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_notify),
		cmocka_unit_test(test_message_is_never_a_format_string),
		cmocka_unit_test(test_unknown_directive),
		cmocka_unit_test(test_tls_fails_loudly),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_triggers),
		cmocka_unit_test(test_broken_line_spoils_no_other),
		cmocka_unit_test(test_more_text_than_room),
		cmocka_unit_test(test_find_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
