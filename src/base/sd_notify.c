/* SPDX-License-Identifier: ISC */
#include "base/sd_notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/log.h"

void sd_notify_tell(const char *state)
{
	const char *path = environment_get("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len;
	int fd;

	if (!path)
		return;
	len = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(to.sun_path)) {
		log_warning("NOTIFY_SOCKET=%s is not the path of a socket", path);
		return;
	}
	memcpy(to.sun_path, path, len);
	/* @ stands for the leading NUL of an abstract name */
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		log_warning("cannot tell %s to %s: %s", state, path, strerror(errno));
	close(fd);
}

void sd_notify_tell_reloading(void)
{
	struct timespec ts;
	char state[64];

	/* systemd's clock stands still while the machine is suspended */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	sd_notify_tell(state);
}
