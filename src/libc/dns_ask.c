/* SPDX-License-Identifier: ISC */
#include "libc/dns_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define STEP_MS 1000
#define PATIENCE_MS 3000
#define ALL_MS 10000
#define TCP_MS 2000
/* By UDP an answer has 512 bytes; of a longer one by TCP, this much is enough. */
#define ANSWER_MAX 4096

struct question {
	uint8_t bytes[DNS_QUESTION_MAX];
	size_t len;
	bool open;
	/* a bit for each server */
	unsigned int failed;
	unsigned int none; /* said that there is no address */
};

struct ask {
	struct resolv_conf *conf;
	struct dns_asked *asked;
	struct question questions[DNS_ASK_TYPES];
	struct pollfd fds[RESOLV_SERVERS_MAX]; /* one socket for each: the kernel drops what others send */
	unsigned int heard; /* a bit for each server that said anything */
	bool hand_over; /* the server that was asked last has failed */
	int64_t begun;
	int64_t enough_at; /* the question that is still open then is given up */
	uint8_t answer[ANSWER_MAX];
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Together with the port, which the kernel chooses, what a forger would have to guess. */
static uint16_t random_id(void)
{
	struct timespec ts;
	uint16_t id;

	/* 1: GRND_NONBLOCK; the first minute of a board, and kernels before 3.17, have none */
	if (syscall(SYS_getrandom, &id, sizeof(id), 1) == (long)sizeof(id))
		return id;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint16_t)(ts.tv_nsec ^ ts.tv_nsec >> 16 ^ getpid());
}

static socklen_t length_of(const union resolv_server *server)
{
	return server->any.sa_family == AF_INET ? sizeof(server->v4) : sizeof(server->v6);
}

