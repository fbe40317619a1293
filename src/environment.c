/* SPDX-License-Identifier: ISC */
#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "options.h"

const char *environment_get(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

void environment_conf_file(char *path, size_t size)
{
	const char *dir = environment_get("NUT_CONFPATH");

	snprintf(path, size, "%s/upsmon.conf", dir ? dir : CONF_DIR);
}

const char *environment_pid_dir(void)
{
	const char *dir;

	if (geteuid() == 0) {
		dir = environment_get("NUT_PIDPATH");
		return dir ? dir : PID_DIR;
	}
	dir = environment_get("NUT_ALTPIDPATH");
	if (!dir)
		dir = environment_get("NUT_STATEPATH");
	return dir ? dir : ALT_PID_DIR;
}
