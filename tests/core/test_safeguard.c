/* SPDX-License-Identifier: ISC */
/* safeguard.c: what the guard does if no monitor lives to say it. */
#include "lab.h"

#include <signal.h>

#include "base/child.h"
#include "base/log.h"
#include "guard/shutdown.h"

static unsigned int begun;

static void fake_begin(const struct conf *conf, int64_t now)
{
	(void)conf;
	(void)now;
	begun++;
}

static bool fake_is_begun(void)
{
	return begun > 0;
}

#define shutdown_begin fake_begin
#define shutdown_is_begun fake_is_begun
#include "guard/safeguard.c"

#define CONF "MONITOR a 1 u p primary\nSHUTDOWNCMD x\nHOSTSYNC 20\nFINALDELAY 5\n"
#define NOW 1000000

static struct lab lab;

static int fresh(void **state)
{
	(void)state;
	log_to_stderr(false);
	lab_conf(&lab, CONF);
	safeguard_init(&lab.conf);
	begun = 0;
	return 0;
}

static bool say_phase(enum phase phase, int64_t until)
{
	struct message m = { .kind = MESSAGE_PHASE, .phase = phase, .phase_until = until };

	return safeguard_hear(&m, NOW);
}

static void say_line(enum ups_line line)
{
	struct message m = { .kind = MESSAGE_UPS };

	ups_init(&m.state, NOW);
	m.state.line = (uint8_t)line;
	assert_true(safeguard_hear(&m, NOW));
}

static void test_all_is_quiet(void **state)
{
	(void)state;
	assert_false(safeguard_is_alarmed());
	assert_false(safeguard_fsd_waits());
	assert_true(safeguard_deadline(false) == NEVER);
	safeguard_advance(false, NOW);
	safeguard_give_up(NOW);
	assert_int_equal(begun, 0);
	say_line(LINE_ONLINE);
	assert_true(safeguard_has_news());
	assert_false(safeguard_has_news());
	safeguard_give_up(NOW);
	assert_int_equal(begun, 0);
}

/* The word of a phase that is the last one is the order itself. */
static void test_down_is_carried_out(void **state)
{
	(void)state;
	assert_true(say_phase(PHASE_SYNC, NOW + 20000));
	assert_int_equal(begun, 0);
	assert_true(say_phase(PHASE_DOWN, NEVER));
	assert_int_equal(begun, 1);
}

static void test_no_way_back(void **state)
{
	(void)state;
	assert_true(say_phase(PHASE_FINAL, NOW + 5000));
	assert_false(say_phase(PHASE_SYNC, NOW));
	assert_false(say_phase(PHASE_WATCH, NEVER));
	assert_true(safeguard_is_alarmed());
}

/* A monitor that dies in HOSTSYNC or FINALDELAY, and none comes after it. */
static void test_steps_go_on_without_a_monitor(void **state)
{
	(void)state;
	say_phase(PHASE_SYNC, NOW + 20000);
	assert_int_equal(safeguard_deadline(false), NOW + 25000);
	assert_int_equal(safeguard_deadline(true), NOW + 25000 + SAFEGUARD_LATE_MS);
	say_phase(PHASE_FINAL, NOW + 5000);
	assert_int_equal(safeguard_deadline(false), NOW + 5000);
	safeguard_advance(false, NOW + 4999);
	assert_int_equal(begun, 0);
	safeguard_advance(false, NOW + 5000);
	assert_int_equal(begun, 1);
	assert_true(safeguard_deadline(false) == NEVER);
}

/* A monitor that lies about the time, or hangs in a step. */
static void test_no_step_takes_longer_than_configured(void **state)
{
	(void)state;
	say_phase(PHASE_SYNC, NEVER);
	assert_int_equal(safeguard_deadline(true),
			 NOW + 20000 + SAFEGUARD_LATE_MS + 5000 + SAFEGUARD_LATE_MS);
	/* said again and again, as the heartbeat does, it is the same step */
	safeguard_hear(&(struct message){ .kind = MESSAGE_PHASE, .phase = PHASE_SYNC,
					  .phase_until = NEVER }, NOW + 9000);
	assert_int_equal(safeguard_deadline(true),
			 NOW + 20000 + SAFEGUARD_LATE_MS + 5000 + SAFEGUARD_LATE_MS);
	say_phase(PHASE_FINAL, NOW + 86400000);
	assert_int_equal(safeguard_deadline(true), NOW + 5000 + 2 * SAFEGUARD_LATE_MS);
}

