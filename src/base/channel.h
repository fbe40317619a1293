/* SPDX-License-Identifier: ISC */
/*
 * channel.h - records of one size between two processes, without waiting.
 *
 * Two pipes, and not a socket: only bytes can come through a pipe.  Through a
 * socket the peer could send a descriptor, which we would have to close, and the
 * peer could make close(2) wait for as long as it likes.
 *
 * A record has at most CHANNEL_RECORD_MAX bytes, which a pipe takes as a whole
 * or not at all.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#define CHANNEL_RECORD_MAX PIPE_BUF

struct channel {
	int in;		/* -1: closed */
	int out;
};

/* An open channel has two ends: what one says, the other hears.  Both close on exec. */
bool channel_pair(struct channel *one, struct channel *other);
void channel_init(struct channel *c);
void channel_close(struct channel *c);
bool channel_is_open(const struct channel *c);

/* True if it was taken; false with errno EAGAIN if the other side does not listen. */
bool channel_send(const struct channel *c, const void *record, size_t size);

enum channel_result {
	CHANNEL_NONE,	/* nothing is there yet */
	CHANNEL_GOT,
	CHANNEL_BAD,	/* a part of a record, which no well-behaved peer sends */
	CHANNEL_CLOSED,
};
enum channel_result channel_receive(const struct channel *c, void *record, size_t size);

#endif
