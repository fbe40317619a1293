/* SPDX-License-Identifier: ISC */
/* The directives: what each line of upsmon.conf may hold, and what is said about the rest. */
#include "conf.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* One reading of a line: what the directive handlers share. */
struct reader {
	struct conf *conf;
	const struct words *words;
	struct conf_report *report;
	int line;
};

#define error(r, ...) conf_say((r)->report, CONF_ERROR, (r)->line, __VA_ARGS__)
#define warning(r, ...) conf_say((r)->report, CONF_WARNING, (r)->line, __VA_ARGS__)

static const char *arg(const struct reader *r, unsigned int i)
{
	return words_at(r->words, i);
}

/* Keeps a text.  0, with an error reported, where there is no room left. */
static uint16_t keep(struct reader *r, const char *text, size_t len)
{
	struct conf *conf = r->conf;
	uint16_t at = conf->text_used;

	if (len == 0)
		return 0;
	if (len + 1 > sizeof(conf->text) - at) {
		error(r, "the file holds more text than the %d bytes there is room for",
		      CONF_TEXT_MAX);
		return 0;
	}
	memcpy(conf->text + at, text, len);
	conf->text[at + len] = '\0';
	conf->text_used = (uint16_t)(at + len + 1);
	return at;
}

static uint16_t keep_string(struct reader *r, const char *text)
{
	return keep(r, text, strlen(text));
}

/* A whole decimal number within [min, max]; anything else is reported. */
static bool read_number(struct reader *r, const char *what, const char *text, int32_t min,
			int32_t max, int32_t *value)
{
	const char *digit = *text == '-' ? text + 1 : text;
	size_t digits = strspn(digit, "0123456789");
	int32_t number = 0;

	if (digits == 0 || digit[digits] != '\0' || digits > 9) {
		error(r, "%s is \"%s\", which is not a whole number from %d to %d", what, text, min,
		      max);
		return false;
	}
	for (; *digit; digit++)
		number = number * 10 + (*digit - '0');
	if (*text == '-')
		number = -number;
	if (number < min || number > max) {
		error(r, "%s is %d; it must be from %d to %d", what, number, min, max);
		return false;
	}
	*value = number;
	return true;
}

/* Reports anything but `count` words behind the directive. */
static bool want_args(struct reader *r, unsigned int count, const char *usage)
{
	if (r->words->count == count + 1)
		return true;
	error(r, "expected: %s; found %u word%s behind %s", usage, r->words->count - 1U,
	      r->words->count == 2 ? "" : "s", arg(r, 0));
	return false;
}

/* ups[@host[:port]], host may be [v6] */
static bool read_system(struct reader *r, const char *system, struct conf_ups *ups)
{
	const char *at = strrchr(system, '@');
	const char *host = at ? at + 1 : "";
	const char *host_end = host + strlen(host);
	const char *colon = NULL;
	int32_t port = CONF_DEFAULT_PORT;

	if (*host == '[') {
		const char *close = strchr(++host, ']');

		if (!close || (close[1] != '\0' && close[1] != ':')) {
			error(r, "%s: expected ups@[address] or ups@[address]:port", system);
			return false;
		}
		host_end = close;
		colon = close[1] ? close + 1 : NULL;
	} else if (at) {
		colon = strchr(host, ':');
		if (colon && strchr(colon + 1, ':')) {
			error(r, "%s: an IPv6 address needs brackets: ups@[%s]", system, host);
			return false;
		}
		if (colon)
			host_end = colon;
	}
	if (system[0] == '\0' || at == system) {
		error(r, "%s: the name of the UPS is missing, as in ups@host", system);
		return false;
	}
	if (at && host_end == host) {
		error(r, "%s: the host behind @ is missing", system);
		return false;
	}
	if (colon && !read_number(r, "the port", colon + 1, 1, 65535, &port))
		return false;

	ups->system = keep_string(r, system);
	ups->name = keep(r, system, at ? (size_t)(at - system) : strlen(system));
	ups->host = at ? keep(r, host, (size_t)(host_end - host)) : keep_string(r, "localhost");
	ups->port = (uint16_t)port;
	return true;
}

static bool read_role(struct reader *r, const char *role, bool *primary)
{
	*primary = strcmp(role, "primary") == 0 || strcmp(role, "master") == 0;
	if (*primary || strcmp(role, "secondary") == 0 || strcmp(role, "slave") == 0)
		return true;
	error(r, "\"%s\" is neither primary nor secondary", role);
	return false;
}

