/* SPDX-License-Identifier: ISC */
#include "guard/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"
#include "core/conf.h"

/* False, with errno set (0: no such user), if the name is not known. */
static bool find(const char *name, struct account *user)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return false;
	snprintf(user->name, sizeof(user->name), "%s", name);
	user->uid = pw->pw_uid;
	user->gid = pw->pw_gid;
	user->group_count = USER_GROUPS_MAX;
	/* more groups than fit: the user's own one is enough */
	if (getgrouplist(name, user->gid, user->groups, &user->group_count) < 0) {
		user->groups[0] = user->gid;
		user->group_count = 1;
	}
	return true;
}

static bool find_default(struct account *user)
{
	const char *next = DEFAULT_USERS;

	while (*next) {
		char name[USER_NAME_MAX];
		size_t len = strcspn(next, " ");

		snprintf(name, sizeof(name), "%.*s", (int)len, next);
		if (find(name, user))
			return true;
		next += len + strspn(next + len, " ");
	}
	return false;
}

bool user_choose(const char *given, const struct conf *conf, const char *conf_file,
		 struct account *user)
{
	const char *name = given ? given : conf_get(conf, conf->run_as_user);

	if (*name && find(name, user))
		return true;
	if (given) {
		log_error("there is no user \"%s\"; add it, or name another with -u", name);
		return false;
	}
	if (!find_default(user)) {
		log_error("there is none of the users " DEFAULT_USERS "; add one, or name another "
			  "with RUN_AS_USER in %s or with -u",
			  conf_file);
		return false;
	}
	if (*name)
		log_warning("%s: warning: RUN_AS_USER: there is no user \"%s\"; %s is used", conf_file,
			    name, user->name);
	return true;
}

/* uClibc-ng's own makes a copy first, and brings malloc for that. */
static bool set_groups(const struct account *user)
{
#ifdef SYS_setgroups32
	return syscall(SYS_setgroups32, (size_t)user->group_count, user->groups) == 0;
#else
	return syscall(SYS_setgroups, (size_t)user->group_count, user->groups) == 0;
#endif
}

bool user_become(const struct account *user)
{
	if (!set_groups(user) || setgid(user->gid) < 0 || setuid(user->uid) < 0)
		return false;
	/* a user that is not root must not be able to go back */
	return user->uid == 0 || setuid(0) < 0;
}
