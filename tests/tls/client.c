/* SPDX-License-Identifier: ISC */
/*
 * client.c - the daemon's TLS without the daemon: it connects again and again to a
 * port of this machine, asks for STARTTLS, sends a line and reads what comes, and
 * tells what that took.
 *
 * client PORT NAME COUNT [CA-FILE [CERTFILE [PASSWORD]]]; without CA-FILE nothing is
 * verified.  The pool's figures are 0 where the library does not know them (test-pool
 * does).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <mbedtls/build_info.h>
#ifdef MBEDTLS_MEMORY_DEBUG
#include <mbedtls/memory_buffer_alloc.h>
#endif

#include "tls/tls.h"

#define PATIENCE_MS 20000

static char ca[1 << 16];
static char own[1 << 16];

static struct {
	unsigned long secured;
	unsigned long answered;
	unsigned long failed;
	long longest_us;	/* of a step */
	long handshake_us;	/* all steps of the longest one */
	size_t peak;		/* bytes of the pool */
	size_t rest;		/* of one connection behind its handshake */
	size_t first;		/* after the first connection, of none */
	size_t last;
	char why[256];
} seen;

static size_t pool_used(size_t *peak)
{
	size_t used = 0, blocks;

#ifdef MBEDTLS_MEMORY_DEBUG
	mbedtls_memory_buffer_alloc_max_get(peak, &blocks);
	mbedtls_memory_buffer_alloc_cur_get(&used, &blocks);
#else
	*peak = 0;
	(void)blocks;
#endif
	return used;
}

static long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void wait_for(int fd, short events)
{
	struct pollfd p = { fd, events, 0 };

	if (poll(&p, 1, PATIENCE_MS) == 0) {
		fprintf(stderr, "nothing for %d ms\n", PATIENCE_MS);
		exit(1);
	}
}

/* As the session does it, in the clear; the answer is one line. */
static void start_tls_of(int fd)
{
	static const char request[] = "STARTTLS\n";
	char c = 0;

	if (write(fd, request, sizeof(request) - 1) < 0)
		perror("STARTTLS");
	while (c != '\n' && read(fd, &c, 1) == 1)
		;
}

static bool shake_hands(struct tls *t, int fd)
{
	long all = 0;

	for (;;) {
		long begin = now_us();
		enum tls_result result = tls_step(t);
		long took = now_us() - begin;

		all += took;
		if (took > seen.longest_us)
			seen.longest_us = took;
		if (result == TLS_DONE)
			break;
		if (result == TLS_FAILED)
			return false;
		if (result == TLS_READ || result == TLS_WRITE)
			wait_for(fd, result == TLS_READ ? POLLIN : POLLOUT);
	}
	if (all > seen.handshake_us)
		seen.handshake_us = all;
	return true;
}

/* Reads on until a line, the end or an error. */
static void talk(struct tls *t, int fd)
{
	static const char request[] = "VER\n";
	char bytes[256];

	while (tls_send(t, request, sizeof(request) - 1) < 0) {
		if (errno != EAGAIN) {
			snprintf(seen.why, sizeof(seen.why), "%s", tls_why(t));
			return;
		}
		wait_for(fd, POLLOUT);
	}
	for (;;) {
		ssize_t n = tls_recv(t, bytes, sizeof(bytes));

		if (n > 0 && memchr(bytes, '\n', (size_t)n)) {
			seen.answered++;
			return;
		}
		if (n == 0 || (n < 0 && errno != EAGAIN)) {
			snprintf(seen.why, sizeof(seen.why), "%s", n ? tls_why(t) : "the end");
			return;
		}
		if (n < 0 && !tls_has_more(t))
			wait_for(fd, POLLIN);
	}
}

static void connect_once(uint16_t port, const char *name, bool verify)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	const char *why = "";
	struct tls *t;

	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror("connect");
		exit(1);
	}
	start_tls_of(fd);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	t = tls_begin(fd, name, verify, &why);
	if (!t) {
		snprintf(seen.why, sizeof(seen.why), "%s", why);
		seen.failed++;
	} else if (!shake_hands(t, fd)) {
		snprintf(seen.why, sizeof(seen.why), "%s", tls_why(t));
		seen.failed++;
	} else {
		seen.secured++;
		talk(t, fd);
		seen.rest = pool_used(&seen.peak);
	}
	if (t)
		tls_end(t);
	close(fd);
}

static void read_file(struct tls_text *text, char *bytes, size_t size, const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f)
		exit(2);
	text->size = fread(bytes, 1, size - 1, f);
	text->text = bytes;
	text->error = NULL;
	fclose(f);
}

int main(int argc, char **argv)
{
	struct tls_problems problems;
	struct tls_files files;
	unsigned long count;

	if (argc < 4)
		return 2;
	memset(&files, 0, sizeof(files));
	files.ca.error = files.own.error = "not given";
	files.ca_path = files.own_path = files.password = "";
	if (argc > 4)
		read_file(&files.ca, ca, sizeof(ca), argv[4]);
	if (argc > 5)
		read_file(&files.own, own, sizeof(own), argv[5]);
	if (argc > 6)
		files.password = argv[6];
	tls_start(&files, 1, &problems);
	fprintf(stderr, "%s%s%s\n", argc > 4 ? problems.ca : "", problems.some, problems.own);
	count = strtoul(argv[3], NULL, 10);
	for (unsigned long i = 0; i < count; i++) {
		connect_once((uint16_t)atoi(argv[1]), argv[2], argc > 4);
		seen.last = pool_used(&seen.peak);
		if (i == 0)
			seen.first = seen.last;
	}
	printf("{\"secured\": %lu, \"answered\": %lu, \"failed\": %lu, \"longest_step_us\": %ld, "
	       "\"handshake_us\": %ld, \"peak\": %zu, \"rest\": %zu, \"first\": %zu, \"last\": %zu, "
	       "\"why\": \"%s\"}\n",
	       seen.secured, seen.answered, seen.failed, seen.longest_us, seen.handshake_us,
	       seen.peak, seen.rest, seen.first, seen.last, seen.why);
	return 0;
}
