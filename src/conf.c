/* SPDX-License-Identifier: ISC */
#include "conf.h"

#include <stdarg.h>
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

void conf_say(struct conf_report *report, enum conf_severity severity, int line, const char *format,
	      ...)
{
	char text[MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (severity == CONF_ERROR)
		report->errors++;
	else
		report->warnings++;
	report->say(report->arg, severity, line, text);
}

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
static bool read_number(struct reader *r, const char *what, const char *text, uint32_t min,
			uint32_t max, uint32_t *value)
{
	uint32_t number = 0;
	size_t digits = strspn(text, "0123456789");

	if (digits == 0 || text[digits] != '\0' || digits > 9) {
		error(r, "%s is \"%s\", which is not a whole number from %u to %u", what, text, min,
		      max);
		return false;
	}
	for (const char *p = text; *p; p++)
		number = number * 10 + (uint32_t)(*p - '0');
	if (number < min || number > max) {
		error(r, "%s is %u; it must be from %u to %u", what, number, min, max);
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
	uint32_t port = CONF_DEFAULT_PORT;

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

static void read_monitor(struct reader *r)
{
	struct conf *conf = r->conf;
	struct conf_ups ups;
	uint32_t power = 0;

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
	for (unsigned int i = 0; i < conf->ups_count; i++) {
		if (strcmp(conf_get(conf, conf->ups[i].system), arg(r, 1)) == 0) {
			error(r, "%s is monitored already", arg(r, 1));
			return;
		}
	}
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
	uint32_t number;

	if (want_args(r, 1, "MINSUPPLIES number") &&
	    read_number(r, "MINSUPPLIES", arg(r, 1), 0, 1000, &number))
		r->conf->min_supplies = (uint16_t)number;
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

/* Directives that hold a number of seconds. */
static const struct {
	const char *name;
	size_t offset;
	uint32_t min, max;
} seconds[] = {
	{ "POLLFREQ", offsetof(struct conf, poll_freq_ms), 1, 86400 },
	{ "POLLFREQALERT", offsetof(struct conf, poll_freq_alert_ms), 1, 86400 },
	{ "DEADTIME", offsetof(struct conf, dead_time_ms), 1, 86400 },
	{ "HOSTSYNC", offsetof(struct conf, host_sync_ms), 0, 86400 },
	{ "FINALDELAY", offsetof(struct conf, final_delay_ms), 0, 86400 },
};

static bool read_seconds(struct reader *r)
{
	for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
		uint32_t number;

		if (strcmp(seconds[i].name, arg(r, 0)) != 0)
			continue;
		if (r->words->count != 2)
			error(r, "expected: %s seconds", arg(r, 0));
		else if (read_number(r, arg(r, 0), arg(r, 1), seconds[i].min, seconds[i].max,
				     &number))
			*(uint32_t *)(void *)((char *)r->conf + seconds[i].offset) = number * 1000;
		return true;
	}
	return false;
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
};

/* NUT's own that nutlet does not have (yet); a warning each, once. */
static const char *const unsupported[] = {
	"NOCOMMWARNTIME", "RBWARNTIME",	  "SHUTDOWNEXIT",	       "OFFDURATION",
	"OBLBDURATION",	  "OVERDURATION", "ALARMCRITICAL",	       "POLLFAIL_LOG_THROTTLE_MAX",
	"DEBUG_MIN",	  "CERTPATH",	  "CERTFILE",		       "CERTIDENT",
	"CERTHOST",	  "CERTVERIFY",	  "FORCESSL",
};

static bool read_unsupported(struct reader *r)
{
	for (size_t i = 0; i < sizeof(unsupported) / sizeof(unsupported[0]); i++) {
		uint32_t bit = 1U << i;

		if (strcmp(unsupported[i], arg(r, 0)) != 0)
			continue;
		if (!(r->report->unsupported & bit))
			warning(r, "%s is not supported yet and has no effect%s", arg(r, 0),
				arg(r, 0)[0] == 'C' || arg(r, 0)[0] == 'F'
					? ": connections are not encrypted"
					: "");
		r->report->unsupported |= bit;
		return true;
	}
	return false;
}

void conf_line(struct conf *conf, const struct words *words, int line, struct conf_report *report)
{
	struct reader r = { conf, words, report, line };

	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		if (strcmp(directives[i].name, words_at(words, 0)) == 0) {
			directives[i].read(&r);
			return;
		}
	}
	if (!read_seconds(&r) && !read_unsupported(&r))
		error(&r, "there is no directive \"%s\" (names are case-sensitive)",
		      words_at(words, 0));
}

void conf_init(struct conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	conf->text_used = 1; /* offset 0 is the empty text */
	conf->min_supplies = 1;
	conf->poll_freq_ms = 5000;
	conf->poll_freq_alert_ms = 5000;
	conf->dead_time_ms = 15000;
	conf->host_sync_ms = 15000;
	conf->final_delay_ms = 5000;
	for (int i = 0; i < NOTIFY_TYPES; i++)
		conf->notify[i].flags = NOTIFY_DEFAULT_FLAGS;
}

void conf_finish(struct conf *conf, struct conf_report *report)
{
	unsigned int total = 0;

	for (unsigned int i = 0; i < conf->ups_count; i++)
		total += conf->ups[i].power_value;
	if (report->errors > 0)
		return; /* what follows would only repeat the consequences */
	if (conf->ups_count == 0)
		conf_say(report, CONF_ERROR, 0,
			 "there is no MONITOR line: nothing to watch.  Add one, such as: "
			 "MONITOR ups@localhost 1 monuser secret primary");
	else if (total < conf->min_supplies)
		conf_say(report, CONF_ERROR, 0,
			 "the power values of all MONITOR lines add up to %u, and MINSUPPLIES "
			 "asks for %u",
			 total, conf->min_supplies);
	if (!conf->shutdown_cmd)
		conf_say(report, conf->min_supplies > 0 ? CONF_ERROR : CONF_WARNING, 0,
			 "there is no SHUTDOWNCMD: the machine could not be shut down.  Add one, "
			 "such as: SHUTDOWNCMD \"/sbin/poweroff\"");
}

int conf_find_same(const struct conf *old, const struct conf *conf, uint16_t ups)
{
	const struct conf_ups *b = &conf->ups[ups];

	for (int i = 0; i < old->ups_count; i++) {
		const struct conf_ups *a = &old->ups[i];

		if (a->primary == b->primary &&
		    strcmp(conf_get(old, a->system), conf_get(conf, b->system)) == 0 &&
		    strcmp(conf_get(old, a->user), conf_get(conf, b->user)) == 0 &&
		    strcmp(conf_get(old, a->password), conf_get(conf, b->password)) == 0)
			return i;
	}
	return -1;
}

const char *conf_get(const struct conf *conf, uint16_t text)
{
	return &conf->text[text];
}

const char *conf_notify_text(const struct conf *conf, enum notify_type type)
{
	return conf->notify[type].text ? conf_get(conf, conf->notify[type].text)
				       : notify_default_text(type);
}
