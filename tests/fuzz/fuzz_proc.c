/* SPDX-License-Identifier: ISC */
/* /proc/PID of any kernel: comm, stat, status, BSD's status and psinfo, one behind the other. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "identity/procname.h"

#define PID 4999999

static const char *const names[] = { "comm", "stat", "status", "psinfo" };
static char root[64], folder[128];

static void make_root(void)
{
	snprintf(root, sizeof(root), "%s/nutlet-fuzz.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(root));
	snprintf(folder, sizeof(folder), "%s/%d", root, PID);
	MUST(mkdir(folder, 0700) == 0);
}

static void path_of(char *path, size_t size, const char *name)
{
	snprintf(path, size, "%s/%s", folder, name);
}

static void remove_root(void)
{
	char path[256];

	for (size_t i = 0; i < 4; i++) {
		path_of(path, sizeof(path), names[i]);
		unlink(path);
	}
	rmdir(folder);
	rmdir(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proc found;
	char path[256];

	if (!*root) {
		make_root();
		atexit(remove_root);
	}
	/* each up to a byte 0xff; the last one has the rest */
	for (size_t i = 0; i < 4; i++) {
		const uint8_t *end = i < 3 && size ? memchr(data, 0xff, size) : NULL;
		size_t len = end ? (size_t)(end - data) : size;
		int fd;

		path_of(path, sizeof(path), names[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		MUST(fd >= 0 && write(fd, data, len) == (ssize_t)len);
		close(fd);
		data += end ? len + 1 : len;
		size -= end ? len + 1 : len;
	}
	memset(&found, 0xaa, sizeof(found));
	MUST(procname_check(root, PID, "upsmon", &found) <= PROC_UNKNOWN);
	MUST(memchr(found.name, '\0', sizeof(found.name)));
	for (const char *c = found.name; *c; c++)
		MUST((unsigned char)*c >= ' ' && *c != 0x7f);
	return 0;
}
