/* SPDX-License-Identifier: ISC */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/signals.h"
#include "options.h"

static struct {
	pid_t pid; /* 0: a free place */
	child_done *done;
	void *arg;
} children[CHILD_MAX];

void child_close_from(int first)
{
	struct rlimit limit = { 0 };

#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned int)first, ~0U, 0U) == 0)
		return;
#endif
	/* kernels before 5.9; nobody leaves more open than these */
	getrlimit(RLIMIT_NOFILE, &limit);
	for (int fd = first; fd < 1024 && (rlim_t)fd < limit.rlim_cur; fd++)
		close(fd);
}

static bool silent;

void child_silence(void)
{
	silent = true;
}

static size_t free_place(void)
{
	size_t place = 0;

	while (place < CHILD_MAX && children[place].pid)
		place++;
	return place;
}

static void keep(size_t place, pid_t pid, child_done *done, void *arg)
{
	children[place].pid = pid;
	children[place].done = done;
	children[place].arg = arg;
}

pid_t child_fork(child_done *done, void *arg)
{
	size_t place = free_place();
	pid_t pid;

	if (place == CHILD_MAX) {
		errno = EAGAIN;
		return -1;
	}
	pid = fork();
	if (pid < 0)
		return -1;
	if (pid == 0) {
		memset(children, 0, sizeof(children));
		return 0;
	}
	keep(place, pid, done, arg);
	return pid;
}

bool child_adopt(pid_t pid, child_done *done, void *arg)
{
	size_t place = free_place();
	siginfo_t info;

	/* asks, and leaves it waiting to be reaped if it has ended */
	if (place == CHILD_MAX || pid <= 0 ||
	    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return false;
	keep(place, pid, done, arg);
	return true;
}

static void exec_words(const struct child_command *c)
{
	const char *argv[WORDS_MAX + 2];
	const char *word = c->text;
	unsigned int count = 0;

	for (; count < c->words && count < WORDS_MAX; count++) {
		argv[count] = word;
		word += strlen(word) + 1;
	}
	argv[count++] = c->message;
	argv[count] = NULL;
	execvp(argv[0], (char *const *)argv);
}

void child_command_line(const struct child_command *c, char *line, size_t size)
{
	const char *word = c->text;
	size_t used = 0;

	line[0] = '\0';
	for (unsigned int i = 0; i < c->words && used < size; i++) {
		used += (size_t)snprintf(line + used, size - used, "%s%s", i ? " " : "", word);
		word += strlen(word) + 1;
	}
}

static void exec_shell(const struct child_command *c)
{
	char line[WORDS_TEXT_MAX + 8];
	size_t used;

	child_command_line(c, line, sizeof(line));
	used = strlen(line);
	/* the message is an argument, never a part of the shell's text */
	snprintf(line + used, sizeof(line) - used, "%s", c->message ? " \"$1\"" : "");
	execl(SHELL_PATH, "sh", "-c", line, PROGRAM_NAME, c->message, (char *)NULL);
}

static void run(const struct child_command *c)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	signals_restore();
	for (int fd = 0; fd <= (silent ? 2 : 0) && null >= 0; fd++)
		dup2(null, fd);
	setsid();
	for (const char *const *e = c->environment; e && *e; e += 2)
		setenv(e[0], e[1], 1);
	if (c->words > 1)
		exec_words(c);
	if (c->words == 1 || errno == ENOENT)
		exec_shell(c);
	_exit(errno == ENOENT ? 127 : 126);
}

static int free_places(void)
{
	int count = 0;

	for (size_t i = 0; i < CHILD_MAX; i++)
		count += children[i].pid == 0;
	return count;
}

static const int left_free[] = {
	[CHILD_ORDINARY] = CHILD_MAX / 4,
	[CHILD_URGENT] = CHILD_MAX / 8,
	[CHILD_LAST] = 0,
};

pid_t child_run(const struct child_command *command, child_done *done, void *arg)
{
	pid_t pid = -1;

	/* commands that hang must leave room for what matters more */
	if (free_places() > left_free[command->rank])
		pid = child_fork(done, arg);
	else
		errno = EAGAIN;
	if (pid == 0)
		run(command);
	return pid;
}

void child_reap(void)
{
	int status;
	pid_t pid;

	/* also those of the program that this process was before a hot upgrade */
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		size_t i = 0;

		while (i < CHILD_MAX && children[i].pid != pid)
			i++;
		if (i == CHILD_MAX)
			continue;
		children[i].pid = 0;
		if (children[i].done)
			children[i].done(children[i].arg, pid, status);
	}
}

bool child_kill(pid_t pid, int sig)
{
	for (size_t i = 0; i < CHILD_MAX; i++) {
		if (pid > 0 && children[i].pid == pid)
			return kill(pid, sig) == 0;
	}
	return false;
}

const char *child_wall(void)
{
	static const char *const places[] = { "/usr/bin/wall", "/bin/wall" };

	for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (access(places[i], X_OK) == 0)
			return places[i];
	}
	return NULL;
}
