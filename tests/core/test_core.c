/* SPDX-License-Identifier: ISC */
/* What the policy does: shared/upsmon-behaviour.md section 5, on a virtual clock. */
#include "lab.h"

#define PRIMARY "MONITOR ups@a 1 u p primary\nSHUTDOWNCMD x\n"
#define SECONDARY "MONITOR ups@a 1 u p secondary\nSHUTDOWNCMD x\n"
#define TWO "MONITOR ups@a 1 u p primary\nMONITOR ups@b 1 u p primary\nSHUTDOWNCMD x\n"

static struct lab lab;

static void test_first_answer_is_silent(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 60000);
	assert_string_equal(lab_notices(&lab), "");
	assert_true(core_is_ready(&lab.core));
	assert_int_equal(lab.server[0].logins_seen, 1);
}

static void test_first_battery_is_not(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_status(&lab, 0, "OB DISCHRG");
	lab_run(&lab, 1000);
	assert_string_equal(lab_notices(&lab), "ONBATT ups@a");
}

static void test_battery_and_back(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	assert_string_equal(lab_notices(&lab), "ONBATT ups@a");
	lab_status(&lab, 0, "OL CHRG");
	lab_run(&lab, 10000);
	assert_string_equal(lab_notices(&lab), "ONLINE ups@a");
	assert_int_equal(lab.shutdowns, 0);
}

static void test_low_battery_shuts_a_primary_down(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 5000);
	/* nobody else is logged in: no time is lost but FINALDELAY */
	lab_run(&lab, 5000);
	assert_string_equal(lab_notices(&lab), "ONBATT ups@a, LOWBATT ups@a, FSD ups@a, "
					       "SHUTDOWN -, shutdown");
	assert_int_equal(lab.shutdowns, 1);
	assert_int_equal(lab.server[0].fsds_seen, 1);
	assert_int_equal(lab.server[0].logouts_seen, 1);
	lab_run(&lab, 3600000);
	assert_int_equal(lab.shutdowns, 1);
}

static void test_low_battery_on_line_does_not(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OL LB");
	lab_run(&lab, 3600000);
	assert_string_equal(lab_notices(&lab), "LOWBATT ups@a");
}

static void test_calibration_is_not_critical(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_status(&lab, 0, "OB LB CAL");
	lab_run(&lab, 3600000);
	assert_int_equal(lab.shutdowns, 0);
}

static void test_finaldelay_to_the_millisecond(void **state)
{
	int64_t began;

	(void)state;
	lab_start(&lab, PRIMARY "FINALDELAY 7\n");
	lab_run(&lab, 10000);
	began = lab.now;
	lab_fsd(&lab);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 1);
	assert_int_equal(lab.shutdown_at - began, 7000);
}

static void test_hostsync_to_the_millisecond(void **state)
{
	int64_t began;

	(void)state;
	lab_start(&lab, PRIMARY "FINALDELAY 0\nHOSTSYNC 20\n");
	lab.server[0].others = 2;
	lab_run(&lab, 10000);
	began = lab.now;
	lab_fsd(&lab);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdown_at - began, 20000);
}

static void test_secondaries_that_leave_end_the_wait(void **state)
{
	int64_t began;

	(void)state;
	lab_start(&lab, PRIMARY "FINALDELAY 0\nHOSTSYNC 20\n");
	lab.server[0].others = 1;
	lab_run(&lab, 10000);
	began = lab.now;
	lab_fsd(&lab);
	lab_run(&lab, 4500);
	assert_int_equal(lab.shutdowns, 0);
	lab.server[0].others = 0;
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdown_at - began, 5000);
}

