/* SPDX-License-Identifier: ISC */
/* handover.c: what travels over the exec of a hot upgrade, also between different builds. */
#include <fcntl.h>
#include <unistd.h>

#include "upgrade/handover.h"
#include "lab.h"

/* Where the sizes stand in the file, which no version may change. */
enum { AT_MAGIC = 0, AT_UPS_SIZE = 16, AT_UPS_MARK = 20, AT_COUNT = 44 };

#define CONF "MONITOR a@x 1 u p primary\nMONITOR b@x 1 u p primary\nMONITOR c@x 1 u p primary\n"

static struct lab lab;
static struct rundir nowhere = { .fd = -1, .path = "" };
static struct snapshot snapshot;
static struct handover sent, got;

/* What a guard of three UPSes hands over. */
static int hand_over(void)
{
	int fd = handover_create(&nowhere);

	assert_true(fd > 2);
	lab_conf(&lab, CONF "SHUTDOWNCMD x\n");
	snapshot_init(&snapshot);
	for (int i = 0; i < 3; i++) {
		snapshot.known[i] = true;
		ups_init(&snapshot.ups[i], 1000 * i);
		snapshot.ups[i].charge = 90 + i;
		snapshot.ups[i].replace_at = 77 + i;
	}
	snapshot.sched.timers[0] = (struct sched_timer){ 5000, 1, NOTIFY_ONBATT, "off" };
	snapshot.sched.timers[1] = (struct sched_timer){ 6000, UPS_NONE, NOTIFY_SHUTDOWN, "down" };
	memset(&sent, 0, sizeof(sent));
	sent.pid = 123;
	sent.lock = 7;
	sent.monitor = 124;
	sent.in = 8;
	sent.out = 9;
	sent.begun = 1LL << 40;
	sent.ordered = 1;
	strcpy(sent.conf_file, "/etc/nut/upsmon.conf");
	strcpy(sent.pid_dir, "/run/nut");
	handover_pack(&sent, &lab.conf, &snapshot);
	assert_true(handover_write(fd, &sent));
	return fd;
}

static void test_all_of_it_arrives(void **state)
{
	struct snapshot next;
	char why[200];
	int fd = hand_over();

	(void)state;
	/* written once more, as the guard does: the last one counts */
	assert_true(handover_write(fd, &sent));
	assert_true(handover_read(fd, &got, why, sizeof(why)));
	assert_int_equal(got.pid, 123);
	assert_int_equal(got.lock, 7);
	assert_int_equal(got.monitor, 124);
	assert_int_equal(got.in, 8);
	assert_int_equal(got.out, 9);
	assert_true(got.begun == 1LL << 40);
	assert_int_equal(got.ordered, 1);
	assert_string_equal(got.conf_file, "/etc/nut/upsmon.conf");
	assert_string_equal(got.pid_dir, "/run/nut");
	handover_unpack(&got, &lab.conf, &next);
	for (int i = 0; i < 3; i++) {
		assert_true(next.known[i]);
		assert_memory_equal(&next.ups[i], &snapshot.ups[i], sizeof(next.ups[i]));
	}
	assert_memory_equal(&next.sched, &snapshot.sched, sizeof(next.sched));
	close(fd);
}

/* The new program reads the configuration of now: what is known of a UPS goes by its name. */
static void test_another_configuration(void **state)
{
	struct snapshot next;
	char why[200];
	int fd = hand_over();

	(void)state;
	assert_true(handover_read(fd, &got, why, sizeof(why)));
	lab_conf(&lab, "MONITOR c@x 1 u p primary\nMONITOR new@x 1 u p primary\n"
		       "MONITOR b@x 1 u other primary\nSHUTDOWNCMD x\n");
	handover_unpack(&got, &lab.conf, &next);
	assert_true(next.known[0]);
	assert_int_equal(next.ups[0].charge, 92);
	assert_false(next.known[1]);
	/* another password is another login; the UPS is what it was */
	assert_true(next.known[2]);
	assert_int_equal(next.ups[2].charge, 91);
	/* and so does a timer */
	assert_string_equal(next.sched.timers[0].name, "off");
	assert_int_equal(next.sched.timers[0].ups, 2);
	assert_int_equal(next.sched.timers[1].ups, UPS_NONE);
	close(fd);
}

static void patch(int fd, off_t at, uint32_t value)
{
	assert_int_equal(pwrite(fd, &value, sizeof(value), at), sizeof(value));
}