static struct conf_ups *find_system(struct conf *conf, const char *system)
{
	for (unsigned int i = 0; i < conf->ups_count; i++) {
		if (strcmp(conf_get(conf, conf->ups[i].system), system) == 0)
			return &conf->ups[i];
	}
	return NULL;
}

static void read_monitor(struct reader *r)
{
	struct conf *conf = r->conf;
	struct conf_ups ups;
	int32_t power = 0;

	if (r->words->count > 6) {
		error(r, "expected: MONITOR system powervalue user password type; found %u words "
			 "(a name or password with a space, # or = needs quotes)",
		      r->words->count - 1U);
		return;
	}
	if (!want_args(r, 5, "MONITOR system powervalue user password type"))
		return;
	if (conf->ups_count >= UPS_MAX) {
		error(r, "more than %d MONITOR lines; build with -DUPS_MAX=N for more", UPS_MAX);
		return;
	}
	if (!read_system(r, arg(r, 1), &ups) ||
	    !read_number(r, "the power value", arg(r, 2), 0, 1000, &power) ||
	    !read_role(r, arg(r, 5), &ups.primary))
		return;
	if (find_system(conf, arg(r, 1))) {
		error(r, "%s is monitored already", arg(r, 1));
		return;
	}
	for (unsigned int i = 0; i < TRIGGERS; i++)
		ups.trigger[i] = CONF_INHERIT;
	ups.power_value = (uint16_t)power;
	ups.user = keep_string(r, arg(r, 3));
	ups.password = keep_string(r, arg(r, 4));
	conf->ups[conf->ups_count++] = ups;
}

/* The rest of the line as one shell command. */
static uint16_t read_command(struct reader *r)
{
	char joined[WORDS_TEXT_MAX];
	size_t used = 0;

	if (r->words->count < 2) {
		error(r, "expected: %s command", arg(r, 0));
		return 0;
	}
	for (unsigned int i = 1; i < r->words->count; i++) {
		size_t len = strlen(arg(r, i));

		/* cannot overflow: the words with their NULs fitted the same size */
		memcpy(joined + used, arg(r, i), len);
		used += len;
		joined[used++] = ' ';
	}
	return keep(r, joined, used - 1);
}

static void read_shutdown_cmd(struct reader *r)
{
	r->conf->shutdown_cmd = read_command(r);
}

static void read_notify_cmd(struct reader *r)
{
	r->conf->notify_cmd = read_command(r);
}

static void read_powerdown_flag(struct reader *r)
{
	if (!want_args(r, 1, "POWERDOWNFLAG file"))
		return;
	if (arg(r, 1)[0] != '/') {
		error(r, "POWERDOWNFLAG must be an absolute path, not \"%s\"", arg(r, 1));
		return;
	}
	r->conf->powerdown_flag = keep_string(r, arg(r, 1));
}

static void read_run_as_user(struct reader *r)
{
	if (want_args(r, 1, "RUN_AS_USER name"))
		r->conf->run_as_user = keep_string(r, arg(r, 1));
}

static void read_min_supplies(struct reader *r)
{
	int32_t number;

	if (want_args(r, 1, "MINSUPPLIES number") &&
	    read_number(r, "MINSUPPLIES", arg(r, 1), 0, 1000, &number))
		r->conf->min_supplies = (uint16_t)number;
}

static void read_alarm_critical(struct reader *r)
{
	int32_t number;

	if (want_args(r, 1, "ALARMCRITICAL 0 or 1") &&
	    read_number(r, "ALARMCRITICAL", arg(r, 1), 0, 1, &number))
		r->conf->alarm_critical = number == 1;
}

/*
 * NUT's daemon ends itself then; ours only logs out, and stays until the
 * machine is down.
 */
static void read_shutdown_exit(struct reader *r)
{
	int32_t number;

	if (!want_args(r, 1, "SHUTDOWNEXIT yes, no or seconds"))
		return;
	if (strcmp(arg(r, 1), "yes") == 0)
		r->conf->shutdown_exit_ms = 0;
	else if (strcmp(arg(r, 1), "no") == 0)
		r->conf->shutdown_exit_ms = -1;
	else if (read_number(r, "SHUTDOWNEXIT", arg(r, 1), 0, 86400, &number))
		r->conf->shutdown_exit_ms = number * 1000;
}

