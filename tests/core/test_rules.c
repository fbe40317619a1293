/* SPDX-License-Identifier: ISC */
/*
 * critical.c and ups.c, rule by rule: shared/upsmon-behaviour.md sections 2, 4
 * and 5, and apcupsd's triggers.  Each test names what it is about.
 */
#include "lab.h"

#define BASE "MONITOR ups@a 1 u p primary\nSHUTDOWNCMD x\nHOSTSYNC 0\nFINALDELAY 0\n"

static struct lab lab;

/* On line for a minute, then in this state; returns when that was first answered. */
static int64_t begin(const char *conf, const char *status)
{
	lab_start(&lab, conf);
	lab_run(&lab, 60000);
	lab_notices(&lab);
	lab_status(&lab, 0, status);
	lab_run(&lab, 5000);
	return lab.core.ups[0].answered;
}

static void lose(void)
{
	lab.server[0].mode = LAB_REFUSED;
	lab_break(&lab, 0);
}

static void assert_shutdown_after(int64_t from, int64_t ms)
{
	if (ms > 0) {
		lab_run(&lab, from + ms - 1 - lab.now);
		assert_int_equal(lab.shutdowns, 0);
	}
	lab_run(&lab, 120000);
	assert_int_equal(lab.shutdowns, 1);
	assert_int_equal(lab.shutdown_at - from, ms);
}

static void assert_no_shutdown(void)
{
	lab_run(&lab, 86400000);
	assert_int_equal(lab.shutdowns, 0);
}

/* ---- what is critical, and when ---- */

static void test_off_is_critical_after_offduration(void **state)
{
	(void)state;
	assert_shutdown_after(begin(BASE, "OFF"), 30000);
	assert_shutdown_after(begin(BASE "OFFDURATION 0\n", "OL OFF"), 0);
	begin(BASE "OFFDURATION -1\n", "OFF");
	assert_no_shutdown();
}

static void test_off_and_on_again_is_not(void **state)
{
	(void)state;
	begin(BASE, "OFF");
	lab_run(&lab, 20000);
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 20000);
	lab_status(&lab, 0, "OFF");
	lab_run(&lab, 20000);
	assert_int_equal(lab.shutdowns, 0);
}

static void test_oblbduration(void **state)
{
	(void)state;
	assert_shutdown_after(begin(BASE "OBLBDURATION 40\n", "OB LB"), 40000);
	begin(BASE "OBLBDURATION 40\n", "OB LB");
	lab_run(&lab, 30000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 5000);
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 30000);
	assert_int_equal(lab.shutdowns, 0);
}

/* Losing a server never hurries anything: DEADTIME is its time to come back. */
static void test_lost_while_in_a_bad_state(void **state)
{
	static const char *const bad[] = { "OL ALARM", "OL CAL", "OL BYPASS", "OL OFF" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t answered = begin(BASE, bad[i]);

		assert_int_equal(lab.shutdowns, 0);
		lose();
		assert_shutdown_after(answered, 15000);
		/* a server that is restarted, as for an update */
		begin(BASE, bad[i]);
		lose();
		lab_run(&lab, 7000);
		lab.server[0].mode = LAB_UP;
		lab_status(&lab, 0, "OL");
		assert_no_shutdown();
		/* or that has no data for a moment */
		begin(BASE, bad[i]);
		lab.server[0].mode = LAB_STALE;
		lab_run(&lab, 6000);
		lab.server[0].mode = LAB_UP;
		lab_status(&lab, 0, "OL");
		assert_no_shutdown();
	}
	begin(BASE "ALARMCRITICAL 0\n", "OL ALARM");
	lose();
	assert_no_shutdown();
	begin(BASE "OFFDURATION -1\n", "OL OFF");
	lose();
	assert_no_shutdown();
}

/* OVERDURATION counts from OVER on, as in NUT, and the loss has its DEADTIME. */
static void test_lost_while_overloaded(void **state)
{
	int64_t over;

	(void)state;
	begin(BASE, "OL OVER");
	lose();
	assert_no_shutdown();
	over = begin(BASE "OVERDURATION 0\n", "OL OVER");
	lose();
	assert_shutdown_after(over, 15000);
	over = begin(BASE "OVERDURATION 40\n", "OL OVER");
	lab_run(&lab, 10000);
	lose();
	assert_shutdown_after(over, 40000);
	over = begin(BASE "OVERDURATION 10\n", "OL OVER");
	lab_run(&lab, 10000);
	lose();
	assert_shutdown_after(lab.core.ups[0].answered, 15000);
}

