/* SPDX-License-Identifier: ISC */
/* The snapshot that travels over a hot upgrade, from any other version. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "upgrade/handover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf conf;
	static struct handover h;
	static struct snapshot snapshot;
	static int fd = -1;
	char why[200] = "";

	if (fd < 0)
		fd = memfd_create("handover", MFD_CLOEXEC);
	MUST(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
	fuzz_read_conf(&conf, fuzz_upsmon_conf, strlen(fuzz_upsmon_conf), NULL, 0);
	if (!handover_read(fd, &h, why, sizeof(why))) {
		MUST(*why);
		return 0;
	}
	MUST(h.count <= UPS_MAX);
	MUST(memchr(h.conf_file, '\0', sizeof(h.conf_file)));
	MUST(memchr(h.pid_dir, '\0', sizeof(h.pid_dir)));
	snapshot_init(&snapshot);
	handover_unpack(&h, &conf, &snapshot);
	return 0;
}
