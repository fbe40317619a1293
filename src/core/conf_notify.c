/* SPDX-License-Identifier: ISC */
/* NOTIFYMSG and NOTIFYFLAG: what is said of an event, and to whom. */
#include <stdio.h>
#include <string.h>

#include "core/conf_reader.h"

static enum notify_type read_notify_type(struct conf_reader *r)
{
	enum notify_type type = notify_by_name(conf_arg(r, 1));

	if (type == NOTIFY_TYPES)
		conf_warning(r, "%s: there is no notify type \"%s\"; the line is ignored", conf_arg(r, 0),
			conf_arg(r, 1));
	return type;
}

void conf_read_notify_msg(struct conf_reader *r)
{
	enum notify_type type;

	if (r->words->count != 3) {
		conf_warning(r, "expected: NOTIFYMSG type \"text\"; the line is ignored");
		return;
	}
	type = read_notify_type(r);
	if (type == NOTIFY_TYPES)
		return;
	if (!notify_text_ok(conf_arg(r, 2))) {
		conf_error(r, "NOTIFYMSG %s: a text may hold %%s twice and no other %% (%%%% is a %%)",
		      conf_arg(r, 1));
		return;
	}
	r->conf->notify[type].text = conf_keep_string(r, conf_arg(r, 2));
}

void conf_read_notify_flag(struct conf_reader *r)
{
	enum notify_type type;
	char list[WORDS_TEXT_MAX];
	unsigned int flags = 0;

	if (r->words->count != 3) {
		conf_warning(r, "expected: NOTIFYFLAG type SYSLOG+WALL+EXEC; the line is ignored");
		return;
	}
	type = read_notify_type(r);
	if (type == NOTIFY_TYPES)
		return;
	snprintf(list, sizeof(list), "%s", conf_arg(r, 2));
	for (char *flag = list, *next; flag; flag = next) {
		unsigned int bit;

		next = strchr(flag, '+');
		if (next)
			*next++ = '\0';
		bit = notify_flag_by_name(flag);
		if (!bit) {
			conf_warning(r, "NOTIFYFLAG %s: \"%s\" is none of SYSLOG, WALL, EXEC, IGNORE; "
				   "the line is ignored",
				conf_arg(r, 1), flag);
			return;
		}
		flags |= bit;
	}
	r->conf->notify[type].flags = (uint8_t)flags;
}
