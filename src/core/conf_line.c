/* SPDX-License-Identifier: ISC */
/* The directives: what each line of upsmon.conf may hold, and what is said about the rest. */
#include <stddef.h>
#include <string.h>

#include "core/conf_reader.h"

/* The rest of the line as one shell command. */
static uint16_t read_command(struct conf_reader *r)
{
	char joined[WORDS_TEXT_MAX];
	size_t used = 0;

	if (r->words->count < 2) {
		conf_error(r, "expected: %s command", conf_arg(r, 0));
		return 0;
	}
	for (unsigned int i = 1; i < r->words->count; i++) {
		size_t len = strlen(conf_arg(r, i));

		/* cannot overflow: the words with their NULs fitted the same size */
		memcpy(joined + used, conf_arg(r, i), len);
		used += len;
		joined[used++] = ' ';
	}
	return conf_keep(r, joined, used - 1);
}

static void read_shutdown_cmd(struct conf_reader *r)
{
	r->conf->shutdown_cmd = read_command(r);
}

static void read_notify_cmd(struct conf_reader *r)
{
	r->conf->notify_cmd = read_command(r);
}

static void read_powerdown_flag(struct conf_reader *r)
{
	if (!conf_want(r, 1, "POWERDOWNFLAG file"))
		return;
	if (conf_arg(r, 1)[0] != '/') {
		conf_error(r, "POWERDOWNFLAG must be an absolute path, not \"%s\"", conf_arg(r, 1));
		return;
	}
	r->conf->powerdown_flag = conf_keep_string(r, conf_arg(r, 1));
}

static void read_run_as_user(struct conf_reader *r)
{
	if (conf_want(r, 1, "RUN_AS_USER name"))
		r->conf->run_as_user = conf_keep_string(r, conf_arg(r, 1));
}

static void read_min_supplies(struct conf_reader *r)
{
	int32_t number;

	if (conf_want(r, 1, "MINSUPPLIES number") &&
	    conf_number(r, "MINSUPPLIES", conf_arg(r, 1), 0, 1000, &number))
		r->conf->min_supplies = (uint16_t)number;
}

static void read_alarm_critical(struct conf_reader *r)
{
	int32_t number;

	if (conf_want(r, 1, "ALARMCRITICAL 0 or 1") &&
	    conf_number(r, "ALARMCRITICAL", conf_arg(r, 1), 0, 1, &number))
		r->conf->alarm_critical = number == 1;
}

/*
 * NUT's daemon ends itself then; ours only logs out, and stays until the
 * machine is down.
 */
static void read_shutdown_exit(struct conf_reader *r)
{
	int32_t number;

	if (!conf_want(r, 1, "SHUTDOWNEXIT yes, no or seconds"))
		return;
	if (strcmp(conf_arg(r, 1), "yes") == 0)
		r->conf->shutdown_exit_ms = 0;
	else if (strcmp(conf_arg(r, 1), "no") == 0)
		r->conf->shutdown_exit_ms = -1;
	else if (conf_number(r, "SHUTDOWNEXIT", conf_arg(r, 1), 0, 86400, &number))
		r->conf->shutdown_exit_ms = number * 1000;
}

/* Whoever asks for encryption must not get a connection without it in silence. */
static void refuse_tls(struct conf_reader *r)
{
	conf_error(r, "%s asks for TLS, which this upsmon does not have: connections would not be "
		 "encrypted.  Remove the line if that is acceptable",
	      conf_arg(r, 0));
}

/* 0 turns it off, and off it is. */
static void read_tls_switch(struct conf_reader *r)
{
	if (strcmp(conf_arg(r, 1), "0") != 0)
		refuse_tls(r);
}

/*
 * Directives that hold one number.  All of them are 32 bits wide in the
 * struct; seconds become milliseconds.
 */