/* In this state from the first answer on; returns when that came. */
static int64_t meet(const char *conf, const char *status)
{
	lab_start(&lab, conf);
	lab_status(&lab, 0, status);
	lab_run(&lab, 0);
	return lab.core.ups[0].answered;
}

/* FSD that was there before we came may be of the last power cut. */
static void test_fsd_of_an_earlier_time(void **state)
{
	int64_t since = meet(BASE "HOSTSYNC 20\n", "FSD OL");

	(void)state;
	assert_true(lab_saw(&lab, "restarted"));
	assert_string_equal(lab_notices(&lab), "");
	lab_run(&lab, since + 20000 - 1 - lab.now);
	assert_int_equal(lab.core.phase, PHASE_WATCH);
	lab_run(&lab, 1);
	assert_int_not_equal(lab.core.phase, PHASE_WATCH);
	assert_non_null(strstr(lab_notices(&lab), "FSD ups@a"));
	/* the primary's upsd is restarted in time */
	meet(BASE "HOSTSYNC 20\n", "FSD OL");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OL");
	assert_no_shutdown();
	assert_string_equal(lab_notices(&lab), "");
	/* or is just being restarted when the time is over: only what still stands counts */
	meet(BASE "HOSTSYNC 20\nDEADTIME 60\n", "FSD OL");
	lab_run(&lab, 17000);
	lose();
	lab_run(&lab, 10000);
	assert_int_equal(lab.shutdowns, 0);
	assert_null(strstr(lab_notices(&lab), "FSD ups"));
	lab.server[0].mode = LAB_UP;
	lab_status(&lab, 0, "OL");
	assert_no_shutdown();
	meet(BASE "HOSTSYNC 20\nDEADTIME 60\n", "FSD OL");
	lab_run(&lab, 17000);
	lose();
	lab_run(&lab, 10000);
	lab.server[0].mode = LAB_UP;
	lab_run(&lab, 10000);
	assert_int_equal(lab.shutdowns, 1);
	/* one that comes is followed at once, also over a loss of the server */
	begin(BASE "HOSTSYNC 20\n", "FSD OL");
	assert_int_not_equal(lab.core.phase, PHASE_WATCH);
	begin(BASE "HOSTSYNC 20\n", "OL");
	lose();
	lab_run(&lab, 30000);
	lab.server[0].mode = LAB_UP;
	lab_status(&lab, 0, "FSD OL");
	lab_run(&lab, 5000);
	assert_int_not_equal(lab.core.phase, PHASE_WATCH);
}

/* A change is a change, however far behind. */
static void test_long_alarm_text(void **state)
{
	static char text[100] = "Replace battery! No battery installed! Shutdown imminent! Fan failure!";

	(void)state;
	begin(BASE, "OL");
	lab.server[0].variable[VARIABLE_ALARM] = text;
	lab_status(&lab, 0, "OL ALARM");
	lab_run(&lab, 10000);
	assert_non_null(strstr(lab_notices(&lab), "Fan failure!"));
	strcat(text, " Over heat!");
	lab_run(&lab, 10000);
	assert_non_null(strstr(lab_notices(&lab), "ALARM ups@a"));
	lab_run(&lab, 10000);
	assert_string_equal(lab_notices(&lab), "");
}

/* On battery lasts until an OL: an answer need not repeat it. */
static void test_low_without_ob_in_the_same_answer(void **state)
{
	(void)state;
	begin(BASE, "OB");
	lab_status(&lab, 0, "DISCHRG LB");
	lab_run(&lab, 5000);
	assert_int_equal(lab.shutdowns, 1);
}

static void test_dead_after_an_answer_without_ob(void **state)
{
	(void)state;
	begin(BASE, "OB");
	lab_status(&lab, 0, "WAIT");
	lab_run(&lab, 5000);
	/* upsd's own word while a driver starts says nothing */
	assert_string_equal(lab_notices(&lab), "ONBATT ups@a");
	lose();
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 1);
}

