/* SPDX-License-Identifier: ISC */
/* main.c - what the command line asks for, and the way to it. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/child.h"
#include "base/detach.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/ready_fd.h"
#include "command/check.h"
#include "command/usage.h"
#include "guard/conf_file.h"
#include "guard/guard.h"
#include "guard/powerdown.h"
#include "upgrade/new_program.h"
#include "options.h"

/* For -K: only the flag's path counts, so errors elsewhere in the file do not. */
static int killpower(const char *conf_file, struct conf *conf)
{
	const char *flag;

	(void)conf_file_read(conf_file, conf, true);
	flag = conf_get(conf, conf->powerdown_flag);
	if (!*flag) {
		log_error("%s sets no POWERDOWNFLAG, or cannot be read", conf_file);
		return 1;
	}
	switch (powerdown_check(flag)) {
	case POWERDOWN_SET:
		log_line(STDOUT_FILENO, "POWERDOWNFLAG is set: the UPS may be switched off");
		return 0;
	case POWERDOWN_STALE:
		log_error("%s does not name this boot (an earlier one's?), and does not count",
			  flag);
		return 1;
	case POWERDOWN_FOREIGN:
		log_error("%s was not written by upsmon, and does not count", flag);
		return 1;
	case POWERDOWN_UNREADABLE:
		log_error("%s: %s", flag, strerror(errno));
		return 1;
	case POWERDOWN_ABSENT:
		break;
	}
	log_line(STDOUT_FILENO, "POWERDOWNFLAG is not set");
	return 1;
}

/* The background works from /, and a reload needs the file again. */
static bool make_absolute(const char *path, char *out, size_t size)
{
	char here[512] = "";

	if (path[0] != '/' && !getcwd(here, sizeof(here))) {
		log_error("%s: cannot tell which directory that is in: %s", path, strerror(errno));
		return false;
	}
	if ((size_t)snprintf(out, size, "%s%s%s", here, *here ? "/" : "", path) < size)
		return true;
	log_error("%s: the path is too long", path);
	return false;
}

/*
 * NUT_DEBUG_SYSLOG.  In the background, whoever wants messages on stderr only
 * keeps them there after the start.
 */
static void choose_log(bool foreground)
{
	const char *where = environment_get("NUT_DEBUG_SYSLOG");
	bool to_stderr = where && strcmp(where, "stderr") == 0;
	bool nowhere = where && (strcmp(where, "none") == 0 || strcmp(where, "false") == 0);

	log_look_for_journal();
	log_to_syslog(!to_stderr && !nowhere);
	log_keep_stderr(foreground || to_stderr);
}

/* As the shell has found it. */
static bool search_path(const char *called, char *path, size_t size)
{
	const char *folders = environment_get("PATH");

	while (folders && *folders) {
		size_t len = strcspn(folders, ":");

		if (*folders == '/' &&
		    (size_t)snprintf(path, size, "%.*s/%s", (int)len, folders, called) < size &&
		    access(path, X_OK) == 0)
			return true;
		folders += len;
		folders += *folders == ':';
	}
	return false;
}

/*
 * What a hot upgrade runs: the way by which this program was called, which may
 * be a link to another one by then; or, if that cannot be told, the file itself.
 */
static void find_program(const char *called, char *path, size_t size)
{
	ssize_t len;

	if (strchr(called, '/') ? make_absolute(called, path, size)
				: search_path(called, path, size))
		return;
	len = readlink("/proc/self/exe", path, size - 1);
	path[len < 0 ? 0 : len] = '\0';
}

static int run(const struct usage *u, char **argv, const char *conf_file,
	       struct conf *conf, const struct handover *handover)
{
	static char pid_dir[512], program[512];
	int first;
	struct guard_setup setup = {
		.conf_file = conf_file,
		.pid_dir = pid_dir,
		.user = u->user,
		.one_process = u->one_process,
		.ready_fd = -1,
		.family = u->family,
		.connect_ms = u->connect_ms,
		.program = program,
		.argv = argv,
		.handover = handover,
	};

