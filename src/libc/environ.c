/* SPDX-License-Identifier: ISC */
#include "libc/libc.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * What a process adds to its environment: the daemon a few paths, a command
 * half a dozen words about the event.  Nothing of it is ever given back.
 */
#define ADDED_MAX 32
#define TEXT_MAX 8192

static struct {
	char **list; /* ours; NULL before the first addition */
	int room;    /* for so many more */
	char *text;
	size_t left;
} self;

/* Where a variable stands, or the NULL at the end. */
static char **find(const char *name, size_t len)
{
	char **at = environ;

	while (*at && !(strncmp(*at, name, len) == 0 && (*at)[len] == '='))
		at++;
	return at;
}

/* Zeroed, and memory only where it is written to. */
static void *pages(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static bool own_list(void)
{
	size_t count = 0, size;

	if (self.list)
		return true;
	while (environ[count])
		count++;
	size = (count + ADDED_MAX + 1) * sizeof(char *);
	self.list = pages(size + TEXT_MAX);
	if (!self.list)
		return false;
	self.text = (char *)self.list + size;
	self.left = TEXT_MAX;
	self.room = ADDED_MAX;
	memcpy(self.list, environ, count * sizeof(char *));
	environ = self.list;
	return true;
}

static char *own_text(size_t size)
{
	char *text = self.text;

	if (size > self.left) {
		self.left = size > TEXT_MAX ? size : TEXT_MAX;
		text = pages(self.left);
		if (!text) {
			self.left = 0;
			return NULL;
		}
	}
	self.text = text + size;
	self.left -= size;
	return text;
}

int setenv(const char *name, const char *value, int overwrite)
{
	size_t len = strlen(name), size = len + strlen(value) + 2;
	char **at, *text;

	if (len == 0 || strchr(name, '=')) {
		errno = EINVAL;
		return -1;
	}
	if (*find(name, len) && !overwrite)
		return 0;
	if (!own_list())
		return -1;
	at = find(name, len);
	if (!*at && self.room == 0) {
		errno = ENOMEM;
		return -1;
	}
	text = own_text(size);
	if (!text)
		return -1;
	strcpy(text, name);
	text[len] = '=';
	strcpy(text + len + 1, value);
	/* what stands behind the end of the list is NULL, too */
	self.room -= !*at;
	*at = text;
	return 0;
}

int unsetenv(const char *name)
{
	size_t len = strlen(name);
	char **at;

	while (*(at = find(name, len))) {
		for (; *at; at++)
			at[0] = at[1];
		self.room++; /* which own_list() forgets, if the list is not ours yet */
	}
	return 0;
}

char *getcwd(char *to, size_t size)
{
	if (syscall(SYS_getcwd, to, size) < 0)
		return NULL;
	/* outside of this root the kernel says "(unreachable)" */
	if (*to == '/')
		return to;
	errno = ENOENT;
	return NULL;
}
