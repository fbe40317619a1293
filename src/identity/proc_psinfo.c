/* SPDX-License-Identifier: ISC */
/*
 * proc_psinfo.c - /proc/<pid>/psinfo of Solaris (from 2.6 on) and illumos: a
 * psinfo_t, in the data model and the byte order of who reads it.
 */
#include <errno.h>
#include <string.h>

#include "identity/proc_reader.h"

/* Where proc(4) has the fields; the first ten are ints in both models. */
#define PR_NLWP 4
#define PR_PID 8
#define PR_PPID 12
#define PR_EUID 28

struct model {
	ssize_t size;
	size_t word;	/* of time_t and long */
	size_t pr_start;
	size_t pr_fname;
};

static const struct model models[] = {
	{ 336, 4, 64, 88 },	/* ILP32 */
	{ 416, 8, 88, 136 },	/* LP64 */
};

static int32_t get_int(const char *at)
{
	int32_t number;

	memcpy(&number, at, sizeof(number));
	return number;
}

static uint64_t get_word(const char *at, size_t size)
{
	int64_t number;

	if (size == sizeof(int32_t))
		return (uint64_t)get_int(at);
	memcpy(&number, at, sizeof(number));
	return (uint64_t)number;
}

bool proc_psinfo_read(int dir, struct proc_found *f)
{
	char psinfo[512];
	const struct model *m;
	const char *start;
	ssize_t len = proc_read_file(dir, "psinfo", psinfo, sizeof(psinfo));

	if (len < 0)
		return false;
	/* the kernel tells which model it took by how much it gives */
	m = &models[len == models[1].size];
	if (len != m->size || get_int(psinfo + PR_PID) != f->pid) {
		errno = EBADMSG;
		return false;
	}
	proc_keep_name(f, psinfo + m->pr_fname, strnlen(psinfo + m->pr_fname, PROC_NAME_MAX));
	/* a process without a thread is a zombie */
	f->state = get_int(psinfo + PR_NLWP) == 0 ? 'Z' : 'S';
	f->proc->parent = get_int(psinfo + PR_PPID);
	f->proc->uid = (uid_t)get_int(psinfo + PR_EUID);
	f->proc->uid_known = true;
	/* since the epoch: seconds and nanoseconds */
	start = psinfo + m->pr_start;
	f->proc->start = get_word(start, m->word) * 1000000000 + get_word(start + m->word, m->word);
	return true;
}
