/* SPDX-License-Identifier: ISC */
/* check_command.h - will the program of a command be found, and may its user run it? */
#ifndef CHECK_COMMAND_H
#define CHECK_COMMAND_H

#include "core/conf.h"
#include "guard/user.h"

/*
 * Warns if not, and if NO_NEW_PRIVS is in its way.  user: whose rights the
 * command will have; NULL: those of now.
 */
void check_command(const char *path, const char *directive, const struct conf *conf,
		   const struct conf_command *command, const struct account *user);

#endif
