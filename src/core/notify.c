/* SPDX-License-Identifier: ISC */
#include "core/notify.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	const char *text;
} types[NOTIFY_TYPES] = {
	[NOTIFY_ONLINE] = { "ONLINE", "UPS %s on line power" },
	[NOTIFY_ONBATT] = { "ONBATT", "UPS %s on battery" },
	[NOTIFY_LOWBATT] = { "LOWBATT", "UPS %s battery is low" },
	[NOTIFY_FSD] = { "FSD", "UPS %s: forced shutdown in progress" },
	[NOTIFY_COMMOK] = { "COMMOK", "Communications with UPS %s established" },
	[NOTIFY_COMMBAD] = { "COMMBAD", "Communications with UPS %s lost" },
	[NOTIFY_SHUTDOWN] = { "SHUTDOWN", "Auto logout and shutdown proceeding" },
	[NOTIFY_SHUTDOWN_HOSTSYNC] = { "SHUTDOWN_HOSTSYNC",
		"Shutdown initiated; primary system is waiting for secondaries to log out or time out" },
	[NOTIFY_REPLBATT] = { "REPLBATT", "UPS %s battery needs to be replaced" },
	[NOTIFY_NOCOMM] = { "NOCOMM", "UPS %s is unavailable" },
	[NOTIFY_NOPARENT] = { "NOPARENT", "upsmon parent process died - shutdown impossible" },
	[NOTIFY_CAL] = { "CAL", "UPS %s: calibration in progress" },
	[NOTIFY_NOTCAL] = { "NOTCAL", "UPS %s: calibration finished" },
	[NOTIFY_OFF] = { "OFF", "UPS %s: administratively OFF or asleep" },
	[NOTIFY_NOTOFF] = { "NOTOFF", "UPS %s: no longer administratively OFF or asleep" },
	[NOTIFY_BYPASS] = { "BYPASS", "UPS %s: on bypass (powered, not protecting)" },
	[NOTIFY_NOTBYPASS] = { "NOTBYPASS", "UPS %s: no longer on bypass" },
	[NOTIFY_ECO] = { "ECO", "UPS %s: in ECO mode (as defined by vendor)" },
	[NOTIFY_NOTECO] = { "NOTECO", "UPS %s: no longer in ECO mode (as defined by vendor)" },
	[NOTIFY_ALARM] = { "ALARM", "UPS %s: one or more active alarms: [%s]" },
	[NOTIFY_NOTALARM] = { "NOTALARM",
		"UPS %s is no longer in an alarm state (no active alarms)" },
	[NOTIFY_OVER] = { "OVER", "UPS %s: overloaded" },
	[NOTIFY_NOTOVER] = { "NOTOVER", "UPS %s: no longer overloaded" },
	[NOTIFY_TRIM] = { "TRIM", "UPS %s: trimming incoming voltage" },
	[NOTIFY_NOTTRIM] = { "NOTTRIM", "UPS %s: no longer trimming incoming voltage" },
	[NOTIFY_BOOST] = { "BOOST", "UPS %s: boosting incoming voltage" },
	[NOTIFY_NOTBOOST] = { "NOTBOOST", "UPS %s: no longer boosting incoming voltage" },
	[NOTIFY_OTHER] = { "OTHER", "UPS %s: has at least one unclassified status token: [%s]" },
	[NOTIFY_NOTOTHER] = { "NOTOTHER", "UPS %s has no unclassified status tokens anymore" },
	[NOTIFY_SUSPEND_STARTING] = { "SUSPEND_STARTING", "The system is going to sleep" },
	[NOTIFY_NOLOGIN] = { "NOLOGIN", "UPS %s: the server refuses the login of this host (%s)" },
	[NOTIFY_SUSPEND_FINISHED] = { "SUSPEND_FINISHED", "The system has woken up" },
};

static const struct {
	const char *name;
	unsigned int flag;
} flags[] = {
	{ "IGNORE", NOTIFY_IGNORE },
	{ "SYSLOG", NOTIFY_SYSLOG },
	{ "WALL", NOTIFY_WALL },
	{ "EXEC", NOTIFY_EXEC },
};

const char *notify_name(enum notify_type type)
{
	return types[type].name;
}

const char *notify_default_text(enum notify_type type)
{
	return types[type].text;
}

enum notify_type notify_by_name(const char *name)
{
	int type;

	for (type = 0; type < NOTIFY_TYPES; type++) {
		if (strcasecmp(types[type].name, name) == 0)
			break;
	}
	return (enum notify_type)type;
}

unsigned int notify_flag_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (strcasecmp(flags[i].name, name) == 0)
			return flags[i].flag;
	}
	return 0;
}

int notify_text_ok(const char *text)
{
	int strings = 0;

	for (; *text; text++) {
		if (*text != '%')
			continue;
		text++;
		if (*text == 's')
			strings++;
		else if (*text != '%')
			return 0;
	}
	return strings <= 2;
}

void notify_expand(char *out, size_t size, const char *text, const char *first, const char *second)
{
	const char *insert = first;
	size_t used = 0;

	for (; *text && used + 1 < size; text++) {
		if (*text != '%') {
			out[used++] = *text;
			continue;
		}
		text++;
		if (*text == 's') {
			size_t len = strlen(insert);

			if (len > size - 1 - used)
				len = size - 1 - used;
			memcpy(out + used, insert, len);
			used += len;
			insert = second;
		} else {
			out[used++] = '%';
		}
	}
	out[used] = '\0';
}
