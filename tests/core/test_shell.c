/* SPDX-License-Identifier: ISC */
/*
 * What of the shell can be tested without a daemon around it: procname.c on
 * recorded trees, what the guard lets through of the monitor's messages, and
 * the loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "lab.h"
#include "log.h"
#include "loop.h"
#include "message.h"
#include "procname.h"
#include "shutdown.h"
#include "signals.h"
#include "status.h"

/* A pid that no process has, so that only the tree decides. */
#define PID 999999999

static char root[64];

static int make_root(void **state)
{
	char dir[96];

	(void)state;
	snprintf(root, sizeof(root), "/tmp/nutlet-proc-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	snprintf(dir, sizeof(dir), "%s/%d", root, PID);
	return mkdir(dir, 0755);
}

static void put_file(const char *file, const char *text, size_t len)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d/%s", root, PID, file);
	unlink(path);
	if (!text)
		return;
	f = fopen(path, "w");
	assert_non_null(f);
	fwrite(text, 1, len, f);
	fclose(f);
}

static int remove_root(void **state)
{
	char dir[96];

	(void)state;
	put_file("comm", NULL, 0);
	put_file("stat", NULL, 0);
	snprintf(dir, sizeof(dir), "%s/%d", root, PID);
	rmdir(dir);
	return rmdir(root);
}

static enum proc_answer check(const char *comm, const char *stat, const char *want, struct proc *p)
{
	put_file("comm", comm, comm ? strlen(comm) : 0);
	put_file("stat", stat, stat ? strlen(stat) : 0);
	return procname_check(root, PID, want, p);
}

#define TAIL " 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1000 10\n"

static void test_names(void **state)
{
	struct proc p;

	(void)state;
	assert_int_equal(check("upsmon\n", "1 (upsmon) S" TAIL, "upsmon", &p), PROC_MATCH);
	assert_int_equal(p.start, 12345);
	assert_int_equal(p.parent, 1);
	assert_int_equal(check("sleep\n", "1 (sleep) S" TAIL, "upsmon", &p), PROC_MISMATCH);
	assert_string_equal(p.name, "sleep");
	assert_int_equal(check("upsmon2\n", NULL, "upsmon", &p), PROC_MISMATCH);
	assert_int_equal(check("upsmo\n", NULL, "upsmon", &p), PROC_MISMATCH);
	assert_int_equal(check("ups\nmon\n", NULL, "upsmon", &p), PROC_MISMATCH);
	assert_string_equal(p.name, "ups?mon");
	/* the kernel cuts at 15 characters, so the wanted name is cut, too */
	assert_int_equal(check("a-very-long-nam\n", NULL, "a-very-long-name-indeed", &p),
			 PROC_MATCH);
}

static void test_stat_is_read_to_the_last_parenthesis(void **state)
{
	struct proc p;

	(void)state;
	assert_int_equal(check("a) R (b\n", "1 (a) R (b) S" TAIL, "upsmon", &p), PROC_MISMATCH);
	assert_int_equal(p.start, 12345);
	assert_int_equal(check("upsmon\n", "1 (x) Z) Z (y) S" TAIL, "upsmon", &p), PROC_MATCH);
	/* without stat the name alone stands, and there is no start time */
	assert_int_equal(check("upsmon\n", NULL, "upsmon", &p), PROC_MATCH);
	assert_int_equal(p.start, 0);
	assert_int_equal(check("upsmon\n", "rubbish", "upsmon", &p), PROC_MATCH);
	assert_int_equal(check("upsmon\n", "1 (upsmon) S 1 2", "upsmon", &p), PROC_MATCH);
	assert_int_equal(p.start, 0);
}

static void test_a_zombie_is_gone(void **state)
{
	struct proc p;

	(void)state;
	assert_int_equal(check("upsmon\n", "1 (upsmon) Z" TAIL, "upsmon", &p), PROC_GONE);
	assert_int_equal(check("upsmon\n", "1 (upsmon) X" TAIL, "upsmon", &p), PROC_GONE);
}

static void test_what_proc_does_not_show(void **state)
{
	struct proc p;

	(void)state;
	/* the kernel knows nobody of this number */
	assert_int_equal(check(NULL, NULL, "upsmon", &p), PROC_GONE);
	assert_int_equal(check("", NULL, "upsmon", &p), PROC_GONE);
	/* no /proc at all, and a process that is there */
	assert_int_equal(procname_check("/nonexistent", getpid(), "upsmon", &p), PROC_UNKNOWN);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(procname_check("/nonexistent", PID, "upsmon", &p), PROC_GONE);
}

static void test_the_real_proc(void **state)
{
	struct proc p;

	(void)state;
	assert_int_equal(procname_check(PROC_ROOT, getpid(), "test_shell", &p), PROC_MATCH);
	assert_int_equal(p.parent, getppid());
	assert_int_not_equal(p.start, 0);
}

#define NOW 1000000

static struct message ups_message(void)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.kind = MESSAGE_UPS;
	ups_init(&m.state, NOW);
	m.state.bits = ST_ANSWERED | ST_OB;
	return m;
}

static void test_sound_messages(void **state)
{
	struct message m = ups_message();

	(void)state;
	assert_true(message_is_sound(&m, 1, NOW));
	m.kind = MESSAGE_PHASE;
	m.phase_until = NEVER;
	assert_true(message_is_sound(&m, 1, NOW));
	for (uint32_t kind = 0; kind < 20; kind++) {
		m.kind = kind;
		/* what is the guard's to say, no monitor may say */
		assert_int_equal(message_is_sound(&m, 1, NOW), kind >= MESSAGE_READY &&
								       kind <= MESSAGE_RELOADED);
	}
	m.kind = UINT32_MAX;
	assert_false(message_is_sound(&m, 1, NOW));
}