static int connect_to(const union resolv_server *server, int type)
{
	struct timeval limit = { .tv_sec = TCP_MS / 1000 };
	int fd = socket(server->any.sa_family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, &server->any, length_of(server)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* The length of the answer, or of as much of it as fits; 0 if there is none. */
static size_t ask_by_tcp(const union resolv_server *server, const struct question *q,
			 uint8_t answer[ANSWER_MAX])
{
	uint8_t bytes[2 + DNS_QUESTION_MAX] = { (uint8_t)(q->len >> 8), (uint8_t)q->len };
	int64_t until = now_ms() + TCP_MS;
	size_t len = 0;
	ssize_t n;
	int fd = connect_to(server, SOCK_STREAM);

	if (fd < 0)
		return 0;
	memcpy(bytes + 2, q->bytes, q->len);
	n = send(fd, bytes, q->len + 2, MSG_NOSIGNAL);
	/* its length says where it ends; so does the end of the stream, or of our room */
	while (n > 0 && len < ANSWER_MAX && now_ms() < until &&
	       (len < 2 || len < 2u + ((size_t)answer[0] << 8 | answer[1]))) {
		n = read(fd, answer + len, ANSWER_MAX - len);
		if (n > 0)
			len += (size_t)n;
	}
	close(fd);
	if (len <= 2)
		return 0;
	memmove(answer, answer + 2, len - 2);
	return len - 2;
}

static void close_question(struct ask *a, struct question *q, enum dns_result result)
{
	a->asked[q - a->questions].result = result;
	q->open = false;
	/* some routers drop questions about IPv6: when IPv4 has its answer, that is no reason to wait */
	if ((result == DNS_FOUND || q == &a->questions[DNS_ASK_V4]) && a->enough_at > now_ms() + STEP_MS)
		a->enough_at = now_ms() + STEP_MS;
}

/*
 * "There is none" is believed of the first server that works: behind a router
 * that knows the names of the house often stands one that denies them.
 */
static void settle(struct ask *a, struct question *q, int64_t now)
{
	unsigned int all = (1u << a->conf->server_count) - 1;

	if (q->open && q->failed == all)
		close_question(a, q, DNS_FAILED);
	for (unsigned int bit = 1; q->open && bit < all + 1; bit <<= 1) {
		if (q->none & bit)
			close_question(a, q, DNS_NONE);
		else if (!((q->failed | a->conf->silent) & bit) && now < a->begun + PATIENCE_MS)
			return;
	}
}

static void fail(struct ask *a, struct question *q, unsigned int server)
{
	q->failed |= 1u << server;
	settle(a, q, now_ms());
}

static void fail_all(struct ask *a, unsigned int server)
{
	for (struct question *q = a->questions; q < a->questions + DNS_ASK_TYPES; q++)
		if (q->open)
			fail(a, q, server);
}

static void ask_server(struct ask *a, unsigned int server)
{
	struct pollfd *p = &a->fds[server];

	a->hand_over = false;
	if (p->fd < 0)
		p->fd = connect_to(&a->conf->servers[server], SOCK_DGRAM);
	for (struct question *q = a->questions; q < a->questions + DNS_ASK_TYPES; q++) {
		if (!q->open || (q->failed & 1u << server))
			continue;
		if (p->fd < 0 || send(p->fd, q->bytes, q->len, MSG_DONTWAIT) < 0) {
			fail(a, q, server);
			a->hand_over = true;
		}
	}
}

/* True if the server has failed. */
static bool take_answer(struct ask *a, unsigned int server, size_t len)
{
	for (struct question *q = a->questions; q < a->questions + DNS_ASK_TYPES; q++) {
		struct dns_asked *asked = &a->asked[q - a->questions];
		enum dns_result result;

		if (!q->open)
			continue;
		result = dns_answer(a->answer, len, q->bytes, q->len, &asked->found);
		if (result == DNS_TRUNCATED) {
			len = ask_by_tcp(&a->conf->servers[server], q, a->answer);
			result = dns_answer(a->answer, len, q->bytes, q->len, &asked->found);
			if (result != DNS_FOUND && result != DNS_NONE)
				result = DNS_FAILED;
		}
		if (result == DNS_FOREIGN)
			continue;
		if (result == DNS_FAILED) {
			fail(a, q, server);
			return true;
		}
		if (result == DNS_FOUND) {
			close_question(a, q, DNS_FOUND);
		} else {
			q->none |= 1u << server;
			settle(a, q, now_ms());
		}
		return false;
	}
	return false;
}

static bool is_open(const struct ask *a)
{
	for (int i = 0; i < DNS_ASK_TYPES; i++)
		if (a->questions[i].open)
			return true;
	return false;
}

/* Until the next server is to be asked, or nothing is left to ask. */
static void listen_to_all(struct ask *a, unsigned int last_asked)
{
	int64_t now = now_ms(), step_ends = now + STEP_MS;

	while (is_open(a) && !a->hand_over && now < step_ends && now < a->enough_at) {
		int64_t until = step_ends < a->enough_at ? step_ends : a->enough_at;

		if (poll(a->fds, a->conf->server_count, (int)(until - now)) < 0 && errno != EINTR)
			a->enough_at = now; /* of no use any more */
		for (unsigned int i = 0; i < a->conf->server_count; i++) {
			ssize_t n;

			if (a->fds[i].fd < 0 || !a->fds[i].revents)
				continue;
			n = recv(a->fds[i].fd, a->answer, sizeof(a->answer), MSG_DONTWAIT);
			if (n < 0 && errno == EAGAIN)
				continue;
			a->heard |= 1u << i;
			/* refused, or out of reach: the network says it */
			if (n < 0)
				fail_all(a, i);
			if (n < 0 || take_answer(a, i, (size_t)n))
				a->hand_over |= i == last_asked;
		}
		now = now_ms();
	}
	for (struct question *q = a->questions; q < a->questions + DNS_ASK_TYPES; q++)
		settle(a, q, now);
}

/* The next one that may still answer a question that is open. */
static unsigned int next_server(const struct ask *a, unsigned int server)
{
	unsigned int useful = 0;

	for (int i = 0; i < DNS_ASK_TYPES; i++)
		if (a->questions[i].open)
			useful |= ~a->questions[i].failed;
	for (unsigned int n = 0; n < a->conf->server_count; n++) {
		server = (server + 1) % a->conf->server_count;
		if (useful & 1u << server)
			break;
	}
	return server;
}

static enum dns_result sum_up(const struct dns_asked asked[DNS_ASK_TYPES])
{
	enum dns_result sum = DNS_FOREIGN;

	for (int i = 0; i < DNS_ASK_TYPES; i++) {
		if (!asked[i].wanted)
			continue;
		if (asked[i].result == DNS_FOUND)
			return DNS_FOUND;
		/* a server that fails has been heard; and no address for the one type is one answer */
		if (asked[i].result == DNS_FAILED || sum == DNS_FOREIGN)
			sum = asked[i].result;
	}
	/* of IPv4 everyone knows: who says nothing of that has said nothing */
	if (sum == DNS_NONE && asked[DNS_ASK_V4].wanted && asked[DNS_ASK_V4].result == DNS_FOREIGN)
		return DNS_FOREIGN;
	return sum;
}

enum dns_result dns_ask(struct resolv_conf *conf, const char *name,
			struct dns_asked asked[DNS_ASK_TYPES])
{
	static const enum dns_type types[DNS_ASK_TYPES] = { DNS_AAAA, DNS_A };
	struct ask a = { .conf = conf, .asked = asked, .begun = now_ms() };
	uint16_t id = random_id();
	unsigned int server = conf->server_count - 1, was_asked = 0;

	a.enough_at = a.begun + ALL_MS;
	for (int i = 0; i < DNS_ASK_TYPES; i++) {
		struct question *q = &a.questions[i];

		asked[i].result = DNS_FOREIGN;
		asked[i].found.count = 0;
		q->len = dns_question(q->bytes, (uint16_t)(id + i), name, types[i]);
		if (q->len == 0)
			asked[i].result = DNS_NONE;
		q->open = asked[i].wanted && q->len > 0;
	}
	for (unsigned int i = 0; i < RESOLV_SERVERS_MAX; i++)
		a.fds[i] = (struct pollfd){ .fd = -1, .events = POLLIN };
	while (is_open(&a) && now_ms() < a.enough_at) {
		server = next_server(&a, server);
		/* who said nothing about the last name is asked after the others */
		if ((conf->silent & 1u << server) && was_asked == 0)
			server = next_server(&a, server);
		was_asked |= 1u << server;
		ask_server(&a, server);
		listen_to_all(&a, server);
	}
	for (unsigned int i = 0; i < RESOLV_SERVERS_MAX; i++)
		if (a.fds[i].fd >= 0)
			close(a.fds[i].fd);
	if (now_ms() >= a.begun + PATIENCE_MS)
		conf->silent |= was_asked;
	conf->silent &= ~a.heard;
	return sum_up(asked);
}
