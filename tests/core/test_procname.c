/* SPDX-License-Identifier: ISC */
/*
 * procname.c and its readers: on what kernels show of a process (proc/), on
 * what none of them should, and on this machine's own /proc.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "identity/procname.h"
#include "lab.h"

/* A pid that no process has, so that only the tree decides; make.py has it, too. */
#define PID 4999999

static char root[64];

/* Runs before a file is opened; an errno instead of 0 fails the opening. */
static int (*before_open)(const char *path);

/* Stands before libc's.  Nothing here makes a file, so there is no mode. */
int openat(int dir, const char *path, int flags, ...)
{
	int error = before_open ? before_open(path) : 0;

	if (error) {
		errno = error;
		return -1;
	}
	return (int)syscall(SYS_openat, dir, path, flags, 0);
}

/* -- a root of our own -------------------------------------------------------- */

static const char *in_root(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	return path;
}

static const char *in_folder(pid_t pid, const char *file)
{
	char name[64];

	snprintf(name, sizeof(name), "%d/%s", (int)pid, file);
	return in_root(name);
}

static void put_link(const char *name, pid_t pid)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)pid);
	unlink(in_root(name));
	assert_int_equal(symlink(number, in_root(name)), 0);
}

static void put_file(pid_t pid, const char *file, const char *text, size_t len)
{
	FILE *f;

	mkdir(in_folder(pid, ""), 0755);
	f = fopen(in_folder(pid, file), "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, len, f), len);
	fclose(f);
}

static void put_text(pid_t pid, const char *file, const char *text)
{
	put_file(pid, file, text, strlen(text));
}

/* Where a file is left out, the kernel has no such file. */
static void clear(pid_t pid)
{
	static const char *const files[] = { "comm", "stat", "status", "psinfo" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		unlink(in_folder(pid, files[i]));
	rmdir(in_folder(pid, ""));
}

static int make_root(void **state)
{
	(void)state;
	before_open = NULL;
	snprintf(root, sizeof(root), "/tmp/nutlet-proc-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	put_link("self", getpid());
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	before_open = NULL;
	clear(PID);
	clear(7);
	clear(getpid());
	clear(getppid());
	unlink(in_root("self"));
	rmdir(in_root("self"));
	unlink(in_root("curproc"));
	unlink(in_root("away/comm"));
	unlink(in_root("away/stat"));
	rmdir(in_root("away"));
	return rmdir(root);
}

static enum proc_answer check(const char *comm, const char *stat, const char *want, struct proc *p)
{
	clear(PID);
	if (comm)
		put_text(PID, "comm", comm);
	if (stat)
		put_text(PID, "stat", stat);
	return procname_check(root, PID, want, p);
}

/* -- what kernels show -------------------------------------------------------- */

/* Copies these files of a recorded folder, and no others. */
static void stage(const char *recorded, const char *files, pid_t pid)
{
	char list[64], path[256], text[2048];
	FILE *f;

	clear(pid);
	snprintf(list, sizeof(list), "%s", files);
	for (char *name = strtok(list, " "); name; name = strtok(NULL, " ")) {
		size_t len;

		snprintf(path, sizeof(path), "%s/%s/%s", PROC_TREES, recorded, name);
		f = fopen(path, "r");
		if (!f)
			fail_msg("%s: %s", path, strerror(errno));
		len = fread(text, 1, sizeof(text), f);
		fclose(f);
		put_file(pid, name, text, len);
	}
}

static enum proc_answer look(const char *recorded, const char *files, const char *want,
			     struct proc *p)
{
	stage(recorded, files, PID);
	return procname_check(root, PID, want, p);
}

struct recorded {
	const char *folder;
	const char *name;	/* as it is shown */
	enum proc_answer answer;	/* to upsmon */
	uid_t uid;
	bool no_parent;
};

static const struct recorded linux_processes[] = {
	{ "linux/spaces", "ups mon ", PROC_MISMATCH, 2, false },
	{ "linux/parentheses", "upsmon) Z (x", PROC_MISMATCH, 0, false },
	{ "linux/newline", "ups?mon?", PROC_MISMATCH, 0, false },
	{ "linux/backslash", "ups\\nmon", PROC_MISMATCH, 0, false },
	{ "linux/empty", "", PROC_MISMATCH, 0, false },
	{ "linux/fifteen", "fifteen-letters", PROC_MISMATCH, 0, false },
	{ "linux/longer", "a-program-with-", PROC_MISMATCH, 0, false },
	{ "linux/kernel-thread", "kthreadd", PROC_MISMATCH, 0, true },
	{ "linux/zombie", "upsmon", PROC_GONE, 0, false },
	{ "linux/replaced", "upsmon", PROC_MATCH, 0, false },
	{ "linux/lt-upsmon", "lt-upsmon", PROC_MISMATCH, 0, false },
	{ "linux/symlink", "ups-watch", PROC_MISMATCH, 0, false },
	{ "linux/nutlet-lt-upsmon", "upsmon", PROC_MATCH, 0, false },
	{ "linux/nutlet-symlink", "upsmon", PROC_MATCH, 0, false },
};

/* Each file alone says the same, as far as it says it. */
static void test_linux(void **state)
{
	static const char *const sets[] = { "comm stat status", "stat status", "stat", "status",
					    "comm", "comm stat", "comm status" };

	(void)state;
	for (size_t i = 0; i < sizeof(linux_processes) / sizeof(*linux_processes); i++) {
		const struct recorded *r = &linux_processes[i];
		struct proc whole;

		look(r->folder, sets[0], "upsmon", &whole);
		for (size_t s = 0; s < sizeof(sets) / sizeof(*sets); s++) {
			bool with_stat = strstr(sets[s], "stat") &&
					 strcmp(sets[s], "status") != 0 &&
					 strcmp(sets[s], "comm status") != 0;
			bool with_status = strstr(sets[s], "status");
			struct proc p;

			/* what a failure is about */
			print_message("%s: %s\n", r->folder, sets[s]);
			if (with_stat || with_status || r->answer != PROC_GONE) {
				assert_int_equal(look(r->folder, sets[s], "upsmon", &p), r->answer);
				assert_int_equal(p.parent, with_stat || with_status ? whole.parent
										     : 0);
			} else {
				/* comm does not tell a zombie from the living */
				assert_int_equal(look(r->folder, sets[s], "upsmon", &p), PROC_MATCH);
			}
			assert_string_equal(p.name, r->name);
			assert_int_equal(p.parent > 0,
					 !r->no_parent && (with_stat || with_status));
			assert_int_equal(p.start, with_stat ? whole.start : 0);
			assert_int_equal(p.start > 0, with_stat);
			assert_int_equal(p.uid_known, with_status);
			assert_int_equal(p.uid, with_status ? r->uid : 0);
		}
	}
}

static const struct recorded bsd_processes[] = {
	{ "freebsd/upsmon", "upsmon", PROC_MATCH, 66, false },
	{ "freebsd/spaces", "ups mon", PROC_MISMATCH, 66, false },
	{ "freebsd/odd", "a)\\(??b", PROC_MISMATCH, 66, false },
	{ "freebsd/nineteen", "a-name-of-ninet", PROC_MISMATCH, 66, false },
	{ "freebsd/jail", "upsmon", PROC_MATCH, 66, false },
	{ "netbsd/upsmon", "upsmon", PROC_MATCH, 66, false },
	{ "netbsd/spaces", "ups mon", PROC_MISMATCH, 66, false },
	{ "netbsd/newline", "ups?mon", PROC_MISMATCH, 66, false },
	{ "netbsd/sixteen", "sixteen-letters", PROC_MISMATCH, 66, false },
};

static void test_bsd(void **state)
{
	struct proc p;

	(void)state;
	unlink(in_root("self"));
	put_link("curproc", getpid());
	for (size_t i = 0; i < sizeof(bsd_processes) / sizeof(*bsd_processes); i++) {
		const struct recorded *r = &bsd_processes[i];

		print_message("%s\n", r->folder);
		assert_int_equal(look(r->folder, "status", "upsmon", &p), r->answer);
		assert_string_equal(p.name, r->name);
		assert_int_equal(p.parent, 321);
		assert_int_equal(p.start, 1700000000123456);
		assert_true(p.uid_known);
		assert_int_equal(p.uid, r->uid);
	}
	/* a byte that is not ASCII: the name is another one, and the rest is right */
	assert_int_equal(look("freebsd/letters", "status", "upsmon", &p), PROC_MISMATCH);
	assert_int_equal(p.parent, 321);
	assert_int_equal(look("freebsd/swapped", "status", "upsmon", &p), PROC_MATCH);
	assert_int_equal(p.start, 0);
	assert_int_equal(p.uid, 66);
	/* where a field is not what it should be, there is no user rather than root */
	assert_int_equal(look("freebsd/channel", "status", "upsmon", &p), PROC_MATCH);
	assert_false(p.uid_known);
	/* a name that looks like what comes behind a name */
	stage("netbsd/forged", "status", 7);
	assert_int_equal(procname_check(root, 7, "a", &p), PROC_MISMATCH);
	assert_string_equal(p.name, "a 7 1 1 1 0,0");
	assert_int_equal(p.parent, 321);
}

static void test_netbsd_with_its_linux_files(void **state)
{
	struct proc p;

	(void)state;
	assert_int_equal(look("netbsd/linux", "stat status", "upsmon", &p), PROC_MATCH);
	assert_int_equal(p.uid, 66);
	assert_int_equal(look("netbsd/linux", "stat", "upsmon", &p), PROC_MATCH);
	assert_int_equal(p.start, 170000000012);
	assert_int_equal(look("netbsd/zombie", "stat status", "upsmon", &p), PROC_GONE);
	/* a limit: with the one line only, it is not seen */
	assert_int_equal(look("netbsd/zombie", "status", "upsmon", &p), PROC_MATCH);
}

static void test_solaris(void **state)
{
	static const char *const models[] = { "32", "64" };
	struct proc p;
	char folder[32];

	(void)state;
	unlink(in_root("self"));
	assert_int_equal(mkdir(in_root("self"), 0755), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(folder, sizeof(folder), "solaris/%s", models[i]);
		assert_int_equal(look(folder, "psinfo", "upsmon", &p), PROC_MATCH);
		assert_string_equal(p.name, "upsmon");
		assert_int_equal(p.parent, 321);
		assert_true(p.uid_known);
		assert_int_equal(p.uid, 66);
		assert_int_equal(p.start, 1700000000123456789);
		snprintf(folder, sizeof(folder), "solaris/%s-spaces", models[i]);
		assert_int_equal(look(folder, "psinfo", "upsmon", &p), PROC_MISMATCH);
		assert_string_equal(p.name, "ups mon");
		snprintf(folder, sizeof(folder), "solaris/%s-fifteen", models[i]);
		assert_int_equal(look(folder, "psinfo", "fifteen-letters-and-more", &p),
				 PROC_MATCH);
		assert_string_equal(p.name, "fifteen-letters");
		snprintf(folder, sizeof(folder), "solaris/%s-zombie", models[i]);
		assert_int_equal(look(folder, "psinfo", "upsmon", &p), PROC_GONE);
	}
	/* not understood is not read, and the kernel knows nobody of this number */
	assert_int_equal(look("solaris/short", "psinfo", "upsmon", &p), PROC_GONE);
	assert_string_equal(p.name, "");
	assert_int_equal(look("solaris/other-pid", "psinfo", "upsmon", &p), PROC_GONE);
	assert_string_equal(p.name, "");
}

/* -- names and states ---------------------------------------------------------- */

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
	assert_int_equal(check("upsmon\n\n", NULL, "upsmon", &p), PROC_MISMATCH);
	assert_string_equal(p.name, "upsmon?");
	assert_int_equal(check("\033[2J\x7f\n", NULL, "upsmon", &p), PROC_MISMATCH);
	assert_string_equal(p.name, "?[2J?");
	/* the kernel cuts at 15 characters, so the wanted name is cut, too */
	assert_int_equal(check("fifteen-letters\n", NULL, "fifteen-letters", &p), PROC_MATCH);
	assert_int_equal(check("fifteen-letters\n", NULL, "fifteen-letters-and-more", &p),
			 PROC_MATCH);
	assert_int_equal(check("fifteen-letter\n", NULL, "fifteen-letters", &p), PROC_MISMATCH);
	/* kernel workers show more */
	assert_int_equal(check("kworker/0:1-events_freezable\n", NULL, "upsmon", &p),
			 PROC_MISMATCH);
	assert_string_equal(p.name, "kworker/0:1-eve");
}

static void test_stat_is_read_to_the_last_parenthesis(void **state)
{
	struct proc p;

	(void)state;
	assert_int_equal(check("a) R (b\n", "1 (a) R (b) S" TAIL, "upsmon", &p), PROC_MISMATCH);
	assert_int_equal(p.start, 12345);
	assert_int_equal(check("x) Z) Z (y\n", "1 (x) Z) Z (y) S" TAIL, "upsmon", &p),
			 PROC_MISMATCH);
	assert_int_equal(check(NULL, "1 (x) Z) Z (y) S" TAIL, "upsmon", &p), PROC_MISMATCH);
	assert_string_equal(p.name, "x) Z) Z (y");
	/* without stat the name alone stands, and there is no start time */
	assert_int_equal(check("upsmon\n", NULL, "upsmon", &p), PROC_MATCH);
	assert_int_equal(p.start, 0);
	assert_int_equal(check("upsmon\n", "rubbish", "upsmon", &p), PROC_MATCH);
	assert_int_equal(check("upsmon\n", "1 (upsmon) S 1 2", "upsmon", &p), PROC_MATCH);
	assert_int_equal(p.start, 0);
	assert_int_equal(p.parent, 0);
	/* stat alone, and not understood: nothing was read */
	assert_int_equal(check(NULL, "1 (upsmon) Z 1 2", "upsmon", &p), PROC_GONE);
	assert_string_equal(p.name, "");
	assert_int_equal(check(NULL, ") upsmon (", "upsmon", &p), PROC_GONE);
	assert_int_equal(check(NULL, ") S" TAIL "(", "upsmon", &p), PROC_GONE);
	assert_string_equal(p.name, "");
}

static void test_a_zombie_is_gone(void **state)
{
	struct proc p;

	(void)state;
	assert_int_equal(check("upsmon\n", "1 (upsmon) Z" TAIL, "upsmon", &p), PROC_GONE);
	assert_int_equal(check("upsmon\n", "1 (upsmon) X" TAIL, "upsmon", &p), PROC_GONE);
	assert_int_equal(check("upsmon\n", "1 (upsmon) x" TAIL, "upsmon", &p), PROC_GONE);
	assert_int_equal(check("upsmon\n", "1 (upsmon) D" TAIL, "upsmon", &p), PROC_MATCH);
}

static void test_status_that_is_cut(void **state)
{
	static const char text[] = "Name:\tupsmon\nState:\tS (sleeping)\nPPid:\t17\nUid:\t0\t100";
	struct proc p;

	(void)state;
	clear(PID);
	put_text(PID, "status", text);
	assert_int_equal(procname_check(root, PID, "upsmon", &p), PROC_MATCH);
	assert_int_equal(p.parent, 17);
	/* 100 may be the beginning of 1000 */
	assert_false(p.uid_known);
}

/* Two kernels have a file of this name, and in both the process chooses what is in it. */
static void test_status_of_another_kernel(void **state)
{
	struct proc p;

	(void)state;
	clear(PID);
	put_text(PID, "status", "a\nState:\tZ 4999999 321 1 1 -1,-1 noflags 17,1 0,0 0,0 select 66 "
				"66,66\n");
	assert_int_equal(procname_check(root, PID, "upsmon", &p), PROC_MISMATCH);
	assert_string_equal(p.name, "a?State:?Z");
	put_text(7, "status", "Name:\tx 7 1 1 1 0,0 y\nState:\tS (sleeping)\nPPid:\t17\n");
	assert_int_equal(procname_check(root, 7, "upsmon", &p), PROC_MISMATCH);
	assert_string_equal(p.name, "x 7 1 1 1 0,0 y");
	assert_int_equal(p.parent, 17);
}

/* -- what cannot be read -------------------------------------------------------- */

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
	/* hidepid=2: a folder that is not there, of a process that is */
	assert_int_equal(procname_check(root, getppid(), "upsmon", &p), PROC_UNKNOWN);
	assert_int_equal(errno, ENOENT);
}

static int deny(const char *path)
{
	return strpbrk(path, "0123456789") ? 0 : EPERM;
}

static int deny_but_comm(const char *path)
{
	return strcmp(path, "comm") == 0 ? 0 : deny(path);
}

static void test_what_may_not_be_read(void **state)
{
	pid_t own = getpid();
	struct proc p;

	(void)state;
	put_text(own, "comm", "upsmon\n");
	before_open = deny;
	errno = 0;
	assert_int_equal(procname_check(root, own, "upsmon", &p), PROC_UNKNOWN);
	assert_int_equal(errno, EPERM);
	assert_string_equal(p.name, "");
	/* the rest may be kept from us, and the name still stands */
	before_open = deny_but_comm;
	assert_int_equal(procname_check(root, own, "upsmon", &p), PROC_MATCH);
	/* the kernel has the last word */
	before_open = deny;
	put_text(PID, "comm", "upsmon\n");
	assert_int_equal(procname_check(root, PID, "upsmon", &p), PROC_GONE);
	clear(own);
}

static void test_what_is_not_understood(void **state)
{
	static const char *const files[] = { "stat", "status", "psinfo" };
	pid_t own = getpid();
	struct proc p;

	(void)state;
	for (int i = 0; i < 3; i++) {
		put_text(own, files[i], "rubbish");
		errno = 0;
		assert_int_equal(procname_check(root, own, "rubbish", &p), PROC_UNKNOWN);
		assert_int_equal(errno, EBADMSG);
		assert_string_equal(p.name, "");
		clear(own);
	}
	put_text(own, "comm", "");
	assert_int_equal(procname_check(root, own, "", &p), PROC_UNKNOWN);
	assert_int_equal(errno, EBADMSG);
}

static void test_what_no_proc_has(void **state)
{
	struct proc p;

	(void)state;
	clear(PID);
	put_text(PID, "status", "upsmon\n");
	assert_int_equal(symlink("status", in_folder(PID, "comm")), 0);
	assert_int_equal(procname_check(root, PID, "upsmon", &p), PROC_GONE);
	clear(PID);
	assert_int_equal(mkdir(in_folder(PID, ""), 0755), 0);
	assert_int_equal(mkfifo(in_folder(PID, "comm"), 0600), 0);
	/* nothing is waited for */
	alarm(20);
	assert_int_equal(procname_check(root, PID, "upsmon", &p), PROC_GONE);
	alarm(0);
}

static void test_numbers_that_are_nobodys(void **state)
{
	struct proc p;

	(void)state;
	/* kill(0, 0) and kill(-1, 0) ask about groups, and there is one */
	assert_int_equal(procname_check(PROC_ROOT, 0, "upsmon", &p), PROC_GONE);
	assert_int_equal(procname_check(PROC_ROOT, -1, "upsmon", &p), PROC_GONE);
	assert_int_equal(procname_check(PROC_ROOT, -getpgrp(), "upsmon", &p), PROC_GONE);
}

/* -- whose /proc it is ------------------------------------------------------------ */

static void expect_foreign(int error)
{
	struct proc p;

	/* the process is there, and /proc shows somebody else under its number */
	assert_int_equal(procname_check(root, getppid(), "upsmon", &p), PROC_UNKNOWN);
	assert_int_equal(errno, error);
	assert_string_equal(p.name, "");
	assert_int_equal(p.start, 0);
	/* of our own numbers the kernel still knows who has none */
	assert_int_equal(procname_check(root, PID, "upsmon", &p), PROC_GONE);
	assert_string_equal(p.name, "");
}

static void test_a_foreign_proc(void **state)
{
	pid_t own = getpid(), other = getppid();
	struct proc p;

	(void)state;
	put_text(other, "comm", "upsmon\n");
	put_text(PID, "comm", "upsmon\n");
	assert_int_equal(procname_check(root, other, "upsmon", &p), PROC_MATCH);
	put_link("self", own + 1);
	expect_foreign(EXDEV);
	/* numbers that begin as ours, or that ours begins with */
	put_link("self", own * 10);
	expect_foreign(EXDEV);
	put_link("self", own / 10);
	expect_foreign(EXDEV);
	/* self goes before curproc */
	put_link("curproc", own);
	expect_foreign(EXDEV);
	unlink(in_root("self"));
	assert_int_equal(procname_check(root, other, "upsmon", &p), PROC_MATCH);
	put_link("curproc", own + 1);
	expect_foreign(EXDEV);
	/* some folder with numbers in it */
	unlink(in_root("curproc"));
	expect_foreign(ENOENT);
	clear(other);
}

/* -- what changes while it is read ------------------------------------------------- */

static pid_t child;

static pid_t start_child(void)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		/* a test that fails leaves none behind */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "upsmon");
		for (;;)
			pause();
	}
	/* it has its name a moment later */
	for (int i = 0; i < 30000; i++) {
		struct proc p;

		if (procname_check(PROC_ROOT, pid, "upsmon", &p) == PROC_MATCH)
			break;
		usleep(1000);
	}
	return pid;
}