static void test_trim_boost_and_eco_never(void **state)
{
	(void)state;
	begin(BASE, "OL TRIM BOOST ECO RB WHATEVER");
	lose();
	assert_no_shutdown();
}

static void test_calibration_on_battery_that_is_lost(void **state)
{
	int64_t answered = begin(BASE, "OB CAL");

	(void)state;
	lose();
	assert_shutdown_after(answered, 15000);
}

/* Row 13: a short network glitch while on battery shuts down at once. */
static void test_row13_glitch_on_a_low_secondary(void **state)
{
	int64_t low;

	(void)state;
	low = begin("MONITOR ups@a 1 u p secondary\nSHUTDOWNCMD x\nHOSTSYNC 60\nFINALDELAY 0\n",
		    "OB LB");
	lab_run(&lab, 10000);
	lose();
	lab_run(&lab, 5000);
	lab.server[0].mode = LAB_UP;
	/* neither sooner nor later for it */
	assert_shutdown_after(low, 60000);
}

/* Row 8: the wall clock times everything.  The core has none. */
static void test_row8_only_differences_count(void **state)
{
	(void)state;
	lab_start(&lab, BASE "OBLBDURATION 40\n");
	lab.now = INT64_C(1) << 52;
	core_init(&lab.core, &lab.conf, 10000, lab.now);
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 0);
	assert_shutdown_after(lab.now, 40000);
}

/* ---- what is notified ---- */

static void test_states_begin_and_end(void **state)
{
	(void)state;
	begin(BASE, "OL TRIM");
	assert_string_equal(lab_notices(&lab), "TRIM ups@a");
	lab_status(&lab, 0, "OL BOOST");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "NOTTRIM ups@a, BOOST ups@a");
	lab_status(&lab, 0, "OL ECO OVER");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "ECO ups@a, OVER ups@a, NOTBOOST ups@a");
	lab_status(&lab, 0, "OL BYPASS CAL");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "CAL ups@a, BYPASS ups@a, NOTECO ups@a, NOTOVER ups@a");
	lab_status(&lab, 0, "OFF");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "NOTCAL ups@a, OFF ups@a, NOTBYPASS ups@a");
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "NOTOFF ups@a");
}

static void test_other_names_the_tokens(void **state)
{
	(void)state;
	begin(BASE, "OL FOO HB BAR");
	assert_string_equal(lab_notices(&lab), "OTHER ups@a FOO BAR");
	lab_run(&lab, 60000);
	assert_string_equal(lab_notices(&lab), "");
	lab_status(&lab, 0, "OL CHRG");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "NOTOTHER ups@a");
}

static void test_alarm_tells_its_text(void **state)
{
	(void)state;
	begin(BASE, "OL");
	lab.server[0].variable[VARIABLE_ALARM] = "Fan failure!";
	lab_status(&lab, 0, "ALARM OL");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "ALARM ups@a Fan failure!");
	lab.server[0].variable[VARIABLE_ALARM] = "Fan failure! Hot!";
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "ALARM ups@a Fan failure! Hot!");
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "NOTALARM ups@a");
}

static void test_alarm_without_a_text(void **state)
{
	(void)state;
	begin(BASE, "ALARM OL");
	assert_string_equal(lab_notices(&lab), "ALARM ups@a");
	assert_false(lab_saw(&lab, "does not have"));
}

/* Row 12: two UPSes in ALARM notify again at every poll. */
static void test_row12_two_alarms_notify_once_each(void **state)
{
	(void)state;
	lab_start(&lab, "MONITOR ups@a 1 u p primary\nMONITOR ups@b 1 u p primary\nSHUTDOWNCMD x\n");
	lab.server[0].variable[VARIABLE_ALARM] = "x";
	lab.server[1].variable[VARIABLE_ALARM] = "y";
	lab_status(&lab, 0, "ALARM OL");
	lab_status(&lab, 1, "ALARM OL");
	lab_run(&lab, 600000);
	assert_string_equal(lab_notices(&lab), "ALARM ups@a x, ALARM ups@b y");
}

