/* SPDX-License-Identifier: ISC */
/* sched.c, conf_sched.c: upssched.conf as people have it, and the timers that it asks for. */
#include <stdlib.h>

#include "lab.h"

#include "core/message.h"
#include "core/snapshot.h"

#define ONE "MONITOR ups@a 1 u p primary\nSHUTDOWNCMD x\n"
#define TWO ONE "MONITOR ups@b 1 u p secondary\n"
#define SCRIPT "CMDSCRIPT /bin/upssched-cmd\n"

static struct lab lab;

/* The commands since the last call: "1000 off ONBATT ups@a, ...", in seconds after the start. */
static const char *commands(void)
{
	static char list[2048];
	char *line, *next;

	list[0] = '\0';
	lab.trace[lab.trace_used] = '\0';
	for (line = lab.trace; *line; line = next) {
		char *word = strchr(line, ' ') + 1;
		size_t used = strlen(list);

		next = strchr(line, '\n') + 1;
		if (strncmp(word, "command ", 8) == 0)
			snprintf(list + used, sizeof(list) - used, "%s%lld %.*s", used ? ", " : "",
				 strtoll(line, NULL, 10) / 1000 - 1, (int)(next - 1 - word - 8),
				 word + 8);
	}
	lab.trace_used = 0;
	return list;
}

/* ---- the file ---- */

static void finds(const char *sched, const char *finding)
{
	lab_conf_sched(&lab, TWO, sched);
	assert_int_equal(lab.errors, 0); /* no line of it keeps the daemon down */
	if (!strstr(lab.findings, finding))
		fail_msg("\"%s\" is not in: %s", finding, lab.findings);
}

static void accepts(const char *sched, unsigned int rules)
{
	lab_conf_sched(&lab, TWO, sched);
	if (lab.warnings || lab.errors)
		fail_msg("%s", lab.findings);
	assert_int_equal(lab.conf.rule_count, rules);
}

static void test_files_of_people(void **state)
{
	(void)state;
	/* what Debian ships: every line is a comment but the first */
	finds("CMDSCRIPT /bin/upssched-cmd\n# PIPEFN /run/nut/upssched.pipe\n", "no AT line in it");
	/* a homelab's, with the two lines that only upssched needs */
	accepts("CMDSCRIPT /etc/nut/upssched-cmd\nPIPEFN /etc/nut/upssched.pipe\n"
		"LOCKFN /etc/nut/upssched.lock\n\nAT ONBATT * START-TIMER onbatt 30\n"
		"AT ONLINE * CANCEL-TIMER onbatt online\nAT ONBATT * START-TIMER earlyshutdown 120\n"
		"AT LOWBATT * EXECUTE onbatt\nAT COMMBAD * START-TIMER commbad 30\n"
		"AT COMMOK * CANCEL-TIMER commbad commok\nAT NOCOMM * EXECUTE commbad\n"
		"AT SHUTDOWN * EXECUTE powerdown\n",
		8);
	/* CMDSCRIPT last: upssched gives up there */
	accepts("AT ONBATT ups@a EXECUTE go\nDEBUG_MIN 3\n" SCRIPT, 1);
	/* types without case, as upssched has them */
	accepts(SCRIPT "AT onbatt * EXECUTE go\nAT OnLine \"*\" EXECUTE \"two words\"\n", 2);
	accepts(SCRIPT "AT ONBATT * START-TIMER-SHARED off 60\nAT FSD \"\" EXECUTE fsd\n", 2);
	/* a program with arguments, as newer ones have it, or a line for the shell */
	accepts("CMDSCRIPT /bin/sh -c \"echo\"\nAT ONBATT * EXECUTE go\n", 1);
}

