/* SPDX-License-Identifier: ISC */
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/environment.h"
#include "options.h"

/* Room for the prefix, the message and a newline. */
#define LINE_MAX_BYTES (MESSAGE_MAX + 64)

static struct {
	bool to_stderr;
	bool keep_stderr;
	bool to_syslog;
	bool journal;
	int debug;
	int debug_min;
	unsigned int warnings;
	int fd;
} state = { .to_stderr = true, .fd = -1 };

void log_to_stderr(bool on)
{
	state.to_stderr = on || state.keep_stderr;
}

void log_keep_stderr(bool on)
{
	state.keep_stderr = on;
}

bool log_keeps_stderr(void)
{
	return state.keep_stderr;
}

void log_look_for_journal(void)
{
	const char *stream = environment_get("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return;
	snprintf(ours, sizeof(ours), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	state.journal = strcmp(stream, ours) == 0;
}

void log_to_syslog(bool on)
{
	state.to_syslog = on;
}

void log_set_debug(int level)
{
	state.debug = level;
}

void log_set_debug_min(int level)
{
	state.debug_min = level;
}

static int open_syslog(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * syslogd may be started after us, or anew: a failed send tries once more on
 * a new socket.  A full queue (EAGAIN) drops the message.
 */
static void send_syslog(const char *line, size_t len)
{
	for (int tries = 0; tries < 2; tries++) {
		if (state.fd < 0)
			state.fd = open_syslog();
		if (state.fd < 0 || send(state.fd, line, len, MSG_NOSIGNAL) >= 0 || errno == EAGAIN)
			return;
		close(state.fd);
		state.fd = -1;
	}
}

static size_t clamp(int written, size_t size)
{
	if (written < 0)
		return 0;
	return (size_t)written < size ? (size_t)written : size - 1;
}

/* A pipe that nobody empties, a console that was stopped: the rest is lost. */
static void write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		struct pollfd pfd = { .fd = fd, .events = POLLOUT };
		ssize_t n;

		if (poll(&pfd, 1, 0) != 1 || !(pfd.revents & POLLOUT))
			return;
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

void log_at(int priority, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	char text[MESSAGE_MAX];
	char mark[8] = "";
	va_list args;

	if (priority == LOG_DEBUG && state.debug == 0 && state.debug_min == 0)
		return;
	state.warnings += priority == LOG_WARNING;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *c = text; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	if (state.journal)
		snprintf(mark, sizeof(mark), "<%d>", priority);
	if (state.to_stderr)
		write_all(STDERR_FILENO, line,
			  clamp(snprintf(line, sizeof(line), "%s" PROGRAM_NAME ": %s\n", mark, text),
				sizeof(line)));
	if (state.to_syslog)
		send_syslog(line, clamp(snprintf(line, sizeof(line), "<%d>" PROGRAM_NAME "[%d]: %s",
						 LOG_DAEMON | priority, (int)getpid(), text),
					sizeof(line)));
}

unsigned int log_warnings(void)
{
	return state.warnings;
}

void log_forget(void)
{
	if (state.fd >= 0)
		close(state.fd);
	state.fd = -1;
}

void log_line(int fd, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	size_t len;
	va_list args;

	va_start(args, format);
	len = clamp(vsnprintf(line, sizeof(line) - 1, format, args), sizeof(line) - 1);
	va_end(args);
	line[len++] = '\n';
	write_all(fd, line, len);
}
