/* SPDX-License-Identifier: ISC */
#include "identity/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "options.h"

static const char *const orders[] = { "reload", "upgrade", "fsd" };

#define DONE "done"
#define FAILED "failed"

static void file_name(char out[32], const char *order)
{
	snprintf(out, 32, PROGRAM_NAME ".%s", order);
}

void result_write(const struct instance *in, const char *order, int64_t begun, bool done,
		  const char *text)
{
	char name[32], line[MESSAGE_MAX + 32];
	int len = snprintf(line, sizeof(line), "%lld %s %s\n", (long long)begun,
			   done ? DONE : FAILED, text);

	if (len >= (int)sizeof(line))
		len = (int)sizeof(line) - 1;
	file_name(name, order);
	if (!rundir_replace(&in->dir, name, line, (size_t)len))
		log_warning("%s/%s cannot be written: whoever gave the order gets no answer",
			    in->dir.path, name);
}

bool result_read(const struct instance *in, const char *order, int64_t since, bool *done,
		 char *text, size_t size)
{
	char name[32], line[MESSAGE_MAX + 32];
	char *word;

	file_name(name, order);
	if (instance_read(in, name, line, sizeof(line)) <= 0 || strtoll(line, &word, 10) < since)
		return false;
	*done = strncmp(word, " " DONE " ", strlen(" " DONE " ")) == 0;
	word += *done ? strlen(" " DONE " ") : strlen(" " FAILED " ");
	word[strcspn(word, "\n")] = '\0';
	snprintf(text, size, "%s", word);
	return true;
}

void result_remove_all(const struct instance *in)
{
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
		char name[32];

		file_name(name, orders[i]);
		rundir_remove(&in->dir, name);
	}
}