static void test_fsd_that_no_monitor_begins(void **state)
{
	(void)state;
	safeguard_fsd(NOW);
	safeguard_fsd(NOW + 9000); /* asked once more changes nothing */
	assert_true(safeguard_fsd_waits() && safeguard_is_alarmed());
	assert_int_equal(safeguard_deadline(true), NOW + 25000 + SAFEGUARD_LATE_MS);
	say_phase(PHASE_SYNC, NOW + 1000);
	assert_false(safeguard_fsd_waits());
	safeguard_advance(true, NOW + 25000 + SAFEGUARD_LATE_MS);
	assert_int_equal(begun, 1);
}

static void test_giving_up(void **state)
{
	(void)state;
	say_line(LINE_BATTERY);
	safeguard_give_up(NOW);
	/* the next monitor is told so, and has as long as for any FSD; nobody waits for an answer */
	assert_true(safeguard_fsd_waits());
	assert_false(safeguard_fsd_is_new());
	assert_int_equal(begun, 0);
	safeguard_give_up(NOW + 1000);
	safeguard_advance(false, NOW + 25000 + SAFEGUARD_LATE_MS - 1);
	assert_int_equal(begun, 0);
	safeguard_advance(false, NOW + 25000 + SAFEGUARD_LATE_MS);
	assert_int_equal(begun, 1);
}

/* As MINSUPPLIES has it: what is not needed for that may be on battery. */
static void test_giving_up_counts_the_power(void **state)
{
	static const struct {
		const char *conf;
		bool down;
	} cases[] = {
		{ "MONITOR a 1 u p primary\nMINSUPPLIES 0\n", false },
		{ "MONITOR a 0 u p primary\nMONITOR b 1 u p primary\n", false },
		{ "MONITOR a 1 u p primary\nMONITOR b 0 u p primary\n", true },
		{ "MONITOR a 1 u p primary\nMONITOR b 1 u p primary\n", false },
		{ "MONITOR a 1 u p primary\nMONITOR b 1 u p primary\nMINSUPPLIES 2\n", true },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[256];

		snprintf(text, sizeof(text), "%sSHUTDOWNCMD x\n", cases[i].conf);
		lab_conf(&lab, text);
		safeguard_init(&lab.conf);
		say_line(LINE_BATTERY);
		safeguard_give_up(NOW);
		assert_int_equal(safeguard_is_alarmed(), cases[i].down);
	}
}

/* The one action that must not be lost has a place, however much else there is. */
static void test_the_shutdown_always_has_a_place(void **state)
{
	static struct actions out;

	(void)state;
	for (int i = 0; i < 2 * ACTIONS_MAX; i++)
		action_close(&out, 0);
	action_shutdown(&out);
	/* nor does what comes after it take that place */
	action_close(&out, 0);
	assert_int_equal(out.count, ACTIONS_MAX);
	assert_int_equal(out.list[ACTIONS_MAX - 1].kind, ACT_SHUTDOWN);
	assert_int_equal(out.list[ACTIONS_MAX - 2].kind, ACT_CLOSE);
}

/* Commands that hang leave places: to look-ups (child_fork()), and to the shutdown. */
static void test_commands_leave_places(void **state)
{
	struct child_command hangs = { .text = "sleep 600", .words = 1 };
	pid_t pids[CHILD_MAX];
	int count = 0;

	(void)state;
	for (enum child_rank rank = CHILD_ORDINARY; rank <= CHILD_LAST; rank++) {
		static const int room[] = { CHILD_MAX - CHILD_MAX / 4, CHILD_MAX - CHILD_MAX / 8,
					    CHILD_MAX };

		hangs.rank = rank;
		while (count < CHILD_MAX && (pids[count] = child_run(&hangs, NULL, NULL)) > 0)
			count++;
		assert_int_equal(count, room[rank]);
	}
	while (count-- > 0)
		assert_true(child_kill(pids[count], SIGKILL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_all_is_quiet, fresh),
		cmocka_unit_test_setup(test_down_is_carried_out, fresh),
		cmocka_unit_test_setup(test_no_way_back, fresh),
		cmocka_unit_test_setup(test_steps_go_on_without_a_monitor, fresh),
		cmocka_unit_test_setup(test_no_step_takes_longer_than_configured, fresh),
		cmocka_unit_test_setup(test_fsd_that_no_monitor_begins, fresh),
		cmocka_unit_test_setup(test_giving_up, fresh),
		cmocka_unit_test_setup(test_giving_up_counts_the_power, fresh),
		cmocka_unit_test(test_the_shutdown_always_has_a_place),
		cmocka_unit_test(test_commands_leave_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