static const struct {
	const char *name;
	size_t offset;
	int32_t min, max, scale;
} numbers[] = {
	{ "POLLFREQ", offsetof(struct conf, poll_freq_ms), 1, 86400, 1000 },
	{ "POLLFREQALERT", offsetof(struct conf, poll_freq_alert_ms), 1, 86400, 1000 },
	{ "DEADTIME", offsetof(struct conf, dead_time_ms), 1, 86400, 1000 },
	{ "HOSTSYNC", offsetof(struct conf, host_sync_ms), 0, 86400, 1000 },
	{ "FINALDELAY", offsetof(struct conf, final_delay_ms), 0, 86400, 1000 },
	{ "NOCOMMWARNTIME", offsetof(struct conf, nocomm_warn_ms), 0, 2000000, 1000 },
	{ "RBWARNTIME", offsetof(struct conf, replace_warn_ms), 0, 2000000, 1000 },
	{ "OFFDURATION", offsetof(struct conf, off_ms), -1, 86400, 1000 },
	{ "OBLBDURATION", offsetof(struct conf, oblb_ms), 0, 86400, 1000 },
	{ "OVERDURATION", offsetof(struct conf, over_ms), -1, 86400, 1000 },
	{ "POLLFAIL_LOG_THROTTLE_MAX", offsetof(struct conf, poll_fail_throttle), -1, 1000000, 1 },
	{ "DEBUG_MIN", offsetof(struct conf, debug_min), 0, 9, 1 },
};

static bool read_plain_number(struct conf_reader *r)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int32_t number;

		if (strcmp(numbers[i].name, conf_arg(r, 0)) != 0)
			continue;
		if (r->words->count != 2)
			conf_error(r, "expected: %s %s", conf_arg(r, 0),
			      numbers[i].scale == 1000 ? "seconds" : "number");
		else if (conf_number(r, conf_arg(r, 0), conf_arg(r, 1), numbers[i].min, numbers[i].max,
				     &number))
			*(int32_t *)(void *)((char *)r->conf + numbers[i].offset) =
				number * numbers[i].scale;
		return true;
	}
	return false;
}

static const char *const trigger_names[TRIGGERS] = {
	[TRIGGER_BATTERYLEVEL] = "BATTERYLEVEL",
	[TRIGGER_MINUTES] = "MINUTES",
	[TRIGGER_TIMEOUT] = "TIMEOUT",
	[TRIGGER_ONBATTERYDELAY] = "ONBATTERYDELAY",
};

static const int32_t trigger_max[TRIGGERS] = { 100, 10000, 86400, 86400 };

/* BATTERYLEVEL percent [ups], and so on */
static bool read_trigger(struct conf_reader *r)
{
	int32_t *triggers = r->conf->trigger;
	int32_t number;
	size_t i = 0;

	while (i < TRIGGERS && strcmp(trigger_names[i], conf_arg(r, 0)) != 0)
		i++;
	if (i == TRIGGERS)
		return false;
	if (r->words->count != 2 && r->words->count != 3) {
		conf_error(r, "expected: %s number [ups]", conf_arg(r, 0));
		return true;
	}
	if (r->words->count == 3) {
		struct conf_ups *ups = conf_system(r->conf, conf_arg(r, 2));

		if (!ups) {
			conf_error(r, "%s: no MONITOR line above names \"%s\"", conf_arg(r, 0), conf_arg(r, 2));
			return true;
		}
		triggers = ups->trigger;
	}
	if (conf_number(r, conf_arg(r, 0), conf_arg(r, 1), -1, trigger_max[i], &number))
		triggers[i] = number;
	return true;
}

static const struct {
	const char *name;
	void (*read)(struct conf_reader *r);
} directives[] = {
	{ "MONITOR", conf_read_monitor },
	{ "MINSUPPLIES", read_min_supplies },
	{ "SHUTDOWNCMD", read_shutdown_cmd },
	{ "NOTIFYCMD", read_notify_cmd },
	{ "NOTIFYMSG", conf_read_notify_msg },
	{ "NOTIFYFLAG", conf_read_notify_flag },
	{ "POWERDOWNFLAG", read_powerdown_flag },
	{ "RUN_AS_USER", read_run_as_user },
	{ "ALARMCRITICAL", read_alarm_critical },
	{ "SHUTDOWNEXIT", read_shutdown_exit },
	{ "CERTPATH", refuse_tls },
	{ "CERTFILE", refuse_tls },
	{ "CERTIDENT", refuse_tls },
	{ "CERTHOST", refuse_tls },
	{ "CERTVERIFY", read_tls_switch },
	{ "FORCESSL", read_tls_switch },
};

void conf_line(struct conf *conf, const struct words *words, int line, struct conf_report *report)
{
	struct conf_reader r = { conf, words, report, line };

	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		if (strcmp(directives[i].name, words_at(words, 0)) == 0) {
			directives[i].read(&r);
			return;
		}
	}
	if (!read_plain_number(&r) && !read_trigger(&r))
		conf_error(&r, "there is no directive \"%s\" (names are case-sensitive)",
		      words_at(words, 0));
}
