/* SPDX-License-Identifier: ISC */
/* conf.c: what upsmon.conf may say, and what is said about the rest. */
#include "base/child.h"
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
	bad("MONITOR a 1 u p#q primary\n", "needs quotes");
	bad(GOOD "MONITOR b 1 u \"p primary\n", "3: error: the quote is not closed");
	/* of these, all that is sensible is watched */
	warned(GOOD "MONITOR ups@a 1 u p primary\n", "3: warning: ups@a is monitored already");
	warned("MONITOR ups@a 1 u p primary and more\nSHUTDOWNCMD x\n",
	       "1: warning: expected: MONITOR system powervalue user password role; what stands");
	assert_int_equal(lab.conf.ups_count, 1);
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
	/* a line that cannot cost a shutdown keeps no board unprotected */
	warned(GOOD "POLLFREQ five\n", "3: warning: POLLFREQ is \"five\", which is not a whole number "
					"from 1 to 86400; the line is ignored");
	assert_int_equal(lab.conf.poll_freq_ms, 5000);
	warned(GOOD "POLLFREQ 0\n", "must be from 1 to 86400");
	warned(GOOD "DEADTIME 5s\n", "not a whole number");
	warned(GOOD "HOSTSYNC\n", "expected: seconds; found 0 words behind HOSTSYNC");
	warned(GOOD "POLLFREQ 9 seconds\n", "what stands behind \"9\" is ignored");
	assert_int_equal(lab.conf.poll_freq_ms, 9000);
	warned(GOOD "OBLBDURATION -1\n", "must be from 0 to 86400");
	assert_int_equal(lab.conf.oblb_ms, 0);
	good(GOOD "RBWARNTIME 2592000\nNOCOMMWARNTIME 4294967\n");
	assert_int_equal(lab.conf.replace_warn_ms, 2592000000U);
	warned(GOOD "RBWARNTIME 4294968\n", "must be from 0 to 4294967");
	warned(GOOD "MINSUPPLIES x\n", "MINSUPPLIES is \"x\"");
	assert_int_equal(lab.conf.min_supplies, 1);
	bad(GOOD "MINSUPPLIES 2\n", "add up to 1, and MINSUPPLIES asks for 2");
}

static const char *command(const struct conf_command *c)
{
	static char joined[200];

	const struct child_command command = { .text = text(c->text), .words = c->words };

	child_command_line(&command, joined, sizeof(joined));
	return joined;
}

static void test_commands(void **state)
{
	(void)state;
	good("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD /sbin/shutdown -h +0\nNOTIFYCMD \"/x y\"\n"
	     "POWERDOWNFLAG /run/killpower\nRUN_AS_USER nut\n");
	assert_string_equal(command(&lab.conf.shutdown_cmd), "/sbin/shutdown -h +0");
	assert_int_equal(lab.conf.shutdown_cmd.words, 3);
	assert_string_equal(command(&lab.conf.notify_cmd), "/x y");
	assert_int_equal(lab.conf.notify_cmd.words, 1);
	assert_string_equal(text(lab.conf.powerdown_flag), "/run/killpower");
	assert_string_equal(text(lab.conf.run_as_user), "nut");
	bad("MONITOR ups@a 1 u p primary\n", "no SHUTDOWNCMD");
	bad("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD\n", "2: warning: expected: a command");
	bad("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD\n", "there is no SHUTDOWNCMD");
	warned(GOOD "POWERDOWNFLAG killpower\n", "absolute path");
	assert_int_equal(lab.conf.powerdown_flag, 0);
	/* Synology, TrueNAS: NOTIFYCMD shuts down */
	warned("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD \"\"\n", "SHUTDOWNCMD is empty");
	assert_int_equal(lab.conf.shutdown_cmd.words, 1);
	good("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD \"/bin/sh\" \"-c\" \"a; b\"\n");
	assert_int_equal(lab.conf.shutdown_cmd.words, 3);
	assert_memory_equal(text(lab.conf.shutdown_cmd.text), "/bin/sh\0-c\0a; b", 16);
	/* a shell line that has lost its quotes */
	warned("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD sync && poweroff -f\n", "no quotes around");
	assert_string_equal(text(lab.conf.shutdown_cmd.text), "sync && poweroff -f");
	assert_int_equal(lab.conf.shutdown_cmd.words, 1);
	warned("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD echo bye; poweroff\n", "\"bye;\"");
	assert_int_equal(lab.conf.shutdown_cmd.words, 1);
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
	assert_int_equal(lab.conf.notify[NOTIFY_ONLINE].flags, NOTIFY_SYSLOG);
	warned(GOOD "NOTIFYFLAG ONLINE\n", "expected: NOTIFYFLAG");
	/* a broken flag line changes nothing */
	assert_int_equal(lab.conf.notify[NOTIFY_ONLINE].flags, NOTIFY_SYSLOG | NOTIFY_WALL);
	/* a wrong password reaches whoever is told of a lost UPS */
	good(GOOD "NOTIFYFLAG NOCOMM EXEC\n");
	assert_int_equal(lab.conf.notify[NOTIFY_NOLOGIN].flags, NOTIFY_EXEC);
	good(GOOD "NOTIFYFLAG NOLOGIN IGNORE\nNOTIFYFLAG NOCOMM EXEC\n");
	assert_int_equal(lab.conf.notify[NOTIFY_NOLOGIN].flags, NOTIFY_IGNORE);
	/* OpenWrt's generator writes no quotes */
	warned(GOOD "NOTIFYMSG ONBATT UPS %s is on battery power\n", "no quotes");
	assert_string_equal(conf_notify_text(&lab.conf, NOTIFY_ONBATT), "UPS %s is on battery power");
}

