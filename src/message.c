/* SPDX-License-Identifier: ISC */
#include "message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "status.h"

/* No timer of ours reaches further than this from now. */
#define FAR_MS ((int64_t)24 * 86400 * 1000)

bool message_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0;
}

bool message_send(int fd, const struct message *m)
{
	ssize_t n;

	do
		n = send(fd, m, sizeof(*m), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*m);
}

enum message_result message_receive(int fd, struct message *m)
{
	/* one byte more than fits, to tell a message that is too long */
	struct {
		struct message m;
		char more;
	} in;
	ssize_t n;

	do
		n = recv(fd, &in, sizeof(in), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? MESSAGE_NONE : MESSAGE_CLOSED;
	if (n == 0)
		return MESSAGE_CLOSED;
	if (n != (ssize_t)sizeof(*m))
		return MESSAGE_BAD;
	*m = in.m;
	return MESSAGE_GOT;
}

static bool past(int64_t t, int64_t now)
{
	return t <= now && t >= now - FAR_MS * 365;
}

static bool past_or_never(int64_t t, int64_t now)
{
	return t == NEVER || past(t, now);
}

static bool near_or_never(int64_t t, int64_t now)
{
	return t == NEVER || (t <= now + FAR_MS && t >= now - FAR_MS * 365);
}

static bool ups_is_sound(const struct ups *u, int64_t now)
{
	return (u->bits & ~(uint32_t)(ST_ALL | ST_ANSWERED)) == 0 && u->comm <= COMM_BAD &&
	       u->line <= LINE_BATTERY && u->battery_notified <= 1 && u->low_notified <= 1 &&
	       u->fsd_notified <= 1 && u->alarm_notified <= 1 && u->logged_in <= 1 &&
	       u->critical < CRITICAL_REASONS && u->charge >= UPS_UNKNOWN &&
	       u->runtime >= UPS_UNKNOWN && past(u->answered, now) &&
	       past_or_never(u->lost_since, now) && past_or_never(u->battery_since, now) &&
	       past_or_never(u->low_since, now) && past_or_never(u->off_since, now) &&
	       near_or_never(u->nocomm_at, now) && near_or_never(u->replace_at, now) &&
	       memchr(u->alarm, '\0', sizeof(u->alarm)) != NULL;
}

bool message_is_sound(const struct message *m, uint16_t ups_count, int64_t now)
{
	switch (m->kind) {
	case MESSAGE_READY:
	case MESSAGE_SHUTDOWN:
	case MESSAGE_RELOADED:
		return true;
	case MESSAGE_UPS:
		return m->ups < ups_count && ups_is_sound(&m->state, now);
	case MESSAGE_PHASE:
		return m->phase <= PHASE_DOWN && near_or_never(m->phase_until, now);
	default:
		return false;
	}
}
