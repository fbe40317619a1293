/* SPDX-License-Identifier: ISC */
#include "base/detach.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"

void detach_open_stdio(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd > 2)
		close(fd);
}

/* Waits for the daemon's word.  Its reasons for a failure are on stderr already. */
static void wait_and_exit(int fd)
{
	char word = 0;
	ssize_t n;

	do
		n = read(fd, &word, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 && word == '+' ? 0 : 1);
}

int detach_fork(void)
{
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid > 0) {
		close(ends[1]);
		wait_and_exit(ends[0]);
	}
	close(ends[0]);
	setsid();
	/* keep no file system busy that somebody wants to unmount */
	if (chdir("/") < 0)
		log_warning("cannot change to /");
	return ends[1];
}

void detach_ready(int fd)
{
	(void)!write(fd, "+", 1);
	close(fd);
}

void detach_stdio(void)
{
	int null = open("/dev/null", O_RDWR);

	log_to_stderr(false);
	if (null < 0)
		return;
	for (int fd = 0; fd <= (log_keeps_stderr() ? 1 : 2); fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}