static void test_replbatt_is_repeated(void **state)
{
	(void)state;
	begin(BASE "RBWARNTIME 100\n", "OL RB");
	assert_string_equal(lab_notices(&lab), "REPLBATT ups@a");
	lab_run(&lab, 94000);
	assert_string_equal(lab_notices(&lab), "");
	lab_run(&lab, 100000);
	assert_string_equal(lab_notices(&lab), "REPLBATT ups@a");
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 1000000);
	assert_string_equal(lab_notices(&lab), "");
	begin(BASE "RBWARNTIME 0\n", "OL RB");
	lab_run(&lab, 86400000);
	assert_string_equal(lab_notices(&lab), "REPLBATT ups@a");
}

static void test_nocommwarntime(void **state)
{
	(void)state;
	begin(BASE "NOCOMMWARNTIME 60\n", "OL");
	lose();
	assert_string_equal(lab_notices(&lab), "COMMBAD ups@a");
	lab_run(&lab, 185000);
	assert_string_equal(lab_notices(&lab), "NOCOMM ups@a, NOCOMM ups@a, NOCOMM ups@a");
}

static void test_poll_failures_as_the_throttle_has_them(void **state)
{
	static const struct {
		const char *conf;
		int lines;
	} cases[] = { { BASE, 1 },
		      { BASE "POLLFAIL_LOG_THROTTLE_MAX 0\n", 1 },
		      { BASE "POLLFAIL_LOG_THROTTLE_MAX -1\n", 21 },
		      { BASE "POLLFAIL_LOG_THROTTLE_MAX 10\n", 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int lines = 0;

		begin(cases[i].conf, "OL");
		lab.server[0].mode = LAB_STALE;
		lab_run(&lab, 105000);
		for (const char *at = lab.trace; (at = strstr(at, "poll failed")); at++)
			lines++;
		assert_int_equal(lines, cases[i].lines);
	}
}

/* ---- apcupsd's triggers (row 18) ---- */

static void test_row18_batterylevel(void **state)
{
	(void)state;
	lab_start(&lab, BASE "BATTERYLEVEL 30\n");
	lab.server[0].variable[VARIABLE_CHARGE] = "31";
	lab_run(&lab, 60000);
	/* on line nothing is asked for */
	assert_int_equal(lab.server[0].variables_seen, 0);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 0);
	assert_int_not_equal(lab.server[0].variables_seen, 0);
	lab.server[0].variable[VARIABLE_CHARGE] = "30.0";
	lab_run(&lab, 5000);
	assert_int_equal(lab.shutdowns, 1);
	assert_true(lab_saw(&lab, "the charge is at BATTERYLEVEL"));
}

static void test_row18_minutes(void **state)
{
	(void)state;
	lab_start(&lab, BASE "MINUTES 5\n");
	lab.server[0].variable[VARIABLE_RUNTIME] = "301";
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 0);
	lab.server[0].variable[VARIABLE_RUNTIME] = "300";
	lab_run(&lab, 5000);
	assert_int_equal(lab.shutdowns, 1);
}

static void test_row18_timeout(void **state)
{
	(void)state;
	assert_shutdown_after(begin(BASE "TIMEOUT 90\n", "OB"), 90000);
	/* it counts one outage, not all of them together */
	begin(BASE "TIMEOUT 90\n", "OB");
	for (int i = 0; i < 10; i++) {
		lab_run(&lab, 60000);
		lab_status(&lab, 0, i % 2 ? "OB" : "OL");
		lab_run(&lab, 5000);
	}
	assert_int_equal(lab.shutdowns, 0);
}

static void test_first_trigger_wins_and_one_may_be_missing(void **state)
{
	(void)state;
	begin(BASE "BATTERYLEVEL 50\nMINUTES 3\nTIMEOUT 60\n", "OB");
	assert_true(lab_saw(&lab, "does not have battery.charge"));
	assert_true(lab_saw(&lab, "does not have battery.runtime"));
	lab_run(&lab, 30000);
	/* each is said once, and in this outage not asked for again */
	assert_int_equal(lab.server[0].variables_seen, 2);
	assert_int_equal(lab.shutdowns, 0);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 1);
	assert_true(lab_saw(&lab, "on battery for TIMEOUT"));
}