static void test_lines_that_cannot_be_used(void **state)
{
	(void)state;
	finds("AT ONBATT * EXECUTE go\n", "0: warning: there is no CMDSCRIPT");
	assert_int_equal(lab.conf.rule_count, 0);
	assert_true(lab.conf.upssched_broken);
	lab_conf_sched(&lab, TWO "NOTIFYFLAG ONBATT IGNORE\n", SCRIPT "AT ONBATT * EXECUTE go\n");
	assert_non_null(strstr(lab.findings, "AT ONBATT does nothing: NOTIFYFLAG ONBATT is IGNORE"));
	assert_false(lab.conf.upssched_broken);
	finds(SCRIPT "AT ONBAT * EXECUTE go\n", "2: warning: AT ONBAT: there is no such notify type; "
						"the line is ignored");
	finds(SCRIPT "AT ONBATT * execute go\n", "START-TIMER, CANCEL-TIMER or EXECUTE; not execute");
	finds(SCRIPT "AT ONBATT *\n", "expected: AT type ups@host (or *)");
	finds(SCRIPT "AT ONBATT * START-TIMER off\n", "START-TIMER name seconds");
	finds(SCRIPT "AT ONBATT * START-TIMER off m1\n", "\"m1\", which is not a whole number");
	finds(SCRIPT "AT ONBATT * START-TIMER off 30s\n", "it is taken for 30");
	assert_int_equal(lab.conf.rules[0].ms, 30000);
	finds(SCRIPT "AT ONBATT * START-TIMER off +2.5\n", "it is taken for 2");
	finds(SCRIPT "AT ONBATT * START-TIMER off 99999999999999\n", "9999\", which is not");
	finds(SCRIPT "AT NOPARENT * EXECUTE x\n", "this line will do nothing");
	finds(SCRIPT "AT ONBATT * START-TIMER off -1\n", "it must be from 0 to 4294967");
	finds(SCRIPT "AT ONBATT * EXECUTE go now\n", "what stands behind \"go\" is ignored");
	finds(SCRIPT "AT ONBATT * EXECUTE\n", "EXECUTE command");
	finds(SCRIPT "AT ONBATT * CANCEL-TIMER \"\"\n", "is no name of a timer");
	finds(SCRIPT "AT ONBATT * EXECUTE a123456789b123456789c123456789d123456789e123456789f1\n",
	      "1 to 51 bytes");
	finds(SCRIPT "AT ONBATT ups@c EXECUTE go\n", "no MONITOR line of upsmon.conf names \"ups@c\"");
	/* the guard would take the monitor that says such a name for a liar */
	finds(SCRIPT "AT ONBATT * START-TIMER \"a\tb\" 1\n", "no tab or other control character");
	finds(SCRIPT "AT SHUTDOWN ups@a EXECUTE go\n", "SHUTDOWN is about no UPS");
	finds(SCRIPT "at ONBATT * EXECUTE go\n", "there is no directive \"at\" here");
	/* and the good lines around them stay in use */
	finds(SCRIPT "AT ONBATT * EXECUTE go\nAT X * EXECUTE y\nAT ONLINE * EXECUTE back\n", "AT X");
	assert_int_equal(lab.conf.rule_count, 2);
	lab_conf(&lab, ONE "UPSSCHED upssched.conf\n");
	assert_non_null(strstr(lab.findings, "absolute path"));
	lab_conf(&lab, ONE "UPSSCHED /x\nNOTIFYCMD /sbin/upssched\n");
	assert_non_null(strstr(lab.findings, "would run twice"));
}

static void test_too_many_lines(void **state)
{
	static char text[65536] = SCRIPT;
	size_t used = strlen(text);

	(void)state;
	for (int i = 0; i < SCHED_RULES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "AT ONBATT * EXECUTE go%d\n", i);
	accepts(text, SCHED_RULES_MAX);
	/* the line too many may be the one that cancels: then rather none */
	snprintf(text + used, sizeof(text) - used, "AT ONLINE * EXECUTE back\n");
	finds(text, "SCHED_RULES_MAX=N");
	finds(text, "0: warning: there is no room for all of it");
	assert_int_equal(lab.conf.rule_count, 0);
	assert_true(lab.conf.upssched_broken);
	/* and so is a text too many */
	used = strlen(strcpy(text, TWO));
	for (int i = 0; i < 13; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "NOTIFYMSG ONBATT %0600d\n", i);
	lab_conf(&lab, text);
	snprintf(text + used, sizeof(text) - used, "NOTIFYMSG ONLINE %0*d\n",
		 (int)sizeof(lab.conf.text) - lab.conf.text_used - 22, 0);
	lab_conf_sched(&lab, text, SCRIPT "AT ONBATT * START-TIMER o 60\n");
	assert_false(lab.conf.upssched_broken);
	lab_conf_sched(&lab, text, SCRIPT "AT ONBATT * START-TIMER o 60\nAT ONLINE * CANCEL-TIMER off\n");
	assert_true(lab.conf.upssched_broken);
	assert_int_equal(lab.conf.rule_count, 0);
}

