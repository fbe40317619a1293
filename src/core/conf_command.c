/* SPDX-License-Identifier: ISC */
/* SHUTDOWNCMD, NOTIFYCMD and CMDSCRIPT: what is run, by the shell or without it. */
#include <string.h>

#include "core/conf_reader.h"

/* Only the shell does something with such a word: the line has lost its quotes. */
static bool is_for_the_shell(const char *word)
{
	static const char *const operators[] = { "&&", "||", ";", "|", "&", ">", ">>", "<" };
	size_t len = strlen(word);

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (strcmp(word, operators[i]) == 0)
			return true;
	}
	return len > 1 && word[len - 1] == ';' && !strchr(word, ' ');
}

/* Makes one word of it all, as it would be with quotes. */
static void join_for_the_shell(struct conf_reader *r, struct conf_command *command, size_t len)
{
	for (unsigned int i = 1; i <= command->words; i++) {
		if (!is_for_the_shell(conf_arg(r, i)))
			continue;
		conf_warning(r, "%s has a \"%s\", and no quotes around the whole: it is given to the "
				"shell as it stands",
			     conf_arg(r, 0), conf_arg(r, i));
		for (size_t k = 0; k < len; k++) {
			if (r->conf->text[command->text + k] == '\0')
				r->conf->text[command->text + k] = ' ';
		}
		command->words = 1;
		return;
	}
}

/* The rest of the line, word by word. */
static void read_command(struct conf_reader *r, struct conf_command *command)
{
	struct conf_command fresh = { 0, (uint16_t)(r->words->count - 1U) };
	size_t len = 0;

	if (!conf_want(r, fresh.words ? fresh.words : 1, "a command"))
		return;
	/* they stand one behind the other already, each with its NUL */
	for (unsigned int i = 1; i <= fresh.words; i++)
		len += strlen(conf_arg(r, i)) + 1;
	if (len > 1) {
		fresh.text = conf_keep(r, conf_arg(r, 1), len - 1);
		if (!fresh.text)
			return;
		if (fresh.words > 1)
			join_for_the_shell(r, &fresh, len - 1);
	}
	*command = fresh;
}

void conf_read_shutdown_cmd(struct conf_reader *r)
{
	read_command(r, &r->conf->shutdown_cmd);
}

void conf_read_notify_cmd(struct conf_reader *r)
{
	read_command(r, &r->conf->notify_cmd);
}

void conf_read_cmd_script(struct conf_reader *r)
{
	read_command(r, &r->conf->cmd_script);
}
