/* SPDX-License-Identifier: ISC */
#include "upgrade/new_program.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/log.h"
#include "guard/conf_file.h"
#include "guard/user.h"
#include "identity/instance.h"
#include "options.h"

/* The descriptor, or -1.  Commands of ours must not find the variable. */
static int find_file(void)
{
	int fd = (int)environment_number(HANDOVER_VARIABLE, 1U << 20, 0);

	unsetenv(HANDOVER_VARIABLE);
	return fd > 2 ? fd : -1;
}

bool new_program_find(struct handover *h)
{
	int fd = find_file();
	char why[MESSAGE_MAX];
	bool found;

	if (fd < 0)
		return false;
	found = handover_read(fd, h, why, sizeof(why));
	close(fd);
	if (!found)
		log_error("%s; starting from nothing", why);
	/* somebody else's, which came by the environment */
	return found && h->pid == getpid();
}

int new_program_rehearse(const char *user_name)
{
	static struct handover h MOSTLY_UNUSED;
	static struct conf conf MOSTLY_UNUSED;
	struct instance in;
	struct account user;
	char why[MESSAGE_MAX];
	int fd = find_file();

	if (fd < 0) {
		log_error("-c " NEW_PROGRAM_COMMAND " is how a running upsmon tries a new one; you "
			  "may want -c upgrade");
		return 2;
	}
	if (!handover_read(fd, &h, why, sizeof(why))) {
		log_error("%s", why);
		return 1;
	}
	/* one that runs this program as a child would leave the lock with the wrong process */
	if (getppid() != h.pid) {
		log_error("the program is started by another one; a script must exec it");
		return 1;
	}
	if (!instance_open(&in, h.pid_dir, why, sizeof(why))) {
		log_error("%s", why);
		return 1;
	}
	if (!conf_file_read(h.conf_file, &conf, false)) {
		log_error("%s has errors: see " CONF_FILE_WHERE, h.conf_file);
		return 1;
	}
	/* they would end with the lines that have started them */
	if (conf.upssched_broken && h.sched.timers[0].name[0]) {
		log_error("a timer is running, and %s cannot be used: see " CONF_FILE_WHERE,
			  conf_get(&conf, conf.upssched));
		return 1;
	}
	if (geteuid() == 0 && !user_choose(user_name, &conf, h.conf_file, &user))
		return 1;
	log_line(STDOUT_FILENO, NEW_PROGRAM_READY "nutlet upsmon " NUTLET_VERSION);
	return 0;
}
