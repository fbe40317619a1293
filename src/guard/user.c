/* SPDX-License-Identifier: ISC */
#include "guard/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "base/log.h"
#include "core/conf.h"

bool user_find(const char *name, struct user *user)
{
	struct passwd *pw;

	errno = 0;
	pw = getpwnam(name);
	if (!pw)
		return false;
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

bool user_choose(const char *given, const struct conf *conf, const char *conf_file,
		 struct user *user)
{
	const char *name = given;

	if (!name)
		name = conf->run_as_user ? conf_get(conf, conf->run_as_user) : DEFAULT_USER;
	if (user_find(name, user))
		return true;
	log_error("there is no user \"%s\"; add it, or name another with RUN_AS_USER in %s or with "
		  "-u",
		  name, conf_file);
	return false;
}

bool user_become(const struct user *user)
{
	if (setgroups((size_t)user->group_count, user->groups) < 0 || setgid(user->gid) < 0 ||
	    setuid(user->uid) < 0)
		return false;
	/* a user that is not root must not be able to go back */
	return user->uid == 0 || setuid(0) < 0;
}
