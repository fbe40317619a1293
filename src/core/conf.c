/* SPDX-License-Identifier: ISC */
/* The configuration as a whole: defaults, what only the end of the file shows, and reading it. */
#include "core/conf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

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

void conf_init(struct conf *conf)
{
	/* a page that is not written to takes no memory */
	memset(conf, 0, offsetof(struct conf, text) + 1);
	conf->text_used = 1; /* offset 0 is the empty text */
	conf->min_supplies = 1;
	conf->poll_freq_ms = 5000;
	conf->poll_freq_alert_ms = 5000;
	conf->dead_time_ms = 15000;
	conf->host_sync_ms = 15000;
	conf->final_delay_ms = 5000;
	conf->nocomm_warn_ms = 300000;
	conf->replace_warn_ms = 43200000;
	conf->off_ms = 30000;
	conf->over_ms = -1;
	conf->alarm_critical = true;
	conf->no_new_privs = -1;
	for (int i = 0; i < TRIGGERS; i++)
		conf->trigger[i] = -1;
	for (int i = 0; i < NOTIFY_TYPES; i++)
		conf->notify[i].flags = NOTIFY_DEFAULT_FLAGS;
}

void conf_copy(struct conf *to, const struct conf *from)
{
	memcpy(to, from, offsetof(struct conf, text) + from->text_used);
}

/* Both would start each timer. */
static void warn_of_upssched(const struct conf *conf, struct conf_report *report)
{
	if (conf->upssched && strstr(conf_get(conf, conf->notify_cmd.text), "upssched"))
		conf_say(report, CONF_WARNING, 0,
			 "NOTIFYCMD runs upssched, and UPSSCHED does the same: each command would run "
			 "twice.  Remove NOTIFYCMD");
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
	warn_of_upssched(conf, report);
#if WITH_TLS
	conf_tls_finish(conf, report);
#endif
	/* a wrong password must reach whoever is told of a lost UPS */
	if (!conf->notify[NOTIFY_NOLOGIN].given)
		conf->notify[NOTIFY_NOLOGIN].flags = conf->notify[NOTIFY_NOCOMM].flags;
	if (conf->shutdown_cmd.words == 0)
		conf_say(report, conf->min_supplies > 0 ? CONF_ERROR : CONF_WARNING, 0,
			 "there is no SHUTDOWNCMD: the machine could not be shut down.  Add one, "
			 "such as: SHUTDOWNCMD \"/sbin/poweroff\"");
	/* as Synology and TrueNAS have it, whose NOTIFYCMD shuts down */
	else if (*conf_get(conf, conf->shutdown_cmd.text) == '\0')
		conf_say(report, CONF_WARNING, 0,
			 "SHUTDOWNCMD is empty: in a shutdown nothing is run but NOTIFYCMD");
}

int conf_find_system(const struct conf *old, const struct conf *conf, uint16_t ups)
{
	const char *system = conf_get(conf, conf->ups[ups].system);

	for (int i = 0; i < old->ups_count; i++) {
		if (strcmp(conf_get(old, old->ups[i].system), system) == 0)
			return i;
	}
	return -1;
}

int32_t conf_trigger(const struct conf *conf, uint16_t ups, enum conf_trigger trigger)
{
	int32_t own = conf->ups[ups].trigger[trigger];

	return own == CONF_INHERIT ? conf->trigger[trigger] : own;
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