/* ---- timers ---- */

#define EARLY                                                                                    \
	SCRIPT "AT ONBATT * START-TIMER off 60\nAT ONLINE * CANCEL-TIMER off back\n"             \
	       "AT LOWBATT * EXECUTE low\n"

static void test_early_shutdown(void **state)
{
	(void)state;
	lab_start_sched(&lab, ONE, EARLY);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 100000);
	/* to the millisecond, once, and with what has started it */
	assert_string_equal(commands(), "70 off ONBATT ups@a");
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 100000);
	/* it has run out, so the second word of CANCEL-TIMER comes into play */
	assert_string_equal(commands(), "110 back ONLINE ups@a");
}

static void test_mains_back_in_time(void **state)
{
	(void)state;
	lab_start_sched(&lab, ONE, EARLY);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 50000);
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 1000000);
	assert_string_equal(commands(), "");
}

/* The answer is read in the same wake-up in which the timer is due. */
static void test_mains_back_at_the_last_moment(void **state)
{
	static struct actions out;
	static struct words words;
	struct event answer = { .kind = EV_LINE, .words = &words };

	(void)state;
	lab_start_sched(&lab, ONE, SCRIPT "AT ONBATT * START-TIMER off 62\nAT ONLINE * CANCEL-TIMER off\n");
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 60000);
	lab.server[0].mode = LAB_SILENT;
	lab_run(&lab, 2000);
	lab.now = 73000;
	assert_int_equal(lab.core.sched.timers[0].due, lab.now);
	words_init(&words, WORDS_WIRE);
	for (const char *c = "VAR ups ups.status \"OL\"\n"; *c; c++)
		words_feed(&words, (unsigned char)*c);
	core_event(&lab.core, &answer, lab.now, &out);
	for (unsigned int i = 0; i < out.count; i++)
		assert_int_not_equal(out.list[i].kind, ACT_COMMAND);
	assert_string_equal(lab.core.sched.timers[0].name, "");
}

static void test_execute(void **state)
{
	(void)state;
	lab_start_sched(&lab, TWO "MINSUPPLIES 0\n",
			SCRIPT "AT ONBATT ups@b EXECUTE b\nAT ONBATT * EXECUTE \"any one\"\n"
			       "AT SHUTDOWN * EXECUTE down\nAT FSD ups@a EXECUTE fsd\n");
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	assert_string_equal(commands(), "10 any one ONBATT ups@a");
	lab_status(&lab, 1, "OB");
	lab_run(&lab, 10000);
	/* every line that fits, in the order of the file */
	assert_string_equal(commands(), "20 b ONBATT ups@b, 20 any one ONBATT ups@b");
	lab_fsd(&lab);
	lab_run(&lab, 100);
	assert_string_equal(commands(), "29 fsd FSD ups@a, 29 down SHUTDOWN -");
}

static void test_what_is_ignored_starts_nothing(void **state)
{
	(void)state;
	lab_start_sched(&lab, ONE "NOTIFYFLAG ONBATT IGNORE\nNOTIFYFLAG ONLINE SYSLOG\n",
			SCRIPT "AT ONBATT * EXECUTE on\nAT ONLINE * EXECUTE back\n");
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 10000);
	/* an AT line is enough: no EXEC is needed */
	assert_string_equal(commands(), "20 back ONLINE ups@a");
}

/* upssched cancels the oldest of the name, and so may leave the wrong one running. */
static void test_each_ups_cancels_its_own(void **state)
{
	(void)state;
	lab_start_sched(&lab, TWO "MINSUPPLIES 0\n", EARLY);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 20000);
	lab_status(&lab, 1, "OB");
	lab_run(&lab, 10000);
	lab_status(&lab, 1, "OL");
	lab_run(&lab, 100000);
	assert_string_equal(commands(), "70 off ONBATT ups@a");
	/* its own has run out, and the other one's is not its affair */
	lab_start_sched(&lab, TWO "MINSUPPLIES 0\n", EARLY);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 50000);
	lab_status(&lab, 1, "OB");
	lab_run(&lab, 30000);
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 100000);
	assert_string_equal(commands(),
			    "70 off ONBATT ups@a, 90 back ONLINE ups@a, 120 off ONBATT ups@b");
}

