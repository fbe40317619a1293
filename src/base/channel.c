/* SPDX-License-Identifier: ISC */
#include "base/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void channel_init(struct channel *c)
{
	c->in = -1;
	c->out = -1;
}

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void channel_close(struct channel *c)
{
	close_end(&c->in);
	close_end(&c->out);
}

bool channel_is_open(const struct channel *c)
{
	return c->in >= 0;
}

bool channel_pair(struct channel *one, struct channel *other)
{
	int there[2], back[2];

	channel_init(one);
	channel_init(other);
	if (pipe2(there, O_CLOEXEC | O_NONBLOCK) < 0)
		return false;
	if (pipe2(back, O_CLOEXEC | O_NONBLOCK) < 0) {
		int error = errno;

		close(there[0]);
		close(there[1]);
		errno = error;
		return false;
	}
	one->out = there[1];
	other->in = there[0];
	other->out = back[1];
	one->in = back[0];
	return true;
}

bool channel_send(const struct channel *c, const void *record, size_t size)
{
	ssize_t n;

	do
		n = write(c->out, record, size);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)size;
}

enum channel_result channel_receive(const struct channel *c, void *record, size_t size)
{
	ssize_t n;

	do
		n = read(c->in, record, size);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? CHANNEL_NONE : CHANNEL_CLOSED;
	if (n == 0)
		return CHANNEL_CLOSED;
	return n == (ssize_t)size ? CHANNEL_GOT : CHANNEL_BAD;
}
