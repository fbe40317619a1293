/* SPDX-License-Identifier: ISC */
/* MONITOR: which UPS, at which server, as whom. */
#include <string.h>
#include <strings.h>

#include "core/conf_reader.h"

/* ups[@host[:port]], host may be [v6] */
static bool read_system(struct conf_reader *r, const char *system, struct conf_ups *ups)
{
	const char *at = strrchr(system, '@');
	const char *host = at ? at + 1 : "";
	const char *host_end = host + strlen(host);
	const char *colon = NULL;
	int32_t port = CONF_DEFAULT_PORT;

	if (*host == '[') {
		const char *close = strchr(++host, ']');

		if (!close || (close[1] != '\0' && close[1] != ':')) {
			conf_fault(r, "%s: expected ups@[address] or ups@[address]:port", system);
			return false;
		}
		host_end = close;
		colon = close[1] ? close + 1 : NULL;
	} else if (at) {
		colon = strchr(host, ':');
		if (colon && strchr(colon + 1, ':')) {
			conf_fault(r, "%s: an IPv6 address needs brackets: ups@[%s]", system, host);
			return false;
		}
		if (colon)
			host_end = colon;
	}
	if (system[0] == '\0' || at == system) {
		conf_fault(r, "%s: the name of the UPS is missing, as in ups@host", system);
		return false;
	}
	if (at && host_end == host) {
		conf_fault(r, "%s: the host behind @ is missing", system);
		return false;
	}
	if (colon && !conf_number(r, "the port", colon + 1, 1, 65535, &port))
		return false;

	ups->system = conf_keep_string(r, system);
	ups->name = conf_keep(r, system, at ? (size_t)(at - system) : strlen(system));
	ups->host = at ? conf_keep(r, host, (size_t)(host_end - host)) : conf_keep_string(r, "localhost");
	ups->port = (uint16_t)port;
	return true;
}

static bool read_role(const char *role, bool *primary)
{
	*primary = strcasecmp(role, "primary") == 0 || strcasecmp(role, "master") == 0;
	return *primary || strcasecmp(role, "secondary") == 0 || strcasecmp(role, "slave") == 0;
}

struct conf_ups *conf_system(struct conf *conf, const char *system)
{
	for (unsigned int i = 0; i < conf->ups_count; i++) {
		if (strcmp(conf_get(conf, conf->ups[i].system), system) == 0)
			return &conf->ups[i];
	}
	return NULL;
}

void conf_read_monitor(struct conf_reader *r)
{
	static const char usage[] = "MONITOR system powervalue user password role";
	struct conf *conf = r->conf;
	struct conf_ups ups;
	int32_t power = 0;

	memset(&ups, 0, sizeof(ups));
	if (r->words->count >= 6 && !read_role(conf_arg(r, 5), &ups.primary)) {
		conf_fault(r, "\"%s\" is neither primary nor secondary; expected: %s (a name or "
			      "password with a space, # or = needs quotes)",
			   conf_arg(r, 5), usage);
		return;
	}
	if (!conf_want(r, 5, usage))
		return;
	if (conf_system(conf, conf_arg(r, 1))) {
		conf_warning(r, "%s is monitored already; the line is ignored", conf_arg(r, 1));
		return;
	}
	if (conf->ups_count >= UPS_MAX) {
		conf_fault(r, "more than %d MONITOR lines; build with -DUPS_MAX=N for more",
			   UPS_MAX);
		return;
	}
	if (!read_system(r, conf_arg(r, 1), &ups) ||
	    !conf_number(r, "the power value", conf_arg(r, 2), 0, 1000, &power))
		return;
	for (unsigned int i = 0; i < TRIGGERS; i++)
		ups.trigger[i] = CONF_INHERIT;
	ups.power_value = (uint16_t)power;
	ups.user = conf_keep_string(r, conf_arg(r, 3));
	ups.password = conf_keep_string(r, conf_arg(r, 4));
	conf->ups[conf->ups_count++] = ups;
}