/* The child ends after its name was read, and nothing is left of it. */
static int end_child(const char *path)
{
	if (child && strcmp(path, "stat") == 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		child = 0;
	}
	return 0;
}

/* The child ends, and its parent has not asked for it. */
static int end_child_unasked(const char *path)
{
	siginfo_t info;

	if (strcmp(path, "stat") == 0) {
		kill(child, SIGKILL);
		waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
	}
	return 0;
}

static void test_a_process_that_ends_between_two_reads(void **state)
{
	struct proc p;
	pid_t pid;

	(void)state;
	pid = child = start_child();
	assert_int_equal(procname_check(PROC_ROOT, pid, "upsmon", &p), PROC_MATCH);
	assert_int_not_equal(p.start, 0);
	before_open = end_child;
	assert_int_equal(procname_check(PROC_ROOT, pid, "upsmon", &p), PROC_GONE);
	assert_int_equal(child, 0);
	before_open = NULL;
	child = start_child();
	before_open = end_child_unasked;
	assert_int_equal(procname_check(PROC_ROOT, child, "upsmon", &p), PROC_GONE);
	waitpid(child, NULL, 0);
}

/* Another folder takes the place of the first, as another process a number. */
static int change_hands(const char *path)
{
	char away[128];

	if (strcmp(path, "stat") != 0 || access(in_root("away"), F_OK) == 0)
		return 0;
	snprintf(away, sizeof(away), "%s", in_root("away"));
	rename(in_folder(PID, ""), away);
	put_text(PID, "comm", "sleep\n");
	put_text(PID, "stat", "2 (sleep) S 99 1 1 0 -1 0 1 0 0 0 0 0 0 0 20 0 1 0 777 1 1\n");
	return 0;
}