/* The same with a struct of another size, as a build writes whose struct has grown. */
static void write_resized(int fd, size_t ups_size)
{
	static char head[2048], part[4096];
	off_t to;
	static const size_t fixed_size = 16;
	size_t head_size;

	assert_int_equal(pread(fd, head, 16, 0), 16);
	head_size = (size_t)((uint32_t *)(void *)head)[2];
	for (int i = 0; i < 3; i++) {
		struct handover_ups *u = &sent.ups[i];

		to = (off_t)(head_size + (size_t)i * (fixed_size + ups_size));

		memset(part, 0x5a, sizeof(part));
		memcpy(part, &u->system, sizeof(u->system));
		memcpy(part + sizeof(u->system), &u->known, sizeof(u->known));
		memcpy(part + fixed_size, &u->ups,
		       ups_size < sizeof(u->ups) ? ups_size : sizeof(u->ups));
		assert_int_equal(pwrite(fd, part, fixed_size + ups_size, to),
				 (ssize_t)(fixed_size + ups_size));
	}
	to = (off_t)(head_size + 3 * (fixed_size + ups_size));
	assert_int_equal(pwrite(fd, &sent.sched, sizeof(sent.sched), to), sizeof(sent.sched));
	patch(fd, AT_UPS_SIZE, (uint32_t)ups_size);
}

static void test_from_a_newer_build(void **state)
{
	char why[200];
	int fd = hand_over();

	(void)state;
	write_resized(fd, sizeof(struct ups) + 24);
	assert_true(handover_read(fd, &got, why, sizeof(why)));
	assert_memory_equal(&got.ups[2].ups, &snapshot.ups[2], sizeof(struct ups));
	assert_memory_equal(&got.sched, &sent.sched, sizeof(got.sched));
	close(fd);
	/* with a notify type of its own: that timer is not lost in silence */
	sent.sched.timers[0].type = NOTIFY_TYPES;
	fd = handover_create(&nowhere);
	assert_true(handover_write(fd, &sent));
	assert_false(handover_read(fd, &got, why, sizeof(why)));
	assert_non_null(strstr(why, "a timer is running"));
	close(fd);
}

static void test_from_an_older_build(void **state)
{
	struct ups fresh;
	char why[200];
	int fd = hand_over();

	(void)state;
	/* one that had no replace_at yet */
	write_resized(fd, offsetof(struct ups, replace_at));
	assert_true(handover_read(fd, &got, why, sizeof(why)));
	ups_init(&fresh, 0);
	assert_int_equal(got.ups[1].ups.charge, 91);
	assert_int_equal(got.ups[1].ups.replace_at, fresh.replace_at);
	close(fd);
}

/* Before there were timers, the head was shorter by two numbers, and nothing came behind the UPSes. */
static void test_from_a_build_without_timers(void **state)
{
	static char file[65536];
	int fd = hand_over();
	ssize_t len = pread(fd, file, sizeof(file), 0);
	uint32_t head_size = ((uint32_t *)(void *)file)[2];
	size_t rest = (size_t)len - head_size - sizeof(sent.sched);
	char why[200];

	(void)state;
	assert_int_equal(pwrite(fd, file + head_size, rest, head_size - 8), rest);
	assert_int_equal(ftruncate(fd, (off_t)(head_size - 8 + rest)), 0);
	patch(fd, 8, head_size - 8);
	assert_true(handover_read(fd, &got, why, sizeof(why)));
	assert_int_equal(got.ups[2].ups.charge, 92);
	assert_string_equal(got.sched.timers[0].name, "");
	close(fd);
}

static void test_what_cannot_be_read(void **state)
{
	static const struct {
		off_t at;
		uint32_t value;
		const char *why;
	} faults[] = {
		{ AT_MAGIC, 1, "not one that this version knows" },
		{ AT_UPS_MARK, 1, "another layout" },
		{ AT_COUNT, UPS_MAX + 1, "more UPSes" },
		{ AT_COUNT, 4, "ends too early" },
		{ AT_UPS_SIZE, UINT32_MAX, "ends too early" },
	};
	char why[200];
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		fd = hand_over();
		patch(fd, faults[i].at, faults[i].value);
		assert_false(handover_read(fd, &got, why, sizeof(why)));
		assert_non_null(strstr(why, faults[i].why));
		close(fd);
	}
	fd = hand_over();
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_false(handover_read(fd, &got, why, sizeof(why)));
	close(fd);
	assert_false(handover_read(-1, &got, why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it_arrives),
		cmocka_unit_test(test_another_configuration),
		cmocka_unit_test(test_from_a_newer_build),
		cmocka_unit_test(test_from_an_older_build),
		cmocka_unit_test(test_from_a_build_without_timers),
		cmocka_unit_test(test_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
