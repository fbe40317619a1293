/* SPDX-License-Identifier: ISC */
#include "base/message.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/status.h"

/* No timer of ours reaches further than this from now. */
#define FAR_MS ((int64_t)24 * 86400 * 1000)

/* Room for the ancillary data of a descriptor, aligned as it must be. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

bool message_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0;
}

bool message_send(int fd, const struct message *m)
{
	return message_send_with(fd, m, -1);
}

bool message_send_with(int fd, const struct message *m, int passed)
{
	struct message out = *m;
	struct iovec part = { &out, sizeof(out) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	if (passed >= 0) {
		struct cmsghdr *c;

		memset(&control, 0, sizeof(control));
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(sizeof(int));
		c = CMSG_FIRSTHDR(&header);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &passed, sizeof(int));
	}
	do
		n = sendmsg(fd, &header, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)sizeof(*m);
}

/* The one descriptor that may come along; more than that are closed again. */
static int take_passed(struct msghdr *header)
{
	int passed = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c; c = CMSG_NXTHDR(header, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (passed < 0)
				passed = fd;
			else
				close(fd);
		}
	}
	return passed;
}

enum message_result message_receive(int fd, struct message *m, int *passed)
{
	/* one byte more than fits, to tell a message that is too long */
	struct {
		struct message m;
		char more;
	} in;
	struct iovec part = { &in, sizeof(in) };
	struct msghdr header = { .msg_iov = &part, .msg_iovlen = 1 };
	union control control;
	ssize_t n;

	*passed = -1;
	do {
		header.msg_control = control.bytes;
		header.msg_controllen = sizeof(control.bytes);
		n = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? MESSAGE_NONE : MESSAGE_CLOSED;
	*passed = take_passed(&header);
	if (n == (ssize_t)sizeof(*m) && (in.m.kind == MESSAGE_LINK || *passed < 0)) {
		*m = in.m;
		return MESSAGE_GOT;
	}
	/* nothing else comes with a descriptor */
	if (*passed >= 0)
		close(*passed);
	*passed = -1;
	return n == 0 ? MESSAGE_CLOSED : MESSAGE_BAD;
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

/* A bool that came from elsewhere may hold anything. */
static bool is_bool(const bool *b)
{
	return *(const unsigned char *)b <= 1;
}

static bool session_is_sound(const struct session *s, int64_t now)
{
	return (s->state == SESSION_DOWN || s->state == SESSION_IDLE) &&
	       is_bool(&s->login_done) && is_bool(&s->logged_in) && is_bool(&s->want_fsd) &&
	       is_bool(&s->want_logins) && is_bool(&s->want_logout) &&
	       is_bool(&s->logins_known) && is_bool(&s->list_clients) &&
	       ((s->wants | s->missing | s->told_missing) >> VARIABLES) == 0 &&
	       s->request <= REQUEST_LOGOUT && s->login_step <= REQUEST_LOGOUT &&
	       near_or_never(s->attempted, now) && near_or_never(s->polled, now) &&
	       near_or_never(s->login_at, now) && near_or_never(s->logins_at, now) &&
	       near_or_never(s->fsd_at, now) && near_or_never(s->reply_by, now) &&
	       s->poll_report <= REPORT_FINAL_DELAY &&
	       s->login_report <= REPORT_FINAL_DELAY;
}

bool message_is_sound(const struct message *m, uint16_t ups_count, int64_t now)
{
	switch (m->kind) {
	case MESSAGE_READY:
	case MESSAGE_SHUTDOWN:
	case MESSAGE_RELOADED:
	case MESSAGE_HANDED:
		return true;
	case MESSAGE_UPS:
		return m->ups < ups_count && ups_is_sound(&m->state, now);
	case MESSAGE_LINK:
		return m->ups < ups_count && session_is_sound(&m->session, now);
	case MESSAGE_PHASE:
		return m->phase <= PHASE_DOWN && near_or_never(m->phase_until, now);
	default:
		return false;
	}
}