/* Drivers are many.  What begins with a number is that number. */
static void test_numbers_of_all_kinds(void **state)
{
	static const char *const values[] = { "20", " 20", "20,5", "20.5", "20 %", "20.0.1", "0020" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		lab_start(&lab, BASE "BATTERYLEVEL 19\n");
		lab.server[0].variable[VARIABLE_CHARGE] = values[i];
		lab_status(&lab, 0, "OB");
		lab_run(&lab, 10000);
		assert_int_equal(lab.core.ups[0].charge, 20);
		assert_int_equal(lab.shutdowns, 0);
		lab_start(&lab, BASE "BATTERYLEVEL 20\n");
		lab.server[0].variable[VARIABLE_CHARGE] = values[i];
		lab_status(&lab, 0, "OB");
		lab_run(&lab, 10000);
		assert_int_equal(lab.shutdowns, 1);
	}
}

static void test_a_value_that_is_no_number_never_fires(void **state)
{
	static const char *const values[] = { "", "-1", "-5", "abc", "N/A", "NaN", "x5",
					      "999999999999", "." };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		lab_start(&lab, BASE "BATTERYLEVEL 100\nMINUTES 9999\nTIMEOUT 90\n");
		lab.server[0].variable[VARIABLE_CHARGE] = values[i];
		lab.server[0].variable[VARIABLE_RUNTIME] = values[i];
		lab_status(&lab, 0, "OB");
		lab_run(&lab, 60000);
		assert_int_equal(lab.shutdowns, 0);
		if (*values[i] != '9') {
			const char *said = strstr(lab.trace, "battery.charge \"");

			/* once in an outage, and the other triggers work */
			assert_non_null(said);
			assert_null(strstr(said + 1, "battery.charge \""));
			assert_true(lab_saw(&lab, "is no number"));
		}
		lab_run(&lab, 60000);
		assert_int_equal(lab.shutdowns, 1);
	}
}

static void test_the_last_outage_does_not_count(void **state)
{
	(void)state;
	lab_start(&lab, "MONITOR ups@a 1 u p primary\nMONITOR ups@b 1 u p primary\nSHUTDOWNCMD x\n"
			"BATTERYLEVEL 30 ups@a\n");
	lab.server[0].variable[VARIABLE_CHARGE] = "10";
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 60000);
	assert_int_equal(lab.core.ups[0].critical, CRITICAL_CHARGE);
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 5000);
	assert_int_equal(lab.core.ups[0].critical, CRITICAL_NOT);
	lab.server[0].variable[VARIABLE_CHARGE] = "100";
	lab_notices(&lab);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 5000);
	assert_false(lab_saw(&lab, "is critical"));
}

static void test_a_calibration_fires_no_trigger(void **state)
{
	(void)state;
	lab_start(&lab, BASE "BATTERYLEVEL 90\nMINUTES 100\nTIMEOUT 10\n");
	lab.server[0].variable[VARIABLE_CHARGE] = "20";
	lab.server[0].variable[VARIABLE_RUNTIME] = "60";
	lab_status(&lab, 0, "OB CAL");
	lab_run(&lab, 600000);
	assert_int_equal(lab.shutdowns, 0);
}

static void test_timeout_0_is_off(void **state)
{
	(void)state;
	begin(BASE "TIMEOUT 0\n", "OB");
	assert_no_shutdown();
}

static void test_a_variable_may_come_back(void **state)
{
	(void)state;
	begin(BASE "BATTERYLEVEL 30\n", "OB");
	assert_true(lab_saw(&lab, "does not have battery.charge"));
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 5000);
	lab.server[0].variable[VARIABLE_CHARGE] = "20";
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 5000);
	assert_int_equal(lab.shutdowns, 1);
}

static void test_the_next_alarm_is_told_again(void **state)
{
	(void)state;
	begin(BASE, "ALARM OL");
	assert_string_equal(lab_notices(&lab), "ALARM ups@a");
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "NOTALARM ups@a");
	lab.server[0].variable[VARIABLE_ALARM] = "Hot!";
	lab_status(&lab, 0, "ALARM OL");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "ALARM ups@a Hot!");
}