	/* pidof, start-stop-daemon and our own check go by this name */
	prctl(PR_SET_NAME, PROGRAM_NAME);
	if (handover) {
		/* the same process goes on, where the program before this one left it */
		snprintf(pid_dir, sizeof(pid_dir), "%s", handover->pid_dir);
		find_program(argv[0], program, sizeof(program));
		if (!u->foreground) {
			/* the terminal was let go long ago */
			log_to_stderr(log_keeps_stderr());
			child_silence();
		}
		return guard_run(&setup, conf);
	}
	if (!make_absolute(environment_pid_dir(), pid_dir, sizeof(pid_dir)))
		return 1;
	find_program(argv[0], program, sizeof(program));
	/* the next program starts in /, where a relative one would not be found again */
	argv[0] = program;
	/* what the caller left open is not ours to keep busy */
	log_forget();
	first = ready_fd_keep();
	/* what that had to say may have opened the log anew */
	log_forget();
	child_close_from(first);
	if (!u->foreground) {
		setup.ready_fd = detach_fork();
		if (setup.ready_fd < 0) {
			log_error("cannot go to the background: %s", strerror(errno));
			return 1;
		}
		child_silence();
	}
	return guard_run(&setup, conf);
}

/*
 * After a hot upgrade.  The rehearsal could read the file; if it cannot be read
 * now, somebody writes it just now, and the lock is not given up for that.
 */
static int go_on(const struct usage *u, char **argv, const struct handover *handover,
		 struct conf *conf)
{
	choose_log(u->foreground);
	for (int tries = 0; !conf_file_read(handover->conf_file, conf, tries > 0); tries++) {
		if (tries == UPGRADE_TRIES) {
			log_error("upgraded, and cannot go on without a configuration");
			return 1;
		}
		poll(NULL, 0, UPGRADE_LOOK_MS);
	}
	return run(u, argv, handover->conf_file, conf, handover);
}

int main(int argc, char **argv)
{
	static struct conf conf MOSTLY_UNUSED;
	static struct handover handover MOSTLY_UNUSED;
	static char conf_path[512];
	char given[512];
	struct usage u;

	detach_open_stdio();
	/* a reader that is gone costs the message, not the daemon */
	signal(SIGPIPE, SIG_IGN);
	if (!usage_read(argc, argv, &u))
		return EXIT_USAGE;
	if (u.help) {
		usage_print();
		return 0;
	}
	if (u.version) {
		log_line(STDOUT_FILENO, "nutlet upsmon " NUTLET_VERSION);
		return 0;
	}
	if (u.debug == 0)
		u.debug = (int)environment_number("NUT_DEBUG_LEVEL", 9, 0);
	if (u.connect_ms == 0)
		u.connect_ms = 1000 * environment_number("NUT_DEFAULT_CONNECT_TIMEOUT", 3600, 10);
	if (u.connect_ms == 0)
		u.connect_ms = 10000;
	log_set_debug(u.debug);
	if (u.command == CONTROL_REHEARSE)
		return new_program_rehearse(u.user);
	if (u.command != CONTROL_NONE)
		return control_run(u.command, environment_pid_dir(), u.pid, u.json);

	if (new_program_find(&handover))
		return go_on(&u, argv, &handover, &conf);
	if (!u.conf_file)
		environment_conf_file(given, sizeof(given));
	if (!make_absolute(u.conf_file ? u.conf_file : given, conf_path, sizeof(conf_path)))
		return 1;
	if (u.killpower)
		return killpower(conf_path, &conf);
	if (u.test)
		return check_configuration(conf_path, &conf) ? 0 : 1;
	/* who starts a daemon may have nobody who reads its standard error */
	choose_log(u.foreground);
	if (!conf_file_read(conf_path, &conf, false)) {
		log_error("not started");
		return 1;
	}
	return run(&u, argv, conf_path, &conf, NULL);
}
