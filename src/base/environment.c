/* SPDX-License-Identifier: ISC */
#include "base/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "options.h"

const char *environment_get(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

bool environment_is_true(const char *name)
{
	const char *value = environment_get(name);

	return value && (strcmp(value, "true") == 0 || strcmp(value, "on") == 0 ||
			 strcmp(value, "yes") == 0 || strcmp(value, "1") == 0);
}

unsigned int environment_number(const char *name, unsigned int max, unsigned int otherwise)
{
	const char *value = environment_get(name);
	unsigned long number;
	char *end;

	if (!value)
		return otherwise;
	number = strtoul(value, &end, 10);
	if (*value < '0' || *value > '9' || *end != '\0' || number > max) {
		log_warning("%s=%s is not a number up to %u, and does not count", name, value, max);
		return otherwise;
	}
	return (unsigned int)number;
}

void environment_conf_file(char *path, size_t size)
{
	const char *dir = environment_get("NUT_CONFPATH");

	snprintf(path, size, "%s/upsmon.conf", dir ? dir : CONF_DIR);
}

const char *environment_root_pid_dir(void)
{
	const char *dir = environment_get("NUT_PIDPATH");

	return dir ? dir : PID_DIR;
}

const char *environment_pid_dir(void)
{
	const char *dir;

	if (geteuid() == 0)
		return environment_root_pid_dir();
	dir = environment_get("NUT_ALTPIDPATH");
	if (!dir)
		dir = environment_get("NUT_STATEPATH");
	return dir ? dir : ALT_PID_DIR;
}