static void test_a_number_that_changes_hands_between_two_reads(void **state)
{
	struct proc p;

	(void)state;
	check("upsmon\n", "1 (upsmon) S" TAIL, "upsmon", &p);
	before_open = change_hands;
	/* all of the first one, nothing of the second */
	assert_int_equal(procname_check(root, PID, "upsmon", &p), PROC_MATCH);
	assert_int_equal(access(in_root("away"), F_OK), 0);
	assert_int_equal(p.start, 12345);
	assert_int_equal(p.parent, 1);
	before_open = NULL;
	assert_int_equal(procname_check(root, PID, "upsmon", &p), PROC_MISMATCH);
	assert_int_equal(p.start, 777);
}

/* -- this machine ------------------------------------------------------------------- */

static void test_the_real_proc(void **state)
{
	struct proc p;
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(procname_check(PROC_ROOT, getpid(), "test_procname", &p), PROC_MATCH);
	assert_int_equal(p.parent, getppid());
	assert_int_not_equal(p.start, 0);
	assert_true(p.uid_known);
	assert_int_equal(p.uid, geteuid());
	/* /proc/<pid> of this one is root's; the process is not */
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(2);
		prctl(PR_SET_DUMPABLE, 0);
		procname_check(PROC_ROOT, getpid(), "upsmon", &p);
		_exit(p.uid_known && p.uid == geteuid() ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* What a child in a world of its own found: its answer and errno, or 255 if there is none. */
static void expect_there(int (*there)(void), enum proc_answer answer, int error)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(there());
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 255)
		skip();
	assert_int_equal(WEXITSTATUS(status), (int)answer << 6 | error);
}