/* Whoever asks for encryption must not get a connection without it in silence. */
static void refuse_tls(struct reader *r)
{
	error(r, "%s asks for TLS, which this upsmon does not have: connections would not be "
		 "encrypted.  Remove the line if that is acceptable",
	      arg(r, 0));
}

/* 0 turns it off, and off it is. */
static void read_tls_switch(struct reader *r)
{
	if (strcmp(arg(r, 1), "0") != 0)
		refuse_tls(r);
}

static enum notify_type read_notify_type(struct reader *r)
{
	enum notify_type type = notify_by_name(arg(r, 1));

	if (type == NOTIFY_TYPES)
		warning(r, "%s: there is no notify type \"%s\"; the line is ignored", arg(r, 0),
			arg(r, 1));
	return type;
}

static void read_notify_msg(struct reader *r)
{
	enum notify_type type;

	if (r->words->count != 3) {
		warning(r, "expected: NOTIFYMSG type \"text\"; the line is ignored");
		return;
	}
	type = read_notify_type(r);
	if (type == NOTIFY_TYPES)
		return;
	if (!notify_text_ok(arg(r, 2))) {
		error(r, "NOTIFYMSG %s: a text may hold %%s twice and no other %% (%%%% is a %%)",
		      arg(r, 1));
		return;
	}
	r->conf->notify[type].text = keep_string(r, arg(r, 2));
}

static void read_notify_flag(struct reader *r)
{
	enum notify_type type;
	char list[WORDS_TEXT_MAX];
	unsigned int flags = 0;

	if (r->words->count != 3) {
		warning(r, "expected: NOTIFYFLAG type SYSLOG+WALL+EXEC; the line is ignored");
		return;
	}
	type = read_notify_type(r);
	if (type == NOTIFY_TYPES)
		return;
	snprintf(list, sizeof(list), "%s", arg(r, 2));
	for (char *flag = list, *next; flag; flag = next) {
		unsigned int bit;

		next = strchr(flag, '+');
		if (next)
			*next++ = '\0';
		bit = notify_flag_by_name(flag);
		if (!bit) {
			warning(r, "NOTIFYFLAG %s: \"%s\" is none of SYSLOG, WALL, EXEC, IGNORE; "
				   "the line is ignored",
				arg(r, 1), flag);
			return;
		}
		flags |= bit;
	}
	r->conf->notify[type].flags = (uint8_t)flags;
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

static bool read_plain_number(struct reader *r)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int32_t number;

		if (strcmp(numbers[i].name, arg(r, 0)) != 0)
			continue;
		if (r->words->count != 2)
			error(r, "expected: %s %s", arg(r, 0),
			      numbers[i].scale == 1000 ? "seconds" : "number");
		else if (read_number(r, arg(r, 0), arg(r, 1), numbers[i].min, numbers[i].max,
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
static bool read_trigger(struct reader *r)
{
	int32_t *triggers = r->conf->trigger;
	int32_t number;
	size_t i = 0;

	while (i < TRIGGERS && strcmp(trigger_names[i], arg(r, 0)) != 0)
		i++;
	if (i == TRIGGERS)
		return false;
	if (r->words->count != 2 && r->words->count != 3) {
		error(r, "expected: %s number [ups]", arg(r, 0));
		return true;
	}
	if (r->words->count == 3) {
		struct conf_ups *ups = find_system(r->conf, arg(r, 2));

		if (!ups) {
			error(r, "%s: no MONITOR line above names \"%s\"", arg(r, 0), arg(r, 2));
			return true;
		}
		triggers = ups->trigger;
	}
	if (read_number(r, arg(r, 0), arg(r, 1), -1, trigger_max[i], &number))
		triggers[i] = number;
	return true;
}

static const struct {
	const char *name;
	void (*read)(struct reader *r);
} directives[] = {
	{ "MONITOR", read_monitor },
	{ "MINSUPPLIES", read_min_supplies },
	{ "SHUTDOWNCMD", read_shutdown_cmd },
	{ "NOTIFYCMD", read_notify_cmd },
	{ "NOTIFYMSG", read_notify_msg },
	{ "NOTIFYFLAG", read_notify_flag },
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
	struct reader r = { conf, words, report, line };

	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		if (strcmp(directives[i].name, words_at(words, 0)) == 0) {
			directives[i].read(&r);
			return;
		}
	}
	if (!read_plain_number(&r) && !read_trigger(&r))
		error(&r, "there is no directive \"%s\" (names are case-sensitive)",
		      words_at(words, 0));
}