static void test_all_of_the_name_are_cancelled(void **state)
{
	(void)state;
	lab_start_sched(&lab, ONE "OBLBDURATION 600\n",
			SCRIPT "AT ONBATT * START-TIMER off 60\nAT LOWBATT * START-TIMER off 30\n"
			       "AT ONLINE * CANCEL-TIMER off\n");
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB LB");
	lab_run(&lab, 20000);
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 100000);
	assert_string_equal(commands(), "");
	/* another UPS may cancel what it has not started itself */
	lab_start_sched(&lab, TWO "MINSUPPLIES 0\n",
			SCRIPT "AT ONBATT ups@a START-TIMER off 60\nAT ONBATT ups@b CANCEL-TIMER off no\n");
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	lab_status(&lab, 1, "OB");
	lab_run(&lab, 100000);
	assert_string_equal(commands(), "");
}

static void test_a_second_timer_and_a_shared_one(void **state)
{
	(void)state;
	lab_start_sched(&lab, TWO "MINSUPPLIES 0\n",
			SCRIPT "AT ONBATT * START-TIMER each 30\nAT ONBATT * START-TIMER-SHARED all 40\n");
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	lab_status(&lab, 1, "OB");
	lab_run(&lab, 100000);
	assert_string_equal(commands(),
			    "40 each ONBATT ups@a, 50 all ONBATT ups@a, 50 each ONBATT ups@b");
}

/* NOCOMM comes again and again, and nobody cancels: a timer that is wanted finds its place. */
static void test_one_timer_of_each_kind(void **state)
{
	(void)state;
	lab_start_sched(&lab, TWO "NOCOMMWARNTIME 60\nMINSUPPLIES 0\n",
			SCRIPT "AT NOCOMM * START-TIMER still 7200\nAT ONBATT * START-TIMER off 60\n");
	lab.server[1].mode = LAB_REFUSED;
	lab_run(&lab, 6000000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 70000);
	assert_false(lab_saw(&lab, "cannot be started"));
	assert_non_null(strstr(commands(), " off ONBATT ups@a"));
}

/* 16 UPSes at once, and each line runs something: what is due waits for room, and is not lost. */
static void test_more_than_one_event_can_hold(void **state)
{
	static struct actions out;
	static char conf[4096], sched[8192] = SCRIPT "AT ONBATT * START-TIMER off 600\n";
	struct event fsd = { .kind = EV_FSD };
	size_t used = strlen(strcpy(conf, "SHUTDOWNCMD x\n"));
	unsigned int due = 0;

	(void)state;
	for (int i = 0; i < UPS_MAX; i++)
		used += (size_t)snprintf(conf + used, sizeof(conf) - used,
					 "MONITOR u%d@a 1 u p primary\n", i);
	used = strlen(sched);
	for (int i = 0; i < 40; i++)
		used += (size_t)snprintf(sched + used, sizeof(sched) - used, "AT FSD * EXECUTE e%d\n", i);
	lab_start_sched(&lab, conf, sched);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 5000);
	lab.now = lab.core.sched.timers[0].due;
	core_event(&lab.core, &fsd, lab.now, &out);
	assert_in_range(out.count, 1, ACTIONS_MAX);
	fsd.kind = EV_TIME;
	for (int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < out.count; i++)
			due += out.list[i].kind == ACT_COMMAND && out.list[i].value;
		assert_true(due || lab.core.sched.timers[0].name[0]);
		core_event(&lab.core, &fsd, lab.now, &out);
	}
}

static void test_the_table_is_full(void **state)
{
	static char text[8192] = SCRIPT;
	size_t used = strlen(text);

	(void)state;
	for (int i = 0; i <= SCHED_TIMERS_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "AT ONBATT * START-TIMER t%d %d\n", i, 100 - i);
	lab_start_sched(&lab, ONE, text);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	assert_true(lab_saw(&lab, "timer t32 cannot be started: 32 run already"));
	lab_run(&lab, 100000);
	/* the earliest first, all to the last */
	assert_non_null(strstr(commands(), "79 t31 ONBATT ups@a, 80 t30"));
	assert_int_equal(core_deadline(&lab.core, lab.now) > lab.now, 1);
	lab_status(&lab, 0, "OL");
	lab_run(&lab, 10000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 70000);
	assert_non_null(strstr(commands(), " t31 ONBATT ups@a"));
}