static void test_message_is_never_a_format_string(void **state)
{
	char out[64];

	(void)state;
	warned(GOOD "NOTIFYMSG ONBATT \"%n\"\n", "3: warning: NOTIFYMSG ONBATT");
	warned(GOOD "NOTIFYMSG ONBATT \"%d\"\n", "NOTIFYMSG ONBATT");
	warned(GOOD "NOTIFYMSG ONBATT \"%5s\"\n", "NOTIFYMSG ONBATT");
	warned(GOOD "NOTIFYMSG ONBATT \"%s %s %s\"\n", "NOTIFYMSG ONBATT");
	warned(GOOD "NOTIFYMSG ONBATT \"100%\"\n", "NOTIFYMSG ONBATT");
	warned(GOOD "NOTIFYMSG ONBATT \"100 % sure\"\n", "no other %");
	assert_string_equal(conf_notify_text(&lab.conf, NOTIFY_ONBATT),
			    notify_default_text(NOTIFY_ONBATT));
	notify_expand(out, sizeof(out), "%s: %s at 100%%", "ups", "%n");
	assert_string_equal(out, "ups: %n at 100%");
	notify_expand(out, 8, "0123456789%s", "", "");
	assert_string_equal(out, "0123456");
	notify_expand(out, 8, "01%s", "23456789", "");
	assert_string_equal(out, "0123456");
}

/* Wherever NUT compares without case, so do we. */
static void test_case(void **state)
{
	(void)state;
	good("MONITOR a 1 u p MASTER\nMONITOR b 1 u p Slave\nMONITOR c 1 u p Primary\n"
	     "MONITOR d 1 u p SECONDARY\nSHUTDOWNCMD x\nNOTIFYFLAG onbatt syslog+exec\n"
	     "NOTIFYMSG OnLine \"here\"\ndebug_min 1\n");
	assert_true(lab.conf.ups[0].primary && lab.conf.ups[2].primary);
	assert_false(lab.conf.ups[1].primary || lab.conf.ups[3].primary);
	assert_int_equal(lab.conf.notify[NOTIFY_ONBATT].flags, NOTIFY_SYSLOG | NOTIFY_EXEC);
	assert_string_equal(conf_notify_text(&lab.conf, NOTIFY_ONLINE), "here");
	assert_int_equal(lab.conf.debug_min, 1);
	for (size_t i = 0; i < 12; i++) {
		static const char *const words[] = { "true", "TRUE", "yes", "Yes", "on", "On",
						     "false", "False", "no", "No", "off", "OFF" };
		char conf[100];

		snprintf(conf, sizeof(conf), GOOD "SHUTDOWNEXIT %s\n", words[i]);
		good(conf);
		assert_int_equal(lab.conf.shutdown_exit_ms, i < 6 ? 0 : -1);
	}
}

