/* SPDX-License-Identifier: ISC */
#include "upgrade/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/hash.h"

#define MAGIC 0x6e75746c65740002ULL /* "nutlet", 2: the meaning of what follows */
#define FILE_NAME "upsmon.handover"

/* The file: one head, then for each UPS a fixed part and a struct ups, then the timers. */
struct head {
	uint64_t magic;
	uint32_t head_size;
	uint32_t fixed_size;
	uint32_t ups_size;
	/* a member that must stand where it stood: builds for other machines differ here */
	uint32_t ups_mark;
	int32_t pid;
	int32_t lock;
	int32_t monitor;
	int32_t in;
	int32_t out;
	uint32_t count;
	uint32_t ordered;
	int64_t begun;
	char conf_file[HANDOVER_PATH_MAX];
	char pid_dir[HANDOVER_PATH_MAX];
	/* from here on an older build does not have it */
	uint32_t timers;
	uint32_t timer_size;
};

struct fixed {
	uint64_t system;
	uint32_t known;
	uint32_t spare;
};

#define UPS_MARK ((uint32_t)offsetof(struct ups, replace_at))
#define PART_MAX 4096
/* More timers than any build has. */
#define TIMERS_LIMIT 1024

int handover_create(const struct rundir *d)
{
	int fd = -1;

#ifdef SYS_memfd_create
	fd = (int)syscall(SYS_memfd_create, FILE_NAME, 1U /* close on exec */);
#endif
	if (fd >= 0)
		return fd;
	/* kernels before 3.17 */
	if (!rundir_clear(d, FILE_NAME))
		return -1;
	fd = openat(d->fd, FILE_NAME, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		rundir_remove(d, FILE_NAME);
	return fd;
}

static bool put(int fd, const void *bytes, size_t len)
{
	return write(fd, bytes, len) == (ssize_t)len;
}

bool handover_write(int fd, const struct handover *h)
{
	struct head head;

	memset(&head, 0, sizeof(head));
	head.magic = MAGIC;
	head.head_size = sizeof(head);
	head.fixed_size = sizeof(struct fixed);
	head.ups_size = sizeof(struct ups);
	head.ups_mark = UPS_MARK;
	head.pid = h->pid;
	head.lock = h->lock;
	head.monitor = h->monitor;
	head.in = h->in;
	head.out = h->out;
	head.begun = h->begun;
	head.ordered = h->ordered;
	head.count = h->count;
	head.timers = SCHED_TIMERS_MAX;
	head.timer_size = sizeof(struct sched_timer);
	memcpy(head.conf_file, h->conf_file, sizeof(head.conf_file));
	memcpy(head.pid_dir, h->pid_dir, sizeof(head.pid_dir));
	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 || !put(fd, &head, sizeof(head)))
		return false;
	for (uint32_t i = 0; i < h->count; i++) {
		const struct handover_ups *u = &h->ups[i];
		struct fixed fixed = {
			.system = u->system,
			.known = u->known,
		};

		if (!put(fd, &fixed, sizeof(fixed)) || !put(fd, &u->ups, sizeof(u->ups)))
			return false;
	}
	return put(fd, h->sched.timers, sizeof(h->sched.timers));
}

/* Reads a part that was written with `written` bytes into one of `size`: what is more is left out. */
static bool take(int fd, off_t *at, void *part, size_t size, size_t written)
{
	size_t len = written < size ? written : size;

	if (written > PART_MAX || pread(fd, part, len, *at) != (ssize_t)len)
		return false;
	*at += (off_t)written;
	return true;
}

