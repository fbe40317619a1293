/* SPDX-License-Identifier: ISC */
/* user.h - the unprivileged user, and becoming it for good. */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define USER_GROUPS_MAX 32
#define USER_NAME_MAX 33

struct account {
	char name[USER_NAME_MAX];
	uid_t uid;
	gid_t gid;
	int group_count;
	gid_t groups[USER_GROUPS_MAX];
};

struct conf;

/*
 * The user of the unprivileged half: `given` of -u, or RUN_AS_USER, or the
 * first of DEFAULT_USERS that exists.  RUN_AS_USER that names nobody is said,
 * and keeps no board unprotected.  False if there is none of them, or not the
 * one that was given; the log has the reason.
 */
bool user_choose(const char *given, const struct conf *conf, const char *conf_file,
		 struct account *user);

/* Gives up root for good: false means that it did not work, and the caller must end. */
bool user_become(const struct account *user);

#endif