static void test_secondary_waits_for_fsd(void **state)
{
	int64_t began;

	(void)state;
	lab_start(&lab, SECONDARY "HOSTSYNC 15\nFINALDELAY 0\n");
	lab_run(&lab, 9900);
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 100 + 14000);
	assert_int_equal(lab.shutdowns, 0);
	began = lab.now;
	lab.server[0].fsd = true;
	lab_run(&lab, 5000);
	assert_int_equal(lab.shutdowns, 1);
	assert_true(lab.shutdown_at - began < 5000);
	/* FSD is the primary's to say */
	assert_int_equal(lab.server[0].fsds_seen, 0);
}

static void test_secondary_without_fsd_goes_after_hostsync(void **state)
{
	(void)state;
	lab_start(&lab, SECONDARY "HOSTSYNC 15\nFINALDELAY 0\n");
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 14999);
	assert_int_equal(lab.shutdowns, 0);
	lab_run(&lab, 1);
	assert_int_equal(lab.shutdowns, 1);
}

static void test_dead_on_battery_after_deadtime(void **state)
{
	int64_t last;

	(void)state;
	lab_start(&lab, PRIMARY "DEADTIME 25\nHOSTSYNC 0\nFINALDELAY 0\n");
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	last = lab.core.ups[0].answered;
	lab.server[0].mode = LAB_REFUSED;
	lab_break(&lab, 0);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdown_at - last, 25000);
	assert_string_equal(lab_notices(&lab),
			    "ONBATT ups@a, COMMBAD ups@a, FSD ups@a, "
			    "SHUTDOWN -, shutdown");
}

static void test_short_glitch_on_battery_is_survived(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	lab.server[0].mode = LAB_REFUSED;
	lab_break(&lab, 0);
	lab_run(&lab, 6000);
	lab.server[0].mode = LAB_UP;
	lab_run(&lab, 3600000);
	assert_int_equal(lab.shutdowns, 0);
	assert_string_equal(lab_notices(&lab), "ONBATT ups@a, COMMBAD ups@a, COMMOK ups@a");
}

static void test_lost_on_line_is_never_critical(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 10000);
	lab.server[0].mode = LAB_REFUSED;
	lab_break(&lab, 0);
	lab_run(&lab, 290000);
	assert_string_equal(lab_notices(&lab), "COMMBAD ups@a");
	lab_run(&lab, 86400000 - 300000);
	assert_int_equal(lab.shutdowns, 0);
}

static void test_never_seen_is_healthy_and_missed(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY);
	lab.server[0].mode = LAB_REFUSED;
	lab_run(&lab, 299000);
	assert_string_equal(lab_notices(&lab), "COMMBAD ups@a, NOCOMM ups@a");
	lab_run(&lab, 2000);
	assert_string_equal(lab_notices(&lab), "NOCOMM ups@a");
	assert_true(core_is_ready(&lab.core));
	assert_int_equal(lab.shutdowns, 0);
}

static void test_one_of_two_is_enough(void **state)
{
	(void)state;
	lab_start(&lab, TWO);
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 3600000);
	assert_int_equal(lab.shutdowns, 0);
	lab_status(&lab, 1, "OB LB");
	lab_run(&lab, 20000);
	assert_int_equal(lab.shutdowns, 1);
	assert_int_equal(lab.server[0].fsds_seen, 1);
	assert_int_equal(lab.server[1].fsds_seen, 1);
}

static void test_one_of_two_is_not_enough(void **state)
{
	(void)state;
	lab_start(&lab, TWO "MINSUPPLIES 2\n");
	lab_run(&lab, 10000);
	lab_status(&lab, 1, "OB LB");
	lab_run(&lab, 20000);
	assert_int_equal(lab.shutdowns, 1);
}

static void test_power_value_zero_does_not_count(void **state)
{
	(void)state;
	lab_start(&lab, "MONITOR a@a 1 u p primary\nMONITOR b@b 0 u p secondary\nSHUTDOWNCMD x\n");
	lab_status(&lab, 1, "OB LB");
	lab_run(&lab, 3600000);
	assert_int_equal(lab.shutdowns, 0);
}

