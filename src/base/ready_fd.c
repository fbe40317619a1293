/* SPDX-License-Identifier: ISC */
#include "base/ready_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/log.h"

#define VARIABLE "NUTLET_READY_FD"
/* Where it is kept: the caller closes all that comes behind it. */
#define PLACE 3

static bool kept;

int ready_fd_keep(void)
{
	/* a number that is none is said there */
	unsigned int fd = environment_number(VARIABLE, 65535, 65536);

	unsetenv(VARIABLE);
	if (fd > 65535)
		return PLACE;
	kept = fd == PLACE ? fcntl(PLACE, F_SETFD, FD_CLOEXEC) == 0
			   : dup3((int)fd, PLACE, O_CLOEXEC) == PLACE;
	if (!kept)
		log_warning(VARIABLE "=%u: %s; nobody is told there when upsmon is ready", fd,
			    strerror(errno));
	return kept ? PLACE + 1 : PLACE;
}

void ready_fd_tell(void)
{
	if (!kept)
		return;
	/* a supervisor that has stopped listening is no reason to fail */
	(void)!write(PLACE, "\n", 1);
	ready_fd_forget();
}

void ready_fd_forget(void)
{
	if (kept)
		close(PLACE);
	kept = false;
}
