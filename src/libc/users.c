/* SPDX-License-Identifier: ISC */
#include "libc/libc.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "libc/text_file.h"

#define WORD_MAX 64

/* An entry without a number is none: it must not become root's. */
static bool read_id(const char *text, unsigned int *id)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*id = (unsigned int)number;
	return *text >= '0' && *text <= '9' && *end == '\0' && number < (unsigned int)-1;
}

struct passwd *getpwnam(const char *name)
{
	static struct passwd found;
	struct text_file f;
	struct passwd *result = NULL;
	char word[WORD_MAX];
	unsigned int uid, gid;
	int end;

	if (*name == '\0' || !text_open(&f, "/etc/passwd"))
		return NULL;
	do {
		end = text_word(&f, word, sizeof(word), ":");
		if (end != ':' || strcmp(word, name) != 0)
			continue;
		end = text_word(&f, word, sizeof(word), ":"); /* the password */
		if (end == ':')
			end = text_word(&f, word, sizeof(word), ":");
		if (end != ':' || !read_id(word, &uid))
			continue;
		end = text_word(&f, word, sizeof(word), ":");
		if (end != ':' || !read_id(word, &gid))
			continue;
		memset(&found, 0, sizeof(found));
		found.pw_uid = uid;
		found.pw_gid = gid;
		result = &found;
	} while (!result && text_next_line(&f, end));
	text_close(&f);
	return result;
}

/* The members of a group, of which `end` was read last: is one of them the user? */
static bool is_member(struct text_file *f, int *end, const char *user)
{
	char word[WORD_MAX];

	while (*end == ':' || *end == ',') {
		*end = text_word(f, word, sizeof(word), ",");
		if (strcmp(word + strspn(word, " \t"), user) == 0)
			return true;
	}
	return false;
}

static bool is_in(gid_t gid, const gid_t *groups, int count)
{
	while (count > 0)
		if (groups[--count] == gid)
			return true;
	return false;
}

int getgrouplist(const char *user, gid_t group, gid_t *groups, int *count)
{
	struct text_file f;
	int found = 1, end;

	if (*count > 0)
		groups[0] = group;
	if (text_open(&f, "/etc/group")) {
		do {
			char word[WORD_MAX];
			unsigned int gid = 0;
			int field = 0;

			/* name, password, number */
			do {
				end = text_word(&f, word, sizeof(word), ":");
			} while (++field < 3 && end == ':');
			if (end != ':' || !read_id(word, &gid) || gid == group ||
			    is_in(gid, groups, found < *count ? found : *count) || !is_member(&f, &end, user))
				continue;
			if (found < *count)
				groups[found] = gid;
			found++;
		} while (text_next_line(&f, end));
		text_close(&f);
	}
	end = found <= *count ? found : -1;
	*count = found;
	return end;
}