static void test_minsupplies_zero_only_watches(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY "MINSUPPLIES 0\n");
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 3600000);
	assert_int_equal(lab.shutdowns, 0);
	lab_fsd(&lab);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 1);
}

static void test_row11_one_on_battery_alerts_all(void **state)
{
	unsigned int before;

	(void)state;
	lab_start(&lab, TWO "POLLFREQ 30\nPOLLFREQALERT 2\n");
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 60000);
	before = lab.server[1].polls_seen;
	lab_run(&lab, 60000);
	assert_int_equal(lab.server[1].polls_seen - before, 30);
}

static void test_pollfreq_is_kept(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY "POLLFREQ 7\n");
	lab_run(&lab, 0);
	assert_int_equal(lab.server[0].polls_seen, 1);
	lab_run(&lab, 7 * 100 * 1000);
	assert_int_equal(lab.server[0].polls_seen, 101);
}

static void test_long_pollfreq_keeps_the_connection(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY "POLLFREQ 600\n");
	lab_run(&lab, 450000);
	/* upsd drops a client that is silent for 60 s */
	assert_int_equal(lab.server[0].polls_seen, 11);
}

static void test_silence_on_battery_is_survived(void **state)
{
	(void)state;
	lab_start(&lab, SECONDARY);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	lab.server[0].mode = LAB_SILENT;
	lab_run(&lab, 8000);
	lab.server[0].mode = LAB_UP;
	lab_run(&lab, 3600000);
	assert_int_equal(lab.shutdowns, 0);
}

static void test_restored_core_repeats_nothing(void **state)
{
	struct ups saved;

	(void)state;
	lab_start(&lab, PRIMARY);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	assert_string_equal(lab_notices(&lab), "ONBATT ups@a");
	saved = lab.core.ups[0];
	core_init(&lab.core, &lab.conf, 10000, lab.now);
	core_restore_ups(&lab.core, 0, &saved, lab.now);
	lab_run(&lab, 10000);
	assert_string_equal(lab_notices(&lab), "");
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 10000);
	assert_string_equal(lab_notices(&lab), "ONLINE ups@a");
}

static void test_restored_shutdown_goes_on(void **state)
{
	int64_t until;

	(void)state;
	lab_start(&lab, PRIMARY "HOSTSYNC 20\nFINALDELAY 3\n");
	lab.server[0].others = 1;
	lab_run(&lab, 10000);
	lab_fsd(&lab);
	lab_run(&lab, 5000);
	until = lab.core.phase_until;
	core_init(&lab.core, &lab.conf, 10000, lab.now);
	core_restore_phase(&lab.core, PHASE_SYNC, until, lab.now);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdown_at, until + 3000);
}

static void test_stop_logs_out(void **state)
{
	struct event ev = { .kind = EV_STOP };
	struct actions out;

	(void)state;
	lab_start(&lab, TWO);
	lab_run(&lab, 10000);
	core_event(&lab.core, &ev, lab.now, &out);
	assert_int_equal(out.count, 4);
	assert_int_equal(out.list[0].kind, ACT_SEND);
	assert_int_equal(out.list[0].u.request, REQUEST_LOGOUT);
	assert_int_equal(out.list[1].kind, ACT_CLOSE);
	/* nobody waits for an answer: the server may be silent */
	assert_true(core_is_over(&lab.core));
	assert_int_equal(core_deadline(&lab.core, lab.now), NEVER);
}

/* A year of daily power cuts: nothing is lost, nothing repeated, no shutdown. */
static void test_a_year(void **state)
{
	unsigned int onbatt = 0, online = 0;

	(void)state;
	lab_start(&lab, PRIMARY);
	lab_run(&lab, 1000);
	for (int day = 0; day < 365; day++) {
		lab_status(&lab, 0, "OB");
		lab_run(&lab, 600000);
		onbatt += strcmp(lab_notices(&lab), "ONBATT ups@a") == 0;
		lab_status(&lab, 0, "OL");
		lab_run(&lab, 86400000 - 600000);
		online += strcmp(lab_notices(&lab), "ONLINE ups@a") == 0;
	}
	assert_int_equal(onbatt, 365);
	assert_int_equal(online, 365);
	assert_int_equal(lab.server[0].connects_seen, 1);
}

