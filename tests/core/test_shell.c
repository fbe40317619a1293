/* SPDX-License-Identifier: ISC */
/*
 * What of the shell can be tested without a daemon around it: what the guard
 * lets through of the monitor's messages, and the loop.  procname.c has tests
 * of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/channel.h"
#include "base/child.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/signals.h"
#include "core/message.h"
#include "core/status.h"
#include "guard/shutdown.h"
#include "lab.h"

static char root[64];

static int make_root(void **state)
{
	(void)state;
	snprintf(root, sizeof(root), "/tmp/nutlet-shell-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	return rmdir(root);
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
		assert_int_equal(message_is_sound(&m, 1, NOW),
				 kind >= MESSAGE_READY && kind <= MESSAGE_RESTING);
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
	UNSOUND(m.state.answered = NOW + 1);
	UNSOUND(m.state.answered = INT64_MIN);
	UNSOUND(m.state.low_since = NEVER - 1);
	UNSOUND(m.state.nocomm_at = INT64_MIN);
	UNSOUND(m.kind = MESSAGE_PHASE; m.phase = 4);
	UNSOUND(m.kind = MESSAGE_PHASE; m.phase_until = NEVER - 1);
	UNSOUND(m.silent_until = NEVER - 1);
	UNSOUND(m.state.over_since = NOW + 1);
	UNSOUND(m.state.fsd_at = NEVER - 1);
}

static void test_channel(void **state)
{
	struct message m = ups_message(), got;
	struct channel ours, theirs;

	(void)state;
	assert_true(channel_pair(&ours, &theirs));
	assert_int_equal(channel_receive(&ours, &got, sizeof(got)), CHANNEL_NONE);
	assert_true(channel_send(&theirs, &m, sizeof(m)));
	assert_int_equal(channel_receive(&ours, &got, sizeof(got)), CHANNEL_GOT);
	assert_memory_equal(&got, &m, sizeof(m));
	assert_int_equal(fcntl(ours.in, F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(theirs.out, "x", 1), 1);
	assert_int_equal(channel_receive(&ours, &got, sizeof(got)), CHANNEL_BAD);
	/* a full channel is an answer, not a wait; and what is in it is whole */
	while (channel_send(&theirs, &m, sizeof(m)))
		;
	assert_int_equal(errno, EAGAIN);
	while (channel_receive(&ours, &got, sizeof(got)) == CHANNEL_GOT)
		assert_memory_equal(&got, &m, sizeof(m));
	/* both ways, and each to its end */
	assert_true(channel_send(&ours, &m, sizeof(m)));
	channel_close(&ours);
	assert_int_equal(channel_receive(&theirs, &got, sizeof(got)), CHANNEL_GOT);
	assert_int_equal(channel_receive(&theirs, &got, sizeof(got)), CHANNEL_CLOSED);
	channel_close(&theirs);
}

/*
 * Nothing but bytes comes through: a descriptor of a hostile monitor's that the
 * guard had to close could keep it for as long as he likes (SO_LINGER, FUSE).
 */
static void test_no_descriptor_comes_through(void **state)
{
	struct channel ours, theirs;
	int passed = STDIN_FILENO;
	char byte = 'x';
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = { &byte, 1 };
	struct msghdr header = { .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&header);

	(void)state;
	assert_true(channel_pair(&ours, &theirs));
	memset(&control, 0, sizeof(control));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &passed, sizeof(int));
	assert_int_equal(sendmsg(theirs.out, &header, 0), -1);
	assert_int_equal(errno, ENOTSOCK);
	channel_close(&ours);
	channel_close(&theirs);
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
	struct loop_client client = { &ends[0], busy_prepare, busy_handle };
	sigset_t wait;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	signals_catch(&wait);
	loop_run(&client, 1, &wait);
	signals_restore();
	assert_in_range(busy_rounds, 2, 9);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound_messages),
		cmocka_unit_test(test_unsound_messages),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_no_descriptor_comes_through),
		cmocka_unit_test(test_signals_reach_a_busy_loop),
		cmocka_unit_test(test_shutdown_command_that_hangs),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