static void test_unknown_directive(void **state)
{
	(void)state;
	warned(GOOD "MINSUPLIES 1\n", "3: warning: there is no directive \"MINSUPLIES\" (names are "
				      "case-sensitive); did you mean MINSUPPLIES?; the line is ignored");
	warned(GOOD "pollfreq 7\n", "did you mean POLLFREQ?");
	assert_int_equal(lab.conf.poll_freq_ms, 5000);
	warned(GOOD "POLL_FREQ 7\n", "did you mean POLLFREQ?");
	warned(GOOD "NOTIFYFLAGS ONLINE EXEC\n", "did you mean NOTIFYFLAG?");
	/* of another program's file: nothing is near */
	warned(GOOD "MAXAGE 15\n", "there is no directive \"MAXAGE\"; the line is ignored");
	warned(GOOD "LOWBATT 15\n", "there is no directive \"LOWBATT\"; the line is ignored");
	/* but what was meant for the one thing that cannot be done without */
	bad("MONITOR a 1 u p primary\nSHUTDOWNCMDS x\n", "did you mean SHUTDOWNCMD?");
	bad("MONITR a 1 u p primary\nSHUTDOWNCMD x\n", "no MONITOR line");
}

/* What a web page puts in the place of a space, a quote or a hyphen. */
static void test_look_alikes(void **state)
{
	(void)state;
	bad("MONITOR ups@a\u00a01 u p primary\nSHUTDOWNCMD x\n", "1: warning: the line holds a no-break");
	warned("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD \u201c/sbin/poweroff\u201d\n",
	       "2: warning: the line holds a no-break");
	warned("MONITOR ups@a 1 u p primary\nSHUTDOWNCMD \"shutdown \u2013h now\"\n", "dash");
	good(GOOD "NOTIFYMSG ONBATT \"\u201cUPS\u201d \u2013 %s\"\n");
	good("MONITOR ups@a 1 j\u00fcrgen p\u00e4ss primary\nSHUTDOWNCMD x\n");
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
	assert_int_equal(lab.conf.no_new_privs, -1);
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
	good(GOOD "NO_NEW_PRIVS yes\nNO_NEW_PRIVS no\n");
	assert_int_equal(lab.conf.no_new_privs, 0);
	good(GOOD "NO_NEW_PRIVS 0\nNO_NEW_PRIVS 1\n");
	assert_int_equal(lab.conf.no_new_privs, 1);
	good(GOOD "SHUTDOWNEXIT 7\n");
	assert_int_equal(lab.conf.shutdown_exit_ms, 7000);
	good(GOOD "OFFDURATION -5\nOVERDURATION -60\nPOLLFAIL_LOG_THROTTLE_MAX -2\n");
	assert_int_equal(lab.conf.off_ms, -1000);
	assert_int_equal(lab.conf.over_ms, -1000);
	assert_int_equal(lab.conf.poll_fail_throttle, -1);
	warned(GOOD "OFFDURATION 86401\n", "to 86400");
	warned(GOOD "ALARMCRITICAL yes\n", "ALARMCRITICAL is \"yes\"");
	warned(GOOD "NO_NEW_PRIVS 2\n", "NO_NEW_PRIVS is \"2\"");
	warned(GOOD "SHUTDOWNEXIT maybe\n", "SHUTDOWNEXIT is \"maybe\"");
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
	warned(GOOD "BATTERYLEVEL 101\n", "must be from -1 to 100");
	warned(GOOD "MINUTES 5 other\n", "no MONITOR line above names \"other\"");
	warned(GOOD "TIMEOUT\n", "expected: a number, and perhaps a UPS; found 0 words behind TIMEOUT");
}

static void test_broken_line_spoils_no_other(void **state)
{
	(void)state;
	bad("MONITOR ups@a 1 u \"p primary\nSHUTDOWNCMD x\nPOLLFREQ 9\n",
	    "1: error: the quote is not closed");
	assert_string_equal(text(lab.conf.shutdown_cmd.text), "x");
	assert_int_equal(lab.conf.poll_freq_ms, 9000);
	warned(GOOD "NOTIFYMSG ONLINE \"fine\nPOLLFREQ 9\n", "3: warning: the quote is not closed");
	assert_int_equal(lab.conf.poll_freq_ms, 9000);
}

static void test_more_text_than_room(void **state)
{
	static char conf[40000] = GOOD;

	(void)state;
	for (int i = 0; i < 40; i++)
		sprintf(conf + strlen(conf), "NOTIFYCMD %0500d\n", i);
	lab_conf(&lab, conf);
	assert_int_equal(lab.errors, 0);
	assert_non_null(strstr(lab.findings, "warning: the file holds more text than"));
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
		cmocka_unit_test(test_case),
		cmocka_unit_test(test_look_alikes),
		cmocka_unit_test(test_tls_fails_loudly),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_triggers),
		cmocka_unit_test(test_broken_line_spoils_no_other),
		cmocka_unit_test(test_more_text_than_room),
		cmocka_unit_test(test_find_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