/* -c fsd in the first moment: whoever waits for "ready" must not wait for ever. */
static void test_ready_when_told_to_shut_down_at_once(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY "HOSTSYNC 0\nFINALDELAY 0\n");
	lab.server[0].mode = LAB_SILENT;
	assert_false(core_is_ready(&lab.core));
	lab_fsd(&lab);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 1);
	assert_true(core_is_ready(&lab.core));
}

/* What the next monitor starts with: the snapshot, and no connection. */
static void take_over(void)
{
	static struct core before;

	before = lab.core;
	core_init(&lab.core, &lab.conf, before.connect_ms, lab.now);
	for (uint16_t i = 0; i < lab.conf.ups_count; i++)
		core_restore_ups(&lab.core, i, &before.ups[i], lab.now);
	core_restore_phase(&lab.core, before.phase, before.phase_until, lab.now);
}

static void test_timers_run_on_in_the_next_monitor(void **state)
{
	int64_t since;

	(void)state;
	lab_start(&lab, TWO "ONBATTERYDELAY 8\n");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 6000);
	since = lab.core.ups[0].battery_since;
	take_over();
	/* ready is who has tried each UPS himself: the one before has its logins until then */
	assert_false(core_is_ready(&lab.core));
	lab_run(&lab, 100);
	assert_true(core_is_ready(&lab.core));
	lab_run(&lab, 8000);
	assert_int_equal(lab.core.ups[0].battery_since, since);
	assert_string_equal(lab_notices(&lab), "ONBATT ups@a");
	lab_status(&lab, 0, "OB LB");
	lab_status(&lab, 1, "OB LB");
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 1);
}

/* ---- what is known is old ---- */

/* SIGSTOP, a suspend: nothing is called meanwhile. */
static void freeze(int64_t ms)
{
	lab.now += ms;
}

static void test_frozen_on_battery_and_mains_back(void **state)
{
	(void)state;
	lab_start(&lab, SECONDARY "HOSTSYNC 5\nDEADTIME 5\n");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 6000);
	/* at the end of it the wait for FSD is over, and DEADTIME; but nobody has looked */
	freeze(7000);
	lab_status(&lab, 0, "OL CHRG");
	lab_break(&lab, 0);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 0);
	assert_non_null(strstr(lab_notices(&lab), "ONLINE ups@a"));
}

static void test_frozen_for_an_hour_and_the_battery_still_low(void **state)
{
	int64_t resumed;

	(void)state;
	lab_start(&lab, SECONDARY "HOSTSYNC 5\n");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 9000);
	freeze(3600000);
	resumed = lab.now;
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 1);
	/* one fresh answer is all that it waits for, and FINALDELAY */
	assert_in_range(lab.shutdown_at - resumed, 5000, 6000);
}

static void test_frozen_and_nobody_answers(void **state)
{
	int64_t resumed;

	(void)state;
	lab_start(&lab, PRIMARY "DEADTIME 20\nHOSTSYNC 0\n");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 6000);
	freeze(60000);
	resumed = lab.now;
	lab.server[0].mode = LAB_REFUSED;
	lab_break(&lab, 0);
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 1);
	assert_in_range(lab.shutdown_at - resumed, 25000, 27000);
}

/* The server has been restarted meanwhile, and does not know yet how its UPS is. */
static void test_frozen_and_the_server_waits(void **state)
{
	(void)state;
	lab_start(&lab, PRIMARY "TIMEOUT 600\nDEADTIME 20\n");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 6000);
	freeze(3600000);
	lab_status(&lab, 0, "WAIT");
	lab_run(&lab, 12000);
	assert_int_equal(lab.core.phase, PHASE_WATCH);
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 0);
	/* one that never tells is judged after DEADTIME, by what was known */
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 6000);
	freeze(3600000);
	lab_status(&lab, 0, "WAIT");
	lab_run(&lab, 26000);
	assert_int_equal(lab.shutdowns, 1);
}