static void test_a_timer_of_no_seconds(void **state)
{
	(void)state;
	lab_start_sched(&lab, ONE, SCRIPT "AT ONBATT * START-TIMER now 0\n");
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	assert_string_equal(commands(), "10 now ONBATT ups@a");
}

static void test_no_command_after_the_stop(void **state)
{
	static struct actions out;
	struct event stop = { .kind = EV_STOP };

	(void)state;
	lab_start_sched(&lab, ONE, EARLY);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	core_event(&lab.core, &stop, lab.now, &out);
	lab_run(&lab, 1000000);
	assert_string_equal(commands(), "");
	/* also where something else wakes it up */
	stop.kind = EV_TIME;
	core_event(&lab.core, &stop, lab.now, &out);
	assert_int_equal(out.count, 0);
}

/* ---- what is known is old ---- */

/* Stopped, or the machine slept, over the time of the timer. */
static void test_a_freeze(void **state)
{
	static struct actions out;
	static struct words words;
	struct event old = { .kind = EV_LINE, .words = &words };

	(void)state;
	for (int back = 0; back < 2; back++) {
		lab_start_sched(&lab, ONE, EARLY);
		lab_run(&lab, 9000);
		lab_status(&lab, 0, "OB");
		lab_run(&lab, 10000);
		lab.now += 3600000;
		if (back)
			lab_status(&lab, 0, "OL");
		/* the connection has not outlived it, so the answer takes a moment */
		lab_break(&lab, 0);
		lab_run(&lab, 100000);
		assert_string_equal(commands(), back ? "" : "3619 off ONBATT ups@a");
	}
	/* an answer that was under way when all stood still says nothing of now */
	lab_start_sched(&lab, ONE, EARLY);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	lab.server[0].mode = LAB_SILENT;
	lab_run(&lab, 2000);
	assert_int_equal(lab.core.session[0].state, SESSION_WAITING);
	lab.now += 3600000;
	lab.server[0].mode = LAB_UP;
	lab_status(&lab, 0, "OL");
	words_init(&words, WORDS_WIRE);
	for (const char *c = "VAR ups ups.status \"OB\"\n"; *c; c++)
		words_feed(&words, (unsigned char)*c);
	core_event(&lab.core, &old, lab.now, &out);
	for (unsigned int i = 0; i < out.count; i++)
		assert_int_not_equal(out.list[i].kind, ACT_COMMAND);
	lab_run(&lab, 100000);
	assert_string_equal(commands(), "");
	/* nobody answers: DEADTIME, and no longer */
	lab_start_sched(&lab, ONE "MINSUPPLIES 0\n", EARLY);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 10000);
	lab.now += 3600000;
	lab.server[0].mode = LAB_REFUSED;
	lab_break(&lab, 0);
	lab_run(&lab, 100000);
	assert_string_equal(commands(), "3634 off ONBATT ups@a");
}

/* ---- the next monitor ---- */

static struct sched_timer *timer(struct snapshot *s, unsigned int i)
{
	return &s->sched.timers[i];
}

static void test_timers_outlive_the_monitor(void **state)
{
	struct snapshot snapshot;

	(void)state;
	lab_start_sched(&lab, ONE, EARLY);
	lab_run(&lab, 9000);
	lab_status(&lab, 0, "OB");
	lab_run(&lab, 30000);
	snapshot_init(&snapshot);
	snapshot.sched = lab.core.sched;
	snapshot.ups[0] = lab.core.ups[0];
	core_init(&lab.core, &lab.conf, 10000, lab.now);
	core_restore_ups(&lab.core, 0, &snapshot.ups[0], lab.now);
	core_restore_sched(&lab.core, &snapshot.sched);
	lab_run(&lab, 100000);
	assert_string_equal(commands(), "70 off ONBATT ups@a");
	/* with other lines, or none, nothing would cancel it */
	lab_conf_sched(&lab, ONE, SCRIPT "AT ONBATT * START-TIMER other 60\nAT ONLINE * CANCEL-TIMER off\n");
	core_init(&lab.core, &lab.conf, 10000, lab.now);
	core_restore_sched(&lab.core, &snapshot.sched);
	assert_string_equal(lab.core.sched.timers[0].name, "");
	lab_conf(&lab, ONE);
	core_init(&lab.core, &lab.conf, 10000, lab.now);
	core_restore_sched(&lab.core, &snapshot.sched);
	lab_run(&lab, 100000);
	assert_string_equal(commands(), "");
}