static void test_onbatterydelay_hides_flicker(void **state)
{
	(void)state;
	begin(BASE "ONBATTERYDELAY 20\n", "OB");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 60000);
	assert_string_equal(lab_notices(&lab), "");
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 30000);
	assert_string_equal(lab_notices(&lab), "ONBATT ups@a");
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "ONLINE ups@a");
	/* a low battery does not wait for it */
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "ONBATT ups@a, LOWBATT ups@a, FSD ups@a, "
					       "SHUTDOWN -, shutdown");
}

/* ---- the way down ---- */

static void test_stale_data_does_not_hide_the_secondaries(void **state)
{
	int64_t began;

	(void)state;
	lab_start(&lab, "MONITOR ups@a 1 u p primary\nSHUTDOWNCMD x\nHOSTSYNC 60\nFINALDELAY 0\n");
	lab.server[0].others = 1;
	lab_run(&lab, 10000);
	lab.server[0].mode = LAB_STALE;
	began = lab.now;
	lab_fsd(&lab);
	lab_run(&lab, 10500);
	assert_int_equal(lab.shutdowns, 0);
	lab.server[0].others = 0;
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdown_at - began, 11000);
}

static void test_shutdownexit(void **state)
{
	(void)state;
	begin(BASE "SHUTDOWNEXIT 30\n", "OB LB");
	lab_run(&lab, 29000);
	assert_int_equal(lab.shutdowns, 1);
	assert_int_equal(lab.server[0].logouts_seen, 0);
	lab_run(&lab, 1000);
	assert_int_equal(lab.server[0].logouts_seen, 1);
	begin(BASE "SHUTDOWNEXIT no\n", "OB LB");
	lab_run(&lab, 3600000);
	assert_int_equal(lab.shutdowns, 1);
	assert_int_equal(lab.server[0].logouts_seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_off_is_critical_after_offduration),
		cmocka_unit_test(test_off_and_on_again_is_not),
		cmocka_unit_test(test_oblbduration),
		cmocka_unit_test(test_lost_while_in_a_bad_state),
		cmocka_unit_test(test_lost_while_overloaded),
		cmocka_unit_test(test_fsd_of_an_earlier_time),
		cmocka_unit_test(test_long_alarm_text),
		cmocka_unit_test(test_low_without_ob_in_the_same_answer),
		cmocka_unit_test(test_dead_after_an_answer_without_ob),
		cmocka_unit_test(test_trim_boost_and_eco_never),
		cmocka_unit_test(test_calibration_on_battery_that_is_lost),
		cmocka_unit_test(test_row13_glitch_on_a_low_secondary),
		cmocka_unit_test(test_row8_only_differences_count),
		cmocka_unit_test(test_states_begin_and_end),
		cmocka_unit_test(test_other_names_the_tokens),
		cmocka_unit_test(test_alarm_tells_its_text),
		cmocka_unit_test(test_alarm_without_a_text),
		cmocka_unit_test(test_row12_two_alarms_notify_once_each),
		cmocka_unit_test(test_replbatt_is_repeated),
		cmocka_unit_test(test_nocommwarntime),
		cmocka_unit_test(test_poll_failures_as_the_throttle_has_them),
		cmocka_unit_test(test_row18_batterylevel),
		cmocka_unit_test(test_row18_minutes),
		cmocka_unit_test(test_row18_timeout),
		cmocka_unit_test(test_first_trigger_wins_and_one_may_be_missing),
		cmocka_unit_test(test_numbers_of_all_kinds),
		cmocka_unit_test(test_a_value_that_is_no_number_never_fires),
		cmocka_unit_test(test_the_last_outage_does_not_count),
		cmocka_unit_test(test_a_calibration_fires_no_trigger),
		cmocka_unit_test(test_timeout_0_is_off),
		cmocka_unit_test(test_a_variable_may_come_back),
		cmocka_unit_test(test_the_next_alarm_is_told_again),
		cmocka_unit_test(test_onbatterydelay_hides_flicker),
		cmocka_unit_test(test_stale_data_does_not_hide_the_secondaries),
		cmocka_unit_test(test_shutdownexit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
