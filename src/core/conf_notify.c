/* SPDX-License-Identifier: ISC */
/* NOTIFYMSG and NOTIFYFLAG: what is said of an event, and to whom. */
#include <stdio.h>
#include <string.h>

#include "core/conf_reader.h"

static enum notify_type read_notify_type(struct conf_reader *r)
{
	enum notify_type type = notify_by_name(conf_arg(r, 1));

	if (type == NOTIFY_TYPES)
		conf_fault(r, "%s: there is no notify type \"%s\"", conf_arg(r, 0), conf_arg(r, 1));
	return type;
}

/* The words from the second on, as they would stand between quotes. */
static void join(const struct conf_reader *r, char *text, size_t size)
{
	size_t used = 0;

	for (unsigned int i = 2; i < r->words->count; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i > 2 ? " " : "",
					 conf_arg(r, i));
}

void conf_read_notify_msg(struct conf_reader *r)
{
	/* the words with their NULs fitted the same size */
	char text[WORDS_TEXT_MAX];
	enum notify_type type;

	if (r->words->count < 3) {
		conf_fault(r, "expected: %s type \"text\"", conf_arg(r, 0));
		return;
	}
	type = read_notify_type(r);
	if (type == NOTIFY_TYPES)
		return;
	join(r, text, sizeof(text));
	if (!notify_text_ok(text)) {
		conf_fault(r, "NOTIFYMSG %s: a text may hold %%s twice and no other %% (%%%% is a %%)",
			   conf_arg(r, 1));
		return;
	}
	if (r->words->count > 3)
		conf_warning(r, "NOTIFYMSG %s: the text has no quotes; all of the line is taken for it",
			     conf_arg(r, 1));
	r->conf->notify[type].text = conf_keep_string(r, text);
}

void conf_read_notify_flag(struct conf_reader *r)
{
	enum notify_type type;
	char list[WORDS_TEXT_MAX];
	unsigned int flags = 0;

	if (!conf_want(r, 2, "NOTIFYFLAG type SYSLOG+WALL+EXEC"))
		return;
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
		if (!bit)
			conf_warning(r, "NOTIFYFLAG %s: \"%s\" is none of SYSLOG, WALL, EXEC, IGNORE, "
				        "and is ignored",
				     conf_arg(r, 1), flag);
		flags |= bit;
	}
	/* nothing that could be understood changes nothing */
	if (!flags)
		return;
	r->conf->notify[type].flags = (uint8_t)flags;
	r->conf->notify[type].given = true;
}