/* A machine so busy that each wake-up is late still shuts down. */
static void test_always_late(void **state)
{
	struct event ev = { .kind = EV_TIME };
	struct actions out;

	(void)state;
	lab_start(&lab, PRIMARY "DEADTIME 10\n");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 6000);
	lab.server[0].mode = LAB_REFUSED;
	lab_break(&lab, 0);
	lab_run(&lab, 100);
	for (int i = 0; i < 20 && lab.core.phase == PHASE_WATCH; i++) {
		freeze(core_deadline(&lab.core, lab.now) - lab.now + 2 * CORE_LATE_MS);
		core_event(&lab.core, &ev, lab.now, &out);
	}
	assert_int_not_equal(lab.core.phase, PHASE_WATCH);
}

/* What the next monitor is told is old as well. */
static void test_restored_is_judged_by_a_fresh_answer(void **state)
{
	(void)state;
	lab_start(&lab, SECONDARY "HOSTSYNC 5\n");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 6000);
	freeze(15000);
	lab_status(&lab, 0, "OL CHRG");
	take_over();
	lab_run(&lab, 60000);
	assert_int_equal(lab.shutdowns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_answer_is_silent),
		cmocka_unit_test(test_first_battery_is_not),
		cmocka_unit_test(test_battery_and_back),
		cmocka_unit_test(test_low_battery_shuts_a_primary_down),
		cmocka_unit_test(test_low_battery_on_line_does_not),
		cmocka_unit_test(test_calibration_is_not_critical),
		cmocka_unit_test(test_finaldelay_to_the_millisecond),
		cmocka_unit_test(test_hostsync_to_the_millisecond),
		cmocka_unit_test(test_secondaries_that_leave_end_the_wait),
		cmocka_unit_test(test_secondary_waits_for_fsd),
		cmocka_unit_test(test_secondary_without_fsd_goes_after_hostsync),
		cmocka_unit_test(test_dead_on_battery_after_deadtime),
		cmocka_unit_test(test_short_glitch_on_battery_is_survived),
		cmocka_unit_test(test_lost_on_line_is_never_critical),
		cmocka_unit_test(test_never_seen_is_healthy_and_missed),
		cmocka_unit_test(test_one_of_two_is_enough),
		cmocka_unit_test(test_one_of_two_is_not_enough),
		cmocka_unit_test(test_power_value_zero_does_not_count),
		cmocka_unit_test(test_minsupplies_zero_only_watches),
		cmocka_unit_test(test_row11_one_on_battery_alerts_all),
		cmocka_unit_test(test_pollfreq_is_kept),
		cmocka_unit_test(test_long_pollfreq_keeps_the_connection),
		cmocka_unit_test(test_silence_on_battery_is_survived),
		cmocka_unit_test(test_restored_core_repeats_nothing),
		cmocka_unit_test(test_restored_shutdown_goes_on),
		cmocka_unit_test(test_stop_logs_out),
		cmocka_unit_test(test_a_year),
		cmocka_unit_test(test_ready_when_told_to_shut_down_at_once),
		cmocka_unit_test(test_timers_run_on_in_the_next_monitor),
		cmocka_unit_test(test_frozen_on_battery_and_mains_back),
		cmocka_unit_test(test_frozen_for_an_hour_and_the_battery_still_low),
		cmocka_unit_test(test_frozen_and_nobody_answers),
		cmocka_unit_test(test_frozen_and_the_server_waits),
		cmocka_unit_test(test_always_late),
		cmocka_unit_test(test_restored_is_judged_by_a_fresh_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
