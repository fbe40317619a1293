/* SPDX-License-Identifier: ISC */
/* The directives: what each line of upsmon.conf may hold, and what is said about the rest. */
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "core/conf_reader.h"
#include "core/nearest.h"

static void read_powerdown_flag(struct conf_reader *r)
{
	if (!conf_want(r, 1, "POWERDOWNFLAG file"))
		return;
	if (conf_arg(r, 1)[0] != '/') {
		conf_fault(r, "POWERDOWNFLAG must be an absolute path, not \"%s\"",
			   conf_arg(r, 1));
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

static void read_no_new_privs(struct conf_reader *r)
{
	const char *word;

	if (!conf_want(r, 1, "NO_NEW_PRIVS yes or no"))
		return;
	word = conf_arg(r, 1);
	if (conf_is_yes(word) || strcmp(word, "1") == 0)
		r->conf->no_new_privs = 1;
	else if (conf_is_no(word) || strcmp(word, "0") == 0)
		r->conf->no_new_privs = 0;
	else
		conf_fault(r, "NO_NEW_PRIVS is \"%s\"; it must be yes or no", word);
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
	if (conf_is_yes(conf_arg(r, 1)))
		r->conf->shutdown_exit_ms = 0;
	else if (conf_is_no(conf_arg(r, 1)))
		r->conf->shutdown_exit_ms = -1;
	else if (conf_number(r, "SHUTDOWNEXIT", conf_arg(r, 1), 0, 86400, &number))
		r->conf->shutdown_exit_ms = number * 1000;
}

#if !WITH_TLS
/* Whoever asks for encryption must not get a connection without it in silence. */
static void refuse_tls(struct conf_reader *r)
{
	conf_fault(r, "%s asks for TLS, which this upsmon does not have: connections would not be "
		      "encrypted.  Remove the line if that is acceptable",
		   conf_arg(r, 0));
}

/* 0 turns it off, and off it is. */
static void read_tls_switch(struct conf_reader *r)
{
	if (strcmp(conf_arg(r, 1), "0") != 0)
		refuse_tls(r);
}

#define conf_read_cert_path refuse_tls
#define conf_read_cert_file refuse_tls
#define conf_read_cert_ident refuse_tls
#define conf_read_cert_host refuse_tls
#define conf_read_cert_verify read_tls_switch
#define conf_read_force_ssl read_tls_switch
#endif

/* Names are case-sensitive, as in NUT; there, too, DEBUG_MIN alone is not. */
static bool is_named(const struct conf_reader *r, const char *name)
{
	return strcmp(name, conf_arg(r, 0)) == 0 ||
	       (strcmp(name, "DEBUG_MIN") == 0 && strcasecmp(name, conf_arg(r, 0)) == 0);
}

/* Any number below 0 is -1, as in NUT. */
#define NEVER_BELOW (-CONF_SECONDS_MAX)

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
	{ "NOCOMMWARNTIME", offsetof(struct conf, nocomm_warn_ms), 0, CONF_SECONDS_MAX, 1000 },
	{ "RBWARNTIME", offsetof(struct conf, replace_warn_ms), 0, CONF_SECONDS_MAX, 1000 },
	{ "OFFDURATION", offsetof(struct conf, off_ms), NEVER_BELOW, 86400, 1000 },
	{ "OBLBDURATION", offsetof(struct conf, oblb_ms), 0, 86400, 1000 },
	{ "OVERDURATION", offsetof(struct conf, over_ms), NEVER_BELOW, 86400, 1000 },
	{ "POLLFAIL_LOG_THROTTLE_MAX", offsetof(struct conf, poll_fail_throttle), NEVER_BELOW, 1000000, 1 },
	{ "DEBUG_MIN", offsetof(struct conf, debug_min), 0, 9, 1 },
};

static bool read_plain_number(struct conf_reader *r)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		uint32_t *value = (uint32_t *)(void *)((char *)r->conf + numbers[i].offset);
		int32_t number;

		if (!is_named(r, numbers[i].name))
			continue;
		if (conf_want(r, 1, numbers[i].scale == 1000 ? "seconds" : "a number") &&
		    conf_number(r, numbers[i].name, conf_arg(r, 1), numbers[i].min, numbers[i].max,
				&number))
			*value = (uint32_t)(number < 0 ? -1 : number) * (uint32_t)numbers[i].scale;
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
	if (!conf_want(r, r->words->count == 2 ? 1 : 2, "a number, and perhaps a UPS"))
		return true;
	if (r->words->count > 2) {
		struct conf_ups *ups = conf_system(r->conf, conf_arg(r, 2));

		if (!ups) {
			conf_fault(r, "%s: no MONITOR line above names \"%s\"", conf_arg(r, 0),
				   conf_arg(r, 2));
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
	enum conf_severity severity;
} directives[] = {
	{ "MONITOR", conf_read_monitor, CONF_ERROR },
	{ "MINSUPPLIES", read_min_supplies, CONF_WARNING },
	{ "SHUTDOWNCMD", conf_read_shutdown_cmd, CONF_WARNING },
	{ "NOTIFYCMD", conf_read_notify_cmd, CONF_WARNING },
	{ "UPSSCHED", conf_read_upssched, CONF_WARNING },
	{ "NOTIFYMSG", conf_read_notify_msg, CONF_WARNING },
	{ "NOTIFYFLAG", conf_read_notify_flag, CONF_WARNING },
	{ "POWERDOWNFLAG", read_powerdown_flag, CONF_WARNING },
	{ "RUN_AS_USER", read_run_as_user, CONF_WARNING },
	{ "NO_NEW_PRIVS", read_no_new_privs, CONF_WARNING },
	{ "ALARMCRITICAL", read_alarm_critical, CONF_WARNING },
	{ "SHUTDOWNEXIT", read_shutdown_exit, CONF_WARNING },
	{ "CERTPATH", conf_read_cert_path, CONF_ERROR },
	{ "CERTFILE", conf_read_cert_file, CONF_ERROR },
	{ "CERTIDENT", conf_read_cert_ident, CONF_ERROR },
	{ "CERTHOST", conf_read_cert_host, CONF_ERROR },
	{ "CERTVERIFY", conf_read_cert_verify, CONF_ERROR },
	{ "FORCESSL", conf_read_force_ssl, CONF_ERROR },
};

/* ---- what looks right and is not ---- */

/* The i-th name of all the tables; NULL behind the last. */
static const char *name_at(size_t i)
{
	if (i < sizeof(directives) / sizeof(directives[0]))
		return directives[i].name;
	i -= sizeof(directives) / sizeof(directives[0]);
	if (i < sizeof(numbers) / sizeof(numbers[0]))
		return numbers[i].name;
	i -= sizeof(numbers) / sizeof(numbers[0]);
	return i < TRIGGERS ? trigger_names[i] : NULL;
}

static void say_unknown(struct conf_reader *r)
{
	const char *best = NULL;
	unsigned int least = NEAREST_FAR;

	for (size_t i = 0; name_at(i); i++) {
		unsigned int distance = nearest_distance(conf_arg(r, 0), name_at(i));

		if (distance < least) {
			least = distance;
			best = name_at(i);
		}
	}
	if (best)
		conf_fault(r, "there is no directive \"%s\" (names are case-sensitive); did you mean "
			      "%s?",
			   conf_arg(r, 0), best);
	else
		conf_fault(r, "there is no directive \"%s\"", conf_arg(r, 0));
}

/*
 * What a word processor or a web page puts in the place of a space, a quote or
 * a hyphen: U+00A0, U+2000 to U+203F, U+3000.
 */
static bool has_look_alike(const char *word)
{
	for (; *word; word++) {
		if (strncmp(word, "\xc2\xa0", 2) == 0 || strncmp(word, "\xe2\x80", 2) == 0 ||
		    strncmp(word, "\xe3\x80\x80", 3) == 0)
			return true;
	}
	return false;
}

static void warn_of_look_alikes(struct conf_reader *r)
{
	/* in a text for people they are at home */
	for (unsigned int i = 0; i < r->words->count && strcmp(conf_arg(r, 0), "NOTIFYMSG") != 0;
	     i++) {
		if (!has_look_alike(conf_arg(r, i)))
			continue;
		conf_warning(r, "the line holds a no-break space, or a typographic quote or dash, "
				"which only looks like the plain one: type it anew");
		return;
	}
}

void conf_line(struct conf *conf, const struct words *words, int line, struct conf_report *report)
{
	struct conf_reader r = { conf, words, report, line, CONF_WARNING };

	warn_of_look_alikes(&r);
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		if (strcmp(directives[i].name, words_at(words, 0)) == 0) {
			r.severity = directives[i].severity;
			directives[i].read(&r);
			return;
		}
	}
	if (!read_plain_number(&r) && !read_trigger(&r))
		say_unknown(&r);
}

void conf_broken(const struct words *words, enum words_result result, int line,
		 struct conf_report *report)
{
	/* only a word that was closed can be read */
	bool monitor = words->count > 1 && strcmp(words_at(words, 0), "MONITOR") == 0;

	conf_say(report, monitor ? CONF_ERROR : CONF_WARNING, line, "%s%s", words_error(result),
		 monitor ? "" : "; the line is ignored");
}