static void test_timers_move_with_their_ups(void **state)
{
	static struct conf before, after;
	struct snapshot s, moved;

	(void)state;
	lab_conf(&lab, TWO);
	before = lab.conf;
	lab_conf(&lab, "MONITOR ups@c 1 u p primary\nSHUTDOWNCMD x\nMONITOR ups@a 1 u p primary\n");
	after = lab.conf;
	snapshot_init(&s);
	*timer(&s, 0) = (struct sched_timer){ 10, 1, NOTIFY_ONBATT, "of b" };
	*timer(&s, 1) = (struct sched_timer){ 20, 0, NOTIFY_ONBATT, "of a" };
	*timer(&s, 2) = (struct sched_timer){ 30, UPS_NONE, NOTIFY_SHUTDOWN, "of all" };
	moved = snapshot_move(&s, &before, &after);
	/* nobody watches b any more; a has another place */
	assert_string_equal(timer(&moved, 0)->name, "of a");
	assert_int_equal(timer(&moved, 0)->ups, 1);
	assert_int_equal(timer(&moved, 0)->due, 20);
	assert_string_equal(timer(&moved, 1)->name, "of all");
	assert_int_equal(timer(&moved, 1)->ups, UPS_NONE);
	assert_string_equal(timer(&moved, 2)->name, "");
}

static void test_what_a_monitor_may_say(void **state)
{
	const int64_t now = 1000000;
	struct message good = { .kind = MESSAGE_TIMER, .ups = 3, .silent_until = NEVER }, m;

	(void)state;
	good.timer = (struct sched_timer){ now + 5000, 0, NOTIFY_ONBATT, "off" };
	assert_true(message_is_sound(&good, 1, now));
#define LIE(change)                                                                              \
	m = good;                                                                                \
	change;                                                                                  \
	assert_false(message_is_sound(&m, 1, now))
	LIE(m.ups = SCHED_TIMERS_MAX);
	LIE(m.timer.ups = 1);
	LIE(m.timer.type = NOTIFY_TYPES);
	LIE(m.timer.due = NEVER);
	LIE(m.timer.due = now + (int64_t)UINT32_MAX + 1);
	LIE(memset(m.timer.name, 'x', sizeof(m.timer.name)));
	LIE(m.timer.name[0] = '\0');
	LIE(m.timer.name[1] = '\n');
	/* that there is none is said by nothing at all */
	memset(&good.timer, 0, sizeof(good.timer));
	assert_true(message_is_sound(&good, 1, now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_of_people),
		cmocka_unit_test(test_lines_that_cannot_be_used),
		cmocka_unit_test(test_too_many_lines),
		cmocka_unit_test(test_early_shutdown),
		cmocka_unit_test(test_mains_back_in_time),
		cmocka_unit_test(test_mains_back_at_the_last_moment),
		cmocka_unit_test(test_execute),
		cmocka_unit_test(test_what_is_ignored_starts_nothing),
		cmocka_unit_test(test_each_ups_cancels_its_own),
		cmocka_unit_test(test_all_of_the_name_are_cancelled),
		cmocka_unit_test(test_a_second_timer_and_a_shared_one),
		cmocka_unit_test(test_one_timer_of_each_kind),
		cmocka_unit_test(test_more_than_one_event_can_hold),
		cmocka_unit_test(test_the_table_is_full),
		cmocka_unit_test(test_a_timer_of_no_seconds),
		cmocka_unit_test(test_no_command_after_the_stop),
		cmocka_unit_test(test_a_freeze),
		cmocka_unit_test(test_timers_outlive_the_monitor),
		cmocka_unit_test(test_timers_move_with_their_ups),
		cmocka_unit_test(test_what_a_monitor_may_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