#define UNSOUND(change)                                         \
	do {                                                    \
		struct message m = ups_message();               \
                                                                \
		change;                                         \
		assert_false(message_is_sound(&m, 1, NOW));     \
	} while (0)

static void test_unsound_messages(void **state)
{
	(void)state;
	UNSOUND(m.ups = 1);
	UNSOUND(m.ups = UINT32_MAX);
	UNSOUND(m.state.bits = 1U << 30);
	UNSOUND(m.state.comm = 3);
	UNSOUND(m.state.line = 3);
	UNSOUND(m.state.low_notified = 2);
	UNSOUND(m.state.fsd_notified = 255);
	UNSOUND(m.state.critical = CRITICAL_REASONS);
	UNSOUND(m.state.charge = -2);
	UNSOUND(m.state.battery_since = NOW + 1);
	UNSOUND(memset(m.state.alarm, 'x', sizeof(m.state.alarm)));
	UNSOUND(m.state.answered = NOW + 1);
	UNSOUND(m.state.answered = INT64_MIN);
	UNSOUND(m.state.low_since = NEVER - 1);
	UNSOUND(m.state.nocomm_at = INT64_MIN);
	UNSOUND(m.kind = MESSAGE_PHASE; m.phase = 4);
	UNSOUND(m.kind = MESSAGE_PHASE; m.phase_until = NEVER - 1);
}

static void test_channel(void **state)
{
	struct message m = ups_message(), got;
	int ends[2];

	(void)state;
	assert_true(message_pair(ends));
	assert_int_equal(message_receive(ends[0], &got), MESSAGE_NONE);
	assert_true(message_send(ends[1], &m));
	assert_int_equal(message_receive(ends[0], &got), MESSAGE_GOT);
	assert_memory_equal(&got, &m, sizeof(m));
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(message_receive(ends[0], &got), MESSAGE_BAD);
	/* a full channel is an answer, not a wait */
	while (message_send(ends[1], &m))
		;
	assert_int_equal(errno, EAGAIN);
	while (message_receive(ends[0], &got) == MESSAGE_GOT)
		;
	close(ends[1]);
	assert_int_equal(message_receive(ends[0], &got), MESSAGE_CLOSED);
	close(ends[0]);
}

/* The number of a command's process: it says so through a FIFO, which waits for it. */
static pid_t read_pid(const char *fifo)
{
	FILE *f = fopen(fifo, "r");
	int pid = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	/* to its end, or the next reader would find this writer */
	while (fgetc(f) != EOF)
		;
	fclose(f);
	return pid;
}

/* What hangs is started once more, and both of them are ours to end. */
static void test_shutdown_command_that_hangs(void **state)
{
	static struct lab lab;
	char fifo[96], conf[256];
	int64_t now = clock_ms();
	pid_t first, second;

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s/fifo", root);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	snprintf(conf, sizeof(conf),
		 "MONITOR a 1 u p primary\nSHUTDOWNCMD \"echo $$ >%s; exec sleep 600\"\n", fifo);
	lab_conf(&lab, conf);
	log_to_stderr(false);
	/* or a failure here would leave a command that holds our output open */
	child_silence();
	assert_int_equal(shutdown_deadline(), NEVER);
	shutdown_begin(&lab.conf, now);
	shutdown_begin(&lab.conf, now);
	first = read_pid(fifo);
	assert_int_equal(shutdown_deadline(), now + 300000);
	shutdown_advance(now + 299999);
	assert_int_equal(shutdown_deadline(), now + 300000);
	shutdown_advance(now + 300000);
	second = read_pid(fifo);
	assert_int_not_equal(first, second);
	assert_int_equal(shutdown_deadline(), now + 600000);
	assert_true(child_kill(first, SIGKILL));
	assert_true(child_kill(second, SIGKILL));
	unlink(fifo);
}

static int busy_rounds;

static unsigned int busy_prepare(void *arg, struct pollfd *fds, int64_t *deadline)
{
	(void)deadline;
	fds[0].fd = *(int *)arg;
	fds[0].events = POLLIN;
	return 1;
}

static bool busy_handle(void *arg, const struct pollfd *fds, unsigned int signals, int64_t now)
{
	(void)arg;
	(void)now;
	assert_true(fds[0].revents & POLLIN);
	if (busy_rounds++ == 0)
		kill(getpid(), SIGTERM);
	return !(signals & SIGNALS_STOP) && busy_rounds < 100;
}

/* A peer that never stops talking must not keep a signal away. */
static void test_signals_reach_a_busy_loop(void **state)
{
	int ends[2];
	struct loop_half half = { &ends[0], busy_prepare, busy_handle };
	sigset_t wait;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	signals_catch(&wait);
	loop_run(&half, 1, &wait);
	signals_restore();
	assert_in_range(busy_rounds, 2, 3);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_stat_is_read_to_the_last_parenthesis),
		cmocka_unit_test(test_a_zombie_is_gone),
		cmocka_unit_test(test_what_proc_does_not_show),
		cmocka_unit_test(test_the_real_proc),
		cmocka_unit_test(test_sound_messages),
		cmocka_unit_test(test_unsound_messages),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_signals_reach_a_busy_loop),
		cmocka_unit_test(test_shutdown_command_that_hangs),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
