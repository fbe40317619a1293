/* SPDX-License-Identifier: ISC */
#include "command/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "command/check_command.h"
#include "guard/conf_file.h"
#include "guard/user.h"

/* ---- what the numbers say ---- */

/* With several UPSes, is there one whose loss alone goes below MINSUPPLIES? */
static void check_supplies(const char *path, const struct conf *conf)
{
	unsigned int total = 0, feeding = 0;

	for (unsigned int i = 0; i < conf->ups_count; i++) {
		total += conf->ups[i].power_value;
		feeding += conf->ups[i].power_value > 0;
	}
	for (unsigned int i = 0; feeding > 1 && i < conf->ups_count; i++) {
		if (conf->ups[i].power_value == 0 ||
		    total - conf->ups[i].power_value >= conf->min_supplies)
			continue;
		log_warning("%s: warning: MINSUPPLIES %u cannot be kept without %s: its loss alone "
			    "shuts this machine down, though %u UPSes feed it; %u would be met by "
			    "the others",
			    path, conf->min_supplies, conf_get(conf, conf->ups[i].system), feeding,
			    total - conf->ups[i].power_value);
		return;
	}
}

static void check_times(const char *path, const struct conf *conf)
{
	unsigned int slowest = conf->poll_freq_ms > conf->poll_freq_alert_ms
				       ? conf->poll_freq_ms
				       : conf->poll_freq_alert_ms;

	if (conf->dead_time_ms < 2 * slowest)
		log_warning("%s: warning: DEADTIME %u is shorter than two polls: one lost answer on "
			    "battery may shut this machine down; %u or more is better",
			    path, conf->dead_time_ms / 1000, 3 * slowest / 1000);
	if (conf->host_sync_ms < conf->poll_freq_alert_ms)
		log_warning("%s: warning: HOSTSYNC %u is shorter than POLLFREQALERT %u: a secondary "
			    "may not see FSD in time",
			    path, conf->host_sync_ms / 1000, conf->poll_freq_alert_ms / 1000);
	else if (conf->host_sync_ms < conf->poll_freq_ms)
		log_warning("%s: warning: HOSTSYNC %u is shorter than POLLFREQ %u: a secondary that "
			    "saw nothing but OL may not see FSD in time",
			    path, conf->host_sync_ms / 1000, conf->poll_freq_ms / 1000);
}

/* ---- what the machine says ---- */

static void check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & 0004))
		log_warning("%s: warning: everybody may read the passwords in it; chmod 640", path);
}

static void check_flags(const char *path, const struct conf *conf)
{
	for (int type = 0; type < NOTIFY_TYPES; type++) {
		if (!(conf->notify[type].flags & NOTIFY_EXEC) ||
		    (conf->notify[type].flags & NOTIFY_IGNORE) || conf->notify_cmd.words ||
		    conf->upssched)
			continue;
		log_warning("%s: warning: NOTIFYFLAG %s asks for EXEC, and there is no NOTIFYCMD",
			    path, notify_name((enum notify_type)type));
		return;
	}
}

/* A timer that nothing cancels runs out though the mains are back. */
static void check_timers(const struct conf *conf)
{
	for (unsigned int i = 0; i < conf->rule_count; i++) {
		const char *name = conf_get(conf, conf->rules[i].name);
		bool cancelled = false;

		for (unsigned int k = 0; k < conf->rule_count; k++)
			cancelled |= conf->rules[k].verb == VERB_CANCEL &&
				     strcmp(conf_get(conf, conf->rules[k].name), name) == 0;
		if (conf_rule_starts(&conf->rules[i]) && !cancelled)
			log_warning("%s: warning: timer %s is started, and no line cancels it: it runs "
				    "out even if the mains are back",
				    conf_get(conf, conf->upssched), name);
	}
}

static bool not_sound(const char *path)
{
	log_line(STDOUT_FILENO, "%s: upsmon would not start with it", path);
	return false;
}

bool check_configuration(const char *path, struct conf *conf)
{
	bool sound = conf_file_read(path, conf, false);
	struct account user, *notify_user = NULL;

	if (conf->ups_count > 0) {
		check_file(path);
		check_supplies(path, conf);
		check_times(path, conf);
		check_flags(path, conf);
		if (geteuid() == 0) {
			notify_user = &user;
			/* the daemon would not start for want of its user */
			if (!user_choose(NULL, conf, path, &user))
				return not_sound(path);
		}
		check_command(path, "SHUTDOWNCMD", conf, &conf->shutdown_cmd, NULL);
		check_command(path, "NOTIFYCMD", conf, &conf->notify_cmd, notify_user);
		check_timers(conf);
		if (conf->rule_count > 0)
			check_command(conf_get(conf, conf->upssched), "CMDSCRIPT", conf,
				      &conf->cmd_script, notify_user);
	}
	if (!sound)
		return not_sound(path);
	if (log_warnings() > 0)
		log_line(STDOUT_FILENO, "%s: usable, with %u warning%s, %u UPS%s", path, log_warnings(),
			 log_warnings() == 1 ? "" : "s", conf->ups_count,
			 conf->ups_count == 1 ? "" : "es");
	else
		log_line(STDOUT_FILENO, "%s: sound, %u UPS%s", path, conf->ups_count,
			 conf->ups_count == 1 ? "" : "es");
	return true;
}
