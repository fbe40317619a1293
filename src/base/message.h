/* SPDX-License-Identifier: ISC */
/*
 * message.h - what guard and monitor say to each other.
 *
 * A closed set of messages of one size on a SOCK_SEQPACKET pair.  The guard
 * is root and the monitor speaks with the network, so the guard checks each
 * message in full (message_is_sound) and ends a monitor that sends a bad one.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "core/session.h"
#include "core/ups.h"

enum message_kind {
	/* monitor to guard */
	MESSAGE_READY = 1,	/* a first attempt was made at each UPS */
	MESSAGE_UPS,		/* what is known of one UPS: kept for the next monitor */
	MESSAGE_PHASE,		/* how far a shutdown has come: kept likewise */
	MESSAGE_SHUTDOWN,	/* run SHUTDOWNCMD now */
	MESSAGE_RELOADED,	/* the new configuration is in use */
	MESSAGE_LINK,		/* a session, and its connection as a descriptor, for the next monitor */
	MESSAGE_HANDED,		/* that was the last of them; the monitor ends */
	/* guard to monitor */
	MESSAGE_FSD,		/* -c fsd */
	MESSAGE_RELOAD,		/* a new configuration lies in the shared memory */
	MESSAGE_STOP,		/* log out and end */
	MESSAGE_HANDOVER,	/* come to rest, hand over what you have, and end */
	MESSAGE_RESUME,		/* or rather go on */
};

struct message {
	uint32_t kind;
	uint32_t generation;	/* of the configuration that `ups` counts in */
	uint32_t ups;
	uint32_t phase;
	int64_t phase_until;
	struct ups state;
	struct session session;
};

/* Two ends that close on exec and never block. */
bool message_pair(int ends[2]);

/* True if it was taken; false with errno EAGAIN if the other side is full. */
bool message_send(int fd, const struct message *m);

/* The same with a descriptor, which stays the sender's too; -1: without. */
bool message_send_with(int fd, const struct message *m, int passed);

enum message_result { MESSAGE_NONE, MESSAGE_GOT, MESSAGE_BAD, MESSAGE_CLOSED };

/* *passed is a descriptor that came along and is now the caller's, or -1. */
enum message_result message_receive(int fd, struct message *m, int *passed);

/* Whether a monitor may say this: kind, indices, and the range of each value. */
bool message_is_sound(const struct message *m, uint16_t ups_count, int64_t now);

#endif