/* None of them is lost in silence: it may be the one that shuts down. */
static const char *take_timers(int fd, off_t at, const struct head *head, struct handover *h)
{
	uint32_t kept = 0;

	if (head->timers > TIMERS_LIMIT ||
	    (head->timers > 0 && head->timer_size <= offsetof(struct sched_timer, name)))
		return "it is damaged";
	for (uint32_t i = 0; i < head->timers; i++) {
		struct sched_timer t;

		memset(&t, 0, sizeof(t));
		if (!take(fd, &at, &t, sizeof(t), head->timer_size))
			return "it ends too early";
		if (!t.name[0])
			continue;
		if (!sched_is_sound(&t, (uint16_t)head->count) || kept == SCHED_TIMERS_MAX)
			return "a timer is running, and this build has no timers (UPSSCHED), or not as many "
			       "(SCHED_TIMERS_MAX)";
		h->sched.timers[kept++] = t;
	}
	return NULL;
}

static const char *take_all(int fd, struct handover *h)
{
	struct head head;
	off_t at = 0;

	memset(&head, 0, sizeof(head));
	memset(h, 0, sizeof(*h));
	/* the part that no version may move */
	if (pread(fd, &head, offsetof(struct head, pid), 0) != offsetof(struct head, pid) ||
	    head.magic != MAGIC)
		return "it is not one that this version knows";
	if (head.ups_mark != UPS_MARK || head.fixed_size < sizeof(struct fixed) || head.head_size < offsetof(struct head, timers))
		return "it was written by a build with another layout";
	if (!take(fd, &at, &head, sizeof(head), head.head_size) || head.count > UPS_MAX)
		return "it is damaged, or has more UPSes than this build (UPS_MAX)";
	h->pid = head.pid;
	h->lock = head.lock;
	h->monitor = head.monitor;
	h->in = head.in;
	h->out = head.out;
	h->begun = head.begun;
	h->ordered = head.ordered;
	h->count = head.count;
	memcpy(h->conf_file, head.conf_file, sizeof(h->conf_file) - 1);
	memcpy(h->pid_dir, head.pid_dir, sizeof(h->pid_dir) - 1);
	for (uint32_t i = 0; i < head.count; i++) {
		struct handover_ups *u = &h->ups[i];
		struct fixed fixed;

		/* what an older build does not tell has its first value */
		ups_init(&u->ups, 0);
		if (!take(fd, &at, &fixed, sizeof(fixed), head.fixed_size) ||
		    !take(fd, &at, &u->ups, sizeof(u->ups), head.ups_size))
			return "it ends too early";
		u->system = fixed.system;
		u->known = fixed.known;
	}
	return take_timers(fd, at, &head, h);
}

bool handover_read(int fd, struct handover *h, char *why, size_t size)
{
	const char *fault = take_all(fd, h);

	if (fault)
		snprintf(why, size, "what the running upsmon hands over cannot be read: %s", fault);
	return !fault;
}

static uint64_t system_hash(const struct conf *conf, uint16_t ups)
{
	return hash_text(HASH_START, conf_get(conf, conf->ups[ups].system));
}

void handover_pack(struct handover *h, const struct conf *conf, const struct snapshot *snapshot)
{
	h->count = conf->ups_count;
	for (uint16_t i = 0; i < conf->ups_count; i++) {
		struct handover_ups *u = &h->ups[i];

		memset(u, 0, sizeof(*u));
		u->system = system_hash(conf, i);
		u->known = snapshot->known[i];
		u->ups = snapshot->ups[i];
	}
	h->sched = snapshot->sched;
}

void handover_unpack(const struct handover *h, const struct conf *conf, struct snapshot *snapshot)
{
	uint16_t places[UPS_MAX];

	snapshot_init(snapshot);
	memset(places, 0xff, sizeof(places)); /* UPS_NONE each */
	for (uint32_t k = 0; k < h->count; k++) {
		const struct handover_ups *u = &h->ups[k];
		uint16_t i = 0;

		while (i < conf->ups_count && system_hash(conf, i) != u->system)
			i++;
		if (i < conf->ups_count) {
			snapshot->known[i] = u->known;
			snapshot->ups[i] = u->ups;
			places[k] = i;
		}
	}
	snapshot->sched = h->sched;
	sched_move(&snapshot->sched, places);
}
