/* SPDX-License-Identifier: ISC */
#include "command/check_command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "guard/confine.h"
#include "options.h"

/* What the look has found: 0, or an errno value, and at how much of the path. */
struct finding {
	int error;
	size_t len;
};

/*
 * The first word of a shell command, also between quotes.  Empty where the
 * command begins with something that only the shell understands.
 */
static void first_word(const char *command, char *program, size_t size)
{
	size_t len;

	command += strspn(command, " \t");
	if (*command == '\'' || *command == '"') {
		char quote[2] = { *command++, '\0' };

		len = strcspn(command, quote);
	} else {
		len = strcspn(command, " \t;|&<>");
	}
	snprintf(program, size, "%.*s", (int)len, command);
	if (len >= size || strpbrk(program, "$`=(){}\\'\"*?!"))
		program[0] = '\0';
}

/* Each folder on the way must let the user through, and the program must be one. */
static struct finding look(const char *program)
{
	struct finding found = { 0, 0 };
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s", program);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		found.len = (size_t)(slash - path);
		if (access(path, X_OK) < 0) {
			found.error = errno;
			return found;
		}
		*slash = '/';
	}
	found.len = strlen(path);
	if (access(path, X_OK) < 0)
		found.error = errno;
	else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		found.error = EISDIR;
	return found;
}

/* The rights of the user are a process's, so another one looks. */
static void look_and_tell(const char *program, const struct account *user, int to)
{
	struct finding found = { 0, 0 };

	if (user && !user_become(user))
		_exit(1);
	if (strchr(program, '/')) {
		found = look(program);
		(void)!write(to, &found, sizeof(found));
		_exit(0);
	}
	/* the shell knows PATH, and what it does itself */
	close(STDOUT_FILENO);
	open("/dev/null", O_WRONLY);
	execl(SHELL_PATH, "sh", "-c", "command -v \"$1\"", "sh", program, (char *)NULL);
	_exit(0);
}

static struct finding look_as(const char *program, const struct account *user)
{
	struct finding found = { 0, strlen(program) };
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return found;
	pid = fork();
	if (pid == 0)
		look_and_tell(program, user, ends[1]);
	close(ends[1]);
	if (read(ends[0], &found, sizeof(found)) != sizeof(found))
		found.error = 0;
	close(ends[0]);
	if (pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	    WEXITSTATUS(status) != 0)
		found.error = ENOENT;
	return found;
}

static bool in_comment(const char *text, const char *at)
{
	const char *line = at;

	while (line > text && line[-1] != '\n')
		line--;
	return line[strspn(line, " \t")] == '#';
}

/* What gets rights by a setuid or setgid file: sudo does, and mail on most systems. */
static const char *named_in(const char *text)
{
	static const char *const names[] = { "sudo", "doas", "mail", "mailx", "sendmail", "mutt" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		for (const char *at = text; (at = strstr(at, names[i])); at += len) {
			bool begins = at == text || strchr(" \t\n/;|&('\"`", at[-1]);

			if (begins && strchr(" \t\n;|'\"", at[len]) && !in_comment(text, at))
				return names[i];
		}
	}
	return NULL;
}

/* A command, or the script that it names, which only works with NO_NEW_PRIVS no. */
static void check_rights(const char *path, const char *directive, const char *command,
			 const char *program)
{
	char text[8192];
	const char *name = named_in(command);
	int fd = name ? -1 : open(program, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t n = read(fd, text, sizeof(text) - 1);

		text[n > 0 ? n : 0] = '\0';
		if (strncmp(text, "#!", 2) == 0)
			name = named_in(text);
		close(fd);
	}
	if (name)
		log_warning("%s: warning: %s: %s gets no rights by a setuid file; if it needs them, set "
			    "NO_NEW_PRIVS no",
			    path, directive, name);
}

void check_command(const char *path, const char *directive, const struct conf *conf,
		   const struct conf_command *command, const struct account *user)
{
	const char *text = conf_get(conf, command->text);
	char program[512];
	struct finding found;

	if (command->words > 1)
		snprintf(program, sizeof(program), "%s", text);
	else
		first_word(text, program, sizeof(program));
	if (!*program)
		return;
	found = look_as(program, user);
	if (found.error)
		log_warning("%s: warning: %s: %.*s: %s%s%s", path, directive, (int)found.len, program,
			    found.error == ENOENT ? "not found" : strerror(found.error),
			    user ? ", for the user who runs it: " : "", user ? user->name : "");
	else if (user && user->uid != 0 && confine_is_wanted(conf))
		check_rights(path, directive, text, program);
}
