/* SPDX-License-Identifier: ISC */
/* handover.c: what travels over the exec of a hot upgrade, also between different builds. */
#include <fcntl.h>
#include <unistd.h>

#include "upgrade/handover.h"
#include "lab.h"

/* Where the sizes stand in the file, which no version may change. */
enum { AT_MAGIC = 0, AT_UPS_SIZE = 16, AT_SESSION_SIZE = 20, AT_UPS_MARK = 24, AT_COUNT = 40 };

#define CONF "MONITOR a@x 1 u p primary\nMONITOR b@x 1 u p primary\nMONITOR c@x 1 u p primary\n"

static struct lab lab;
static struct rundir nowhere = { .fd = -1, .path = "" };
static struct snapshot snapshot;
static struct handover sent, got;

/* What a guard of three UPSes hands over: two connections, and one UPS that is lost. */
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
		session_init(&snapshot.link[i].session, 5000, 5000);
		snapshot.link[i].session.polled = 4000 + i;
		snapshot.link[i].session.login_report = (uint8_t)(i + 1);
		snapshot.link[i].known = true;
		snapshot.link[i].fd = i < 2 ? open("/dev/null", O_RDWR) : -1;
	}
	memset(&sent, 0, sizeof(sent));
	sent.pid = 123;
	sent.lock = 7;
	sent.begun = 1LL << 40;
	sent.ordered = 1;
	strcpy(sent.conf_file, "/etc/nut/upsmon.conf");
	strcpy(sent.pid_dir, "/run/nut");
	handover_pack(&sent, &lab.conf, &snapshot);
	assert_true(handover_write(fd, &sent));
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void drop(int fd)
{
	for (int i = 0; i < 3; i++) {
		if (is_open(snapshot.link[i].fd))
			close(snapshot.link[i].fd);
	}
	close(fd);
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
	assert_true(got.begun == 1LL << 40);
	assert_int_equal(got.ordered, 1);
	assert_string_equal(got.conf_file, "/etc/nut/upsmon.conf");
	assert_string_equal(got.pid_dir, "/run/nut");
	handover_unpack(&got, &lab.conf, &next);
	for (int i = 0; i < 3; i++) {
		assert_true(next.known[i]);
		assert_memory_equal(&next.ups[i], &snapshot.ups[i], sizeof(next.ups[i]));
		assert_true(next.link[i].known);
		assert_int_equal(next.link[i].fd, snapshot.link[i].fd);
		assert_memory_equal(&next.link[i].session, &snapshot.link[i].session,
				    sizeof(next.link[i].session));
	}
	/* from here on no command gets them */
	assert_int_equal(fcntl(next.link[0].fd, F_GETFD), FD_CLOEXEC);
	drop(fd);
}

/* The new program reads the configuration of now: what goes by the name, what by the login. */
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
	assert_true(next.link[0].known);
	assert_false(next.known[1] || next.link[1].known);
	/* another password is another login; the UPS is what it was */
	assert_true(next.known[2]);
	assert_int_equal(next.ups[2].charge, 91);
	assert_false(next.link[2].known);
	assert_int_equal(next.link[2].fd, -1);
	/* the server sees these leave */
	assert_false(is_open(snapshot.link[0].fd));
	assert_false(is_open(snapshot.link[1].fd));
	drop(fd);
}

static void test_roles_are_logins(void **state)
{
	struct snapshot next;
	char why[200];
	int fd = hand_over();

	(void)state;
	assert_true(handover_read(fd, &got, why, sizeof(why)));
	lab_conf(&lab, "MONITOR a@x 1 u p secondary\nMONITOR b@x 1 up \"\" primary\nSHUTDOWNCMD x\n");
	handover_unpack(&got, &lab.conf, &next);
	assert_false(next.link[0].known || next.link[1].known);
	drop(fd);
}

static void patch(int fd, off_t at, uint32_t value)
{
	assert_int_equal(pwrite(fd, &value, sizeof(value), at), sizeof(value));
}