static int ask_about(const char *proc, pid_t pid)
{
	struct proc p;
	enum proc_answer answer;

	errno = 0;
	answer = procname_check(proc, pid, "upsmon", &p);
	return (int)answer << 6 | (answer == PROC_UNKNOWN ? errno : 0);
}

static int with_hidepid(const char *option, pid_t pid)
{
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("proc", root, "proc", 0, option) != 0)
		return 255;
	/* group 0 may see all */
	if (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)
		return 255;
	return ask_about(root, pid);
}

static int hidepid_1(void)
{
	return with_hidepid("hidepid=1", 1);
}

static int hidepid_2(void)
{
	return with_hidepid("hidepid=2", 1);
}

static int hidepid_2_nobody(void)
{
	return with_hidepid("hidepid=2", PID);
}

static void test_the_real_hidepid(void **state)
{
	(void)state;
	expect_there(hidepid_1, PROC_UNKNOWN, EPERM);
	expect_there(hidepid_2, PROC_UNKNOWN, ENOENT);
	expect_there(hidepid_2_nobody, PROC_GONE, 0);
}

/* Process 1 of a new pid namespace, which looks at the /proc of the old one. */
static int other_namespace(void)
{
	pid_t pid;
	int status;

	if (unshare(geteuid() == 0 ? CLONE_NEWPID : CLONE_NEWUSER | CLONE_NEWPID) != 0)
		return 255;
	pid = fork();
	if (pid < 0)
		return 255;
	if (pid == 0)
		_exit(ask_about(PROC_ROOT, getpid()));
	waitpid(pid, &status, 0);
	return WEXITSTATUS(status);
}

static void test_the_real_foreign_proc(void **state)
{
	(void)state;
	expect_there(other_namespace, PROC_UNKNOWN, EXDEV);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_linux),
		TEST(test_bsd),
		TEST(test_netbsd_with_its_linux_files),
		TEST(test_solaris),
		TEST(test_names),
		TEST(test_stat_is_read_to_the_last_parenthesis),
		TEST(test_a_zombie_is_gone),
		TEST(test_status_that_is_cut),
		TEST(test_status_of_another_kernel),
		TEST(test_what_proc_does_not_show),
		TEST(test_what_may_not_be_read),
		TEST(test_what_is_not_understood),
		TEST(test_what_no_proc_has),
		TEST(test_numbers_that_are_nobodys),
		TEST(test_a_foreign_proc),
		TEST(test_a_process_that_ends_between_two_reads),
		TEST(test_a_number_that_changes_hands_between_two_reads),
		TEST(test_the_real_proc),
		TEST(test_the_real_hidepid),
		TEST(test_the_real_foreign_proc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
