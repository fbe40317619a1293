/* SPDX-License-Identifier: ISC */
#include "guard/powerdown.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

#define MAGIC "upsmon-shutdown-file"
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_MAX 48

static ssize_t read_file(const char *path, int flags, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags);
	ssize_t len;
	int error;

	if (fd < 0)
		return -1;
	len = read(fd, text, size - 1);
	error = errno;
	close(fd);
	errno = error;
	if (len >= 0)
		text[len] = '\0';
	return len;
}

/* Empty where /proc is not mounted, as it may be late in a shutdown. */
static void boot_id(char id[BOOT_ID_MAX])
{
	if (read_file(BOOT_ID_FILE, 0, id, BOOT_ID_MAX) < 0)
		id[0] = '\0';
	id[strcspn(id, "\n")] = '\0';
}

enum powerdown_state powerdown_check(const char *path)
{
	char text[128];
	char now[BOOT_ID_MAX];
	char *line;

	ssize_t len = read_file(path, O_NOFOLLOW, text, sizeof(text));

	if (len < 0)
		return errno == ENOENT ? POWERDOWN_ABSENT : POWERDOWN_UNREADABLE;
	/* what a power cut or a full disk left of one */
	if (len == 0)
		return POWERDOWN_ABSENT;
	if (strncmp(text, MAGIC, strlen(MAGIC)) != 0)
		return POWERDOWN_FOREIGN;

	/* without a boot id, or without /proc, nothing says that it is this boot's */
	line = strstr(text, "\nboot-id ");
	if (!line)
		return POWERDOWN_STALE;
	line += strlen("\nboot-id ");
	line[strcspn(line, "\n")] = '\0';
	boot_id(now);
	return now[0] != '\0' && strcmp(line, now) == 0 ? POWERDOWN_SET : POWERDOWN_STALE;
}

bool powerdown_write(const char *path)
{
	char text[128];
	char id[BOOT_ID_MAX];
	int len, fd, error;
	bool done;

	if (powerdown_check(path) == POWERDOWN_FOREIGN) {
		errno = EEXIST;
		return false;
	}
	boot_id(id);
	len = snprintf(text, sizeof(text), MAGIC "\n%s%s%s", id[0] ? "boot-id " : "", id,
		       id[0] ? "\n" : "");
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
	if (fd < 0)
		return false;
	done = write(fd, text, (size_t)len) == len && fsync(fd) == 0;
	error = errno;
	close(fd);
	/* half a flag would be taken for a file of somebody else's */
	if (!done)
		(void)unlink(path);
	errno = error;
	return done;
}

void powerdown_clear(const char *path)
{
	switch (powerdown_check(path)) {
	case POWERDOWN_SET:
	case POWERDOWN_STALE:
		if (unlink(path) < 0)
			log_error("%s: cannot remove an old POWERDOWNFLAG: %s", path,
				  strerror(errno));
		else
			log_notice("%s: removed a POWERDOWNFLAG of an earlier shutdown", path);
		break;
	case POWERDOWN_FOREIGN:
		log_warning("%s: this is not a POWERDOWNFLAG of upsmon's; it stays as it is", path);
		break;
	case POWERDOWN_UNREADABLE:
		log_warning("%s: cannot read POWERDOWNFLAG: %s", path, strerror(errno));
		break;
	case POWERDOWN_ABSENT:
		break;
	}
}