/* The same with structs of other sizes, as a build writes whose structs have grown. */
static void write_resized(int fd, size_t ups_size, size_t session_size)
{
	static char head[2048], part[4096];
	static const size_t fixed_size = 32;
	size_t head_size;
	off_t from;

	assert_int_equal(pread(fd, head, 16, 0), 16);
	head_size = (size_t)((uint32_t *)(void *)head)[2];
	assert_int_equal(pread(fd, head, head_size, 0), (ssize_t)head_size);
	from = (off_t)head_size;
	for (int i = 0; i < 3; i++) {
		struct handover_ups *u = &sent.ups[i];

		assert_int_equal(pread(fd, part, fixed_size, from), (ssize_t)fixed_size);
		from += (off_t)(fixed_size + sizeof(u->ups) + sizeof(u->session));
		/* collected behind the old ones, and moved to the front below */
		assert_int_equal(pwrite(fd, part, fixed_size,
					10000 + i * (off_t)(fixed_size + ups_size + session_size)),
				 (ssize_t)fixed_size);
		memset(part, 0x5a, sizeof(part));
		memcpy(part, &u->ups, ups_size < sizeof(u->ups) ? ups_size : sizeof(u->ups));
		assert_int_equal(pwrite(fd, part, ups_size,
					10000 + (off_t)fixed_size +
						i * (off_t)(fixed_size + ups_size + session_size)),
				 (ssize_t)ups_size);
		memset(part, 0x5a, sizeof(part));
		memcpy(part, &u->session,
		       session_size < sizeof(u->session) ? session_size : sizeof(u->session));
		assert_int_equal(pwrite(fd, part, session_size,
					10000 + (off_t)(fixed_size + ups_size) +
						i * (off_t)(fixed_size + ups_size + session_size)),
				 (ssize_t)session_size);
	}
	for (size_t k = 0; k < 3 * (fixed_size + ups_size + session_size); k++) {
		assert_int_equal(pread(fd, part, 1, 10000 + (off_t)k), 1);
		assert_int_equal(pwrite(fd, part, 1, (off_t)(head_size + k)), 1);
	}
	patch(fd, AT_UPS_SIZE, (uint32_t)ups_size);
	patch(fd, AT_SESSION_SIZE, (uint32_t)session_size);
}

static void test_from_a_newer_build(void **state)
{
	char why[200];
	int fd = hand_over();

	(void)state;
	write_resized(fd, sizeof(struct ups) + 24, sizeof(struct session) + 8);
	assert_true(handover_read(fd, &got, why, sizeof(why)));
	assert_memory_equal(&got.ups[2].ups, &snapshot.ups[2], sizeof(struct ups));
	assert_memory_equal(&got.ups[2].session, &snapshot.link[2].session, sizeof(struct session));
	drop(fd);
}

static void test_from_an_older_build(void **state)
{
	struct ups fresh;
	char why[200];
	int fd = hand_over();

	(void)state;
	/* one that had no replace_at yet */
	write_resized(fd, offsetof(struct ups, replace_at), sizeof(struct session));
	assert_true(handover_read(fd, &got, why, sizeof(why)));
	ups_init(&fresh, 0);
	assert_int_equal(got.ups[1].ups.charge, 91);
	assert_int_equal(got.ups[1].ups.replace_at, fresh.replace_at);
	assert_int_equal(got.ups[2].session.polled, 4002);
	drop(fd);
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
		drop(fd);
	}
	fd = hand_over();
	assert_int_equal(ftruncate(fd, 10), 0);
	assert_false(handover_read(fd, &got, why, sizeof(why)));
	drop(fd);
	assert_false(handover_read(-1, &got, why, sizeof(why)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it_arrives),
		cmocka_unit_test(test_another_configuration),
		cmocka_unit_test(test_roles_are_logins),
		cmocka_unit_test(test_from_a_newer_build),
		cmocka_unit_test(test_from_an_older_build),
		cmocka_unit_test(test_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
