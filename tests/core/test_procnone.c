/* SPDX-License-Identifier: ISC */
/* procname.c with every reader left out: what can be said without any /proc. */
#undef PROC_COMM
#undef PROC_STAT
#undef PROC_STATUS
#undef PROC_BSD
#undef PROC_PSINFO
#define PROC_COMM 0
#define PROC_STAT 0
#define PROC_STATUS 0
#define PROC_BSD 0
#define PROC_PSINFO 0
/* beside the one that the tests are linked with */
#define procname_check none_check
#define procname_error none_error
#define proc_read_file none_read_file
#define proc_keep_name none_keep_name
#include "identity/procname.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_a_process_that_is_there(void **state)
{
	struct proc p;

	(void)state;
	errno = 0;
	assert_int_equal(procname_check(PROC_ROOT, getpid(), "test_procnone", &p), PROC_UNKNOWN);
	assert_int_equal(errno, ENOSYS);
	assert_string_equal(p.name, "");
	assert_false(p.uid_known);
	/* there, and perhaps not ours to signal */
	assert_int_equal(procname_check(PROC_ROOT, 1, "upsmon", &p), PROC_UNKNOWN);
}

static void test_nobody(void **state)
{
	struct proc p;

	(void)state;
	assert_int_equal(procname_check(PROC_ROOT, 999999999, "upsmon", &p), PROC_GONE);
	assert_int_equal(procname_check(PROC_ROOT, 0, "upsmon", &p), PROC_GONE);
	assert_int_equal(procname_check(PROC_ROOT, -1, "upsmon", &p), PROC_GONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_process_that_is_there),
		cmocka_unit_test(test_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
