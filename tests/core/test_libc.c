/* SPDX-License-Identifier: ISC */
/*
 * src/libc: beside the C library of this machine, which is another; and on the
 * answers and files that no server and no system should have.  Real name
 * servers: tests/system/test_names.py.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <netdb.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lab.h"
#include "libc/dns.h"
#include "libc/hosts.h"
#include "libc/resolv_conf.h"

int small_snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int small_inet_pton(int family, const char *text, void *address);
const char *small_inet_ntop(int family, const void *address, char *to, socklen_t size);
int small_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
		      struct addrinfo **list);
const char *small_gai_strerror(int error);
struct passwd *small_getpwnam(const char *name);
int small_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);
int small_setenv(const char *name, const char *value, int overwrite);
int small_unsetenv(const char *name);
char *small_getcwd(char *to, size_t size);
char *small_strerror(int error);
int small_strcasecmp(const char *a, const char *b);
int small_strncasecmp(const char *a, const char *b, size_t len);

/* What the next file is that src/libc opens; NULL: as it is. */
static const char *file_text;

/* Stands before libc's. */
int open(const char *path, int flags, ...)
{
	int ends[2];

	if (!file_text || strncmp(path, "/etc/", 5) != 0)
		return openat(AT_FDCWD, path, flags, 0600);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], file_text, strlen(file_text)), strlen(file_text));
	close(ends[1]);
	return ends[0];
}

static const char *host_name = "board";

int gethostname(char *to, size_t size)
{
	snprintf(to, size, "%s", host_name);
	return 0;
}

/* -- snprintf() ---------------------------------------------------------------- */

#define SAME(format, ...) \
	do { \
		char ours[64], theirs[64]; \
		int a = small_snprintf(ours, sizeof(ours), format, __VA_ARGS__); \
		int b = snprintf(theirs, sizeof(theirs), format, __VA_ARGS__); \
		assert_string_equal(ours, theirs); \
		assert_int_equal(a, b); \
	} while (0)

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-truncation"
static void test_numbers(void **state)
{
	static const long long numbers[] = { 0, 1, -1, 9, 10, -10, 255, 65536, INT_MAX, INT_MIN,
					     LLONG_MAX, LLONG_MIN };

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		long long n = numbers[i];
		int d = (int)n;

		SAME("%d|%i|%u|%x|%X", d, d, (unsigned int)d, (unsigned int)d, (unsigned int)d);
		SAME("%ld|%lu|%lx", (long)n, (unsigned long)n, (unsigned long)n);
		SAME("%lld %llu", n, (unsigned long long)n);
		SAME("%jd %zu %td", (intmax_t)n, (size_t)n, (ptrdiff_t)n);
		SAME("%hd %hu %hhd %hhx", (short)n, (unsigned short)n, (signed char)n, (unsigned char)n);
		SAME("%5d|%-5d|%05d|%-05d|%1d", d, d, d, d, d);
		SAME("%.3d|%8.3d|%-8.3d|%08.3d|%.0d", d, d, d, d, d);
		SAME("%*d|%-*d|%*d|%.*d|%.*d", 7, d, 7, d, -7, d, 4, d, -4, d);
		SAME("%09ld.%04x%02X", (long)n, (unsigned int)d, (unsigned int)d & 0xff);
	}
	SAME("%p", (void *)&numbers);
}

static void test_strings(void **state)
{
	char cut[4] = { 'a', 'b', 'c', 'd' }; /* without an end */
	const char *volatile nothing = NULL;

	(void)state;
	SAME("%s", "");
	SAME("%s and %s%%%c", "one", "two", '!');
	SAME("%.40s|%.3s|%.0s|%.*s", "short", "longer", "gone", 2, "ab\xc3\xa4");
	SAME("%10s|%-10s|%2s|%*s|%-*s|%10.2s|%010s", "abc", "abc", "abc", 5, "x", 5, "y", "abc", "abc");
	SAME("%.4s%3c|%-3c|", cut, 'x', 'y');
	small_snprintf(cut, sizeof(cut), "%s", nothing);
	assert_string_equal(cut, "(nu");
}

static void test_too_little_room(void **state)
{
	(void)state;
	for (size_t size = 0; size < 14; size++) {
		char ours[16] = "untouched......", theirs[16] = "untouched......";

		assert_int_equal(small_snprintf(ours, size, "%s-%05d", "abcd", 42),
				 snprintf(theirs, size, "%s-%05d", "abcd", 42));
		assert_memory_equal(ours, theirs, sizeof(ours));
	}
	assert_int_equal(small_snprintf(NULL, 0, "%d", 12345), 5);
}

static void test_unknown_conversion(void **state)
{
	char text[32];

	(void)state;
	/* its argument is not touched, nor are those behind it */
	small_snprintf(text, sizeof(text), "%d %f %s", 1, 2.0, "x");
	assert_string_equal(text, "1 %f %s");
	small_snprintf(text, sizeof(text), "%d%", 100);
	assert_string_equal(text, "100%");
}
#pragma GCC diagnostic pop

/* -- addresses ----------------------------------------------------------------- */

static void test_addresses(void **state)
{
	static const char *const texts[] = {
		"1.2.3.4", "0.0.0.0", "255.255.255.255", "256.1.1.1", "1.2.3", "1.2.3.4.5", "1.2.3.4 ",
		" 1.2.3.4", "01.2.3.4", "1.2.3.04", "1.2.3.00", "1..2.3", ".1.2.3", "1.2.3.", "1.2.3.4x",
		"0x7f.1.1.1", "1.2.3.-4", "4294967297.1.1.1", "", ":", "::", ":::", "::1", "1::", "1::1",
		"::1::", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7::",
		"::2:3:4:5:6:7:8", "::1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::8", "1:2:3::4:5:6:7:8", ":1::2",
		"1:", ":1", "1:2:", "fe80::1", "FE80::Ab", "12345::", "g::", "::ffff:1.2.3.4", "::1.2.3.4",
		"::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "::01.2.3.4",
		"2001:db8:0:0:1:0:0:1", "2001:0:0:1:0:0:0:1", "0:0:0:0:0:0:0:1", "1:0:0:0:0:0:0:0", "0:0:1::",
		"::ffff:0:1.2.3.4", "64:ff9b::1.2.3.4", "fe80::1%eth0", "::1 ", "1:2:3:4:5:6:7:8 ", "1:2:3:4::5::6",
		"::00001", "0:1::0", "1:0:2:0:3:0:4:0", "127.0.0.1:3493", "[::1]", "localhost",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		for (int family = AF_INET; family <= AF_INET6; family += AF_INET6 - AF_INET) {
			unsigned char ours[16] = { 0 }, theirs[16] = { 0 };
			char text[2][INET6_ADDRSTRLEN];
			int good = inet_pton(family, texts[i], theirs);

			if (small_inet_pton(family, texts[i], ours) != good)
				fail_msg("\"%s\" is not what libc says", texts[i]);
			assert_memory_equal(ours, theirs, sizeof(ours));
			if (!good)
				continue;
			assert_non_null(small_inet_ntop(family, ours, text[0], sizeof(text[0])));
			inet_ntop(family, ours, text[1], sizeof(text[1]));
			assert_string_equal(text[0], text[1]);
		}
}

static void test_random_addresses(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 100000; i++) {
		unsigned char bytes[16], back[16];
		char ours[INET6_ADDRSTRLEN], theirs[INET6_ADDRSTRLEN];

		for (int b = 0; b < 16; b++)
			bytes[b] = (unsigned char)(random() % 3 ? 0 : random());
		small_inet_ntop(AF_INET6, bytes, ours, sizeof(ours));
		inet_ntop(AF_INET6, bytes, theirs, sizeof(theirs));
		assert_string_equal(ours, theirs);
		assert_int_equal(small_inet_pton(AF_INET6, ours, back), 1);
		assert_memory_equal(back, bytes, 16);
	}
}

static void test_address_without_room(void **state)
{
	char text[8];

	(void)state;
	errno = 0;
	assert_null(small_inet_ntop(AF_INET, "\1\2\3\144", text, sizeof(text)));
	assert_int_equal(errno, ENOSPC);
	assert_non_null(small_inet_ntop(AF_INET, "\1\2\3\4", text, sizeof(text)));
}

static void test_host_that_is_a_number(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1", "fe80::1%1", "fe80::1%lo", "fe80::1%nothing", "fe80::1%", "1.2.3.4%1" };

	(void)state;
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ours, *theirs;
		int expected = getaddrinfo(hosts[i], "3493", &hints, &theirs);

		assert_int_equal(small_getaddrinfo(hosts[i], "3493", &hints, &ours), expected);
		if (expected)
			continue;
		assert_int_equal(ours->ai_addrlen, theirs->ai_addrlen);
		assert_int_equal(ours->ai_family, theirs->ai_family);
		assert_memory_equal(ours->ai_addr, theirs->ai_addr, theirs->ai_addrlen);
		assert_null(ours->ai_next);
		freeaddrinfo(theirs);
	}
	assert_string_equal(small_gai_strerror(EAI_AGAIN), gai_strerror(EAI_AGAIN));
	assert_string_equal(small_gai_strerror(EAI_NONAME), gai_strerror(EAI_NONAME));
}

/* -- DNS ----------------------------------------------------------------------- */

struct packet {
	uint8_t bytes[600];
	size_t len;
};

static void add_bytes(struct packet *p, const void *bytes, size_t len)
{
	memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

/* An answer to a question: flags, and how many records it says that it has. */
static void begin(struct packet *p, const uint8_t *question, size_t len, unsigned int flags,
		  uint8_t records)
{
	p->len = 0;
	add_bytes(p, question, len);
	p->bytes[2] = (uint8_t)(flags >> 8);
	p->bytes[3] = (uint8_t)flags;
	p->bytes[7] = records;
}

static void add_record(struct packet *p, uint8_t type, const void *data, uint8_t len)
{
	const uint8_t head[] = { 0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, len };

	add_bytes(p, head, sizeof(head));
	add_bytes(p, data, len);
}

static void test_question(void **state)
{
	static const uint8_t expected[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0\3nas\3lan\0\0\1\0\1";
	uint8_t q[DNS_QUESTION_MAX];
	char name[DNS_NAME_MAX + 8];

	(void)state;
	assert_int_equal(dns_question(q, 0x1234, "nas.lan", DNS_A), sizeof(expected) - 1);
	assert_memory_equal(q, expected, sizeof(expected) - 1);
	assert_int_equal(dns_question(q, 0x1234, "nas.lan.", DNS_A), sizeof(expected) - 1);
	assert_int_equal(dns_question(q, 1, "", DNS_A), 0);
	assert_int_equal(dns_question(q, 1, ".", DNS_A), 0);
	assert_int_equal(dns_question(q, 1, "a..b", DNS_A), 0);
	memset(name, 'a', sizeof(name));
	name[63] = '\0';
	assert_int_equal(dns_question(q, 1, name, DNS_A), 12 + 65 + 4);
	name[63] = 'a';
	name[64] = '\0';
	assert_int_equal(dns_question(q, 1, name, DNS_A), 0);
	/* 255 bytes with the lengths and the end: 253 of text */
	for (int i = 0; i < 254; i++)
		name[i] = i % 50 == 49 ? '.' : 'a';
	name[253] = '\0';
	assert_int_equal(dns_question(q, 1, name, DNS_A), 12 + 255 + 4);
	name[253] = 'a';
	name[254] = '\0';
	assert_int_equal(dns_question(q, 1, name, DNS_A), 0);
}

static void test_answers(void **state)
{
	uint8_t q[DNS_QUESTION_MAX], six[DNS_QUESTION_MAX];
	size_t len = dns_question(q, 7, "nas.lan", DNS_A), six_len = dns_question(six, 7, "nas.lan", DNS_AAAA);
	struct dns_addresses found;
	struct packet p;

	(void)state;
	begin(&p, q, len, 0x8180, 3);
	add_record(&p, 5, "\3foo\xc0\x10", 6);
	add_record(&p, 1, "\1\2\3\4", 4);
	add_record(&p, 1, "\5\6\7\10", 4);
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FOUND);
	assert_int_equal(found.count, 2);
	assert_memory_equal(found.bytes[0], "\1\2\3\4", 4);
	assert_memory_equal(found.bytes[1], "\5\6\7\10", 4);
	assert_int_equal(dns_answer(p.bytes, p.len, six, six_len, &found), DNS_FOREIGN);
	/* the server writes names in its own way */
	p.bytes[13] = 'N';
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FOUND);
	p.bytes[13] = 'M';
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FOREIGN);
	p.bytes[13] = 'n';
	p.bytes[0] ^= 1;
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FOREIGN);
	p.bytes[0] ^= 1;
	p.bytes[2] = 1; /* a question */
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FOREIGN);
	/* cut anywhere: what came whole counts, and nothing is read behind the end */
	p.bytes[2] = 0x81;
	for (size_t cut = 0; cut < p.len; cut++) {
		uint8_t *copy = malloc(cut + 1);
		enum dns_result result;

		memcpy(copy + 1, p.bytes, cut);
		result = dns_answer(copy + 1, cut, q, len, &found);
		assert_int_equal(result, cut < len ? DNS_FOREIGN : cut < p.len - 16 ? DNS_NONE : DNS_FOUND);
		free(copy);
	}

	begin(&p, six, six_len, 0x8180, 1);
	add_record(&p, 28, "0123456789abcdef", 16);
	assert_int_equal(dns_answer(p.bytes, p.len, six, six_len, &found), DNS_FOUND);
	assert_memory_equal(found.bytes[0], "0123456789abcdef", 16);
	begin(&p, q, len, 0x8180, 1);
	add_record(&p, 1, "\1\2\3\4\5", 5); /* no address has that length */
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_NONE);
	begin(&p, q, len, 0x8180, 0);
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_NONE);
	begin(&p, q, len, 0x8183, 0);
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_NONE);
	begin(&p, q, len, 0x8182, 0);
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FAILED);
	p.bytes[13] = 'M'; /* of another name */
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FOREIGN);
	p.bytes[5] = 0; /* without the question */
	assert_int_equal(dns_answer(p.bytes, 12, q, len, &found), DNS_FAILED);
	/* nothing, of one that neither has the name nor asks others */
	begin(&p, q, len, 0x8100, 0);
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FAILED);
	begin(&p, q, len, 0x8500, 0);
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_NONE);
	begin(&p, q, len, 0x8380, 0);
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_TRUNCATED);
	/* one address is as good as all */
	begin(&p, q, len, 0x8380, 9);
	add_record(&p, 1, "\1\2\3\4", 4);
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FOUND);
	/* more than there is room for */
	begin(&p, q, len, 0x8180, 20);
	for (int i = 0; i < 20; i++)
		add_record(&p, 1, "\1\2\3\4", 4);
	assert_int_equal(dns_answer(p.bytes, p.len, q, len, &found), DNS_FOUND);
	assert_int_equal(found.count, DNS_ADDRESSES_MAX);
}

/* -- files in /etc ------------------------------------------------------------- */

static void test_resolv_conf(void **state)
{
	struct resolv_conf conf;

	(void)state;
	file_text = "";
	host_name = "board";
	resolv_conf_read(&conf);
	assert_int_equal(conf.server_count, 1);
	assert_int_equal(conf.servers[0].v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(conf.servers[0].v4.sin_port, htons(53));
	assert_int_equal(conf.search_count, 0);
	host_name = "board.lan";
	resolv_conf_read(&conf);
	assert_string_equal(conf.search[0], "lan");

	file_text = "search lan\n################## search domains ##################\n"
		    "#-------------------- nameserver 127.0.0.12\nsearch\nsearch # none\n";
	resolv_conf_read(&conf);
	assert_int_equal(conf.search_count, 1);
	assert_string_equal(conf.search[0], "lan");
	assert_int_equal(conf.servers[0].v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	file_text = "; old\r\n# new\r\nsearch a.test\r\ndomain one.test\r\n\nsearch  .b.test\tc.test # d.test\r\n"
		    "nameserver 192.168.1.1\r\nnameserver nonsense\nnameserver\nnameserver fe80::1%lo\n"
		    "  nameserver 9.9.9.9 8.8.8.8\nnameserver 1.1.1.1\noptions rotate ndots:3 edns0\n"
		    "sortlist 1.2.3.4\nnameserverx 1.2.3.4";
	resolv_conf_read(&conf);
	assert_int_equal(conf.server_count, 3);
	assert_int_equal(conf.servers[0].v4.sin_addr.s_addr, inet_addr("192.168.1.1"));
	assert_int_equal(conf.servers[1].v6.sin6_scope_id, 1);
	assert_int_equal(conf.servers[2].v4.sin_addr.s_addr, inet_addr("9.9.9.9"));
	assert_int_equal(conf.search_count, 2);
	assert_string_equal(conf.search[0], "b.test");
	assert_string_equal(conf.search[1], "c.test");
	assert_int_equal(conf.ndots, 3);
	file_text = NULL;
	host_name = "board";
}

static unsigned int hosts(const char *text, const char *name)
{
	struct dns_asked asked[DNS_ASK_TYPES];
	bool found;

	memset(asked, 0, sizeof(asked));
	asked[0].wanted = asked[1].wanted = true;
	file_text = text;
	found = hosts_find(name, asked);
	file_text = NULL;
	assert_int_equal(found, asked[0].found.count + asked[1].found.count > 0);
	return asked[DNS_ASK_V4].found.count + 10 * asked[DNS_ASK_V6].found.count;
}

static void test_hosts(void **state)
{
	static const char text[] = "127.0.0.1 localhost nas\n#1.1.1.1 hidden\n::1\tnas NAS ups\n \n"
				   "9.9.9.9\t\t a\tb  c#d\nnonsense bad\n2.2.2.2 nas\n \t 4.4.4.4 indented\n3.3.3.3 last";

	(void)state;
	assert_int_equal(hosts(text, "nas"), 12);
	assert_int_equal(hosts(text, "Ups"), 10);
	assert_int_equal(hosts(text, "c"), 1);
	assert_int_equal(hosts(text, "d"), 0);
	assert_int_equal(hosts(text, "hidden"), 0);
	assert_int_equal(hosts(text, "bad"), 0);
	assert_int_equal(hosts(text, "9.9.9.9"), 0);
	assert_int_equal(hosts(text, "indented"), 1);
	assert_int_equal(hosts("fe80::1%lo x\n010.0.0.1 x\n127.1 x\n"
			       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1.2.3.4 x\n", "x"), 0);
	assert_int_equal(hosts(text, "last"), 1);
	assert_int_equal(hosts(text, ""), 0);
	assert_int_equal(hosts("", "localhost"), 11);
	assert_int_equal(hosts("10.0.0.1 LOCALHOST\n", "localhost"), 1);
}

static void test_users(void **state)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\nbad:x\nbad:x::\nbad:x:y:1:\nshort:x:7\n"
				     "bad:x:4294967295:1::\n\nnut:x:113:119::/:/bin/false\nnut:x:1:1::/:\nlast:x:5:6::/:/bin/sh";
	static const char group[] = "root:x:0:\nnut:x:119:nut\nbad:x::nut\ntty:x:5:me,nut,you\ndialout:x:20:you, nut\nagain:x:20:nut\n"
				    "nutty:x:21:nutty\nempty:x:22\nlast:x:23:nut";
	struct passwd *pw;
	gid_t groups[8] = { 0 };
	int count = 8;

	(void)state;
	file_text = passwd;
	pw = small_getpwnam("nut");
	assert_non_null(pw);
	assert_int_equal(pw->pw_uid, 113);
	assert_int_equal(pw->pw_gid, 119);
	assert_null(small_getpwnam("bad"));
	assert_null(small_getpwnam("short"));
	assert_null(small_getpwnam(""));
	assert_null(small_getpwnam("nobody"));
	assert_int_equal(small_getpwnam("last")->pw_gid, 6);
	file_text = group;
	assert_int_equal(small_getgrouplist("nut", 119, groups, &count), 4);
	assert_int_equal(groups[0], 119);
	assert_int_equal(groups[1], 5);
	assert_int_equal(groups[2], 20);
	assert_int_equal(groups[3], 23);
	count = 2;
	assert_int_equal(small_getgrouplist("nut", 119, groups, &count), -1);
	assert_true(count >= 4);
	file_text = NULL;
	/* on this machine they say what the others say */
	count = 8;
	assert_int_equal(small_getpwnam("daemon")->pw_uid, getpwnam("daemon")->pw_uid);
	assert_int_equal(small_getgrouplist("daemon", 1, groups, &count), 1);
}

/* -- the environment ----------------------------------------------------------- */

static void test_environment(void **state)
{
	char *list[] = { strdup("A=1"), strdup("BB=2"), strdup("A=3"), NULL }, **before = environ;
	char value[16];

	(void)state;
	environ = list;
	assert_int_equal(small_unsetenv("B"), 0);
	assert_int_equal(small_setenv("BB", "no", 0), 0);
	assert_string_equal(getenv("BB"), "2");
	assert_int_equal(small_setenv("", "x", 1), -1);
	assert_int_equal(small_setenv("a=b", "x", 1), -1);
	assert_int_equal(small_setenv("BB", "3", 1), 0);
	assert_string_equal(getenv("BB"), "3");
	assert_int_equal(small_setenv("B", "", 0), 0);
	assert_string_equal(getenv("B"), "");
	assert_int_equal(small_unsetenv("A"), 0);
	assert_null(getenv("A"));
	assert_string_equal(getenv("BB"), "3");
	/* set and unset as often as you like; and a text that is longer than a page */
	for (int i = 0; i < 10000; i++) {
		snprintf(value, sizeof(value), "%d", i);
		assert_int_equal(small_setenv("NUMBER", value, 1), 0);
		assert_string_equal(getenv("NUMBER"), value);
		assert_int_equal(small_unsetenv("NUMBER"), 0);
	}
	{
		char *text = malloc(20001);

		memset(text, 'x', 20000);
		text[20000] = '\0';
		assert_int_equal(small_setenv("LONG", text, 1), 0);
		assert_string_equal(getenv("LONG"), text);
		free(text);
	}
	/* more variables than there is room for are refused, and nothing is lost */
	for (int i = 0; i < 100; i++) {
		snprintf(value, sizeof(value), "V%d", i);
		if (small_setenv(value, "1", 1) < 0)
			break;
		assert_true(i < 40);
	}
	assert_int_equal(errno, ENOMEM);
	assert_string_equal(getenv("BB"), "3");
	assert_int_equal(small_setenv("BB", "4", 1), 0);
	environ = before;
	for (int i = 0; i < 3; i++)
		free(list[i]);
}

static void test_getcwd(void **state)
{
	char ours[PATH_MAX], theirs[PATH_MAX];

	(void)state;
	assert_non_null(small_getcwd(ours, sizeof(ours)));
	assert_string_equal(ours, getcwd(theirs, sizeof(theirs)));
	assert_null(small_getcwd(ours, 1));
}

/* One that it has no text for is a number; any other has the same text as everywhere. */
static void test_errors(void **state)
{
	int known = 0;

	(void)state;
	for (int error = 1; error < 200; error++) {
		const char *ours = small_strerror(error);

		if (strncmp(ours, "error ", 6) == 0)
			continue;
		assert_string_equal(ours, strerror(error));
		known++;
	}
	assert_in_range(known, 40, 60);
	/* two in one line of the log */
	assert_string_not_equal(small_strerror(ENOENT), small_strerror(EACCES));
	assert_string_equal(small_strerror(0), "error 0");
	assert_string_equal(small_strerror(INT_MIN), "error -2147483648");
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void test_letters(void **state)
{
	static const char *const words[] = { "", "a", "A", "ab", "aB", "AC", "b", "[", "_", "z", "Z", "@",
					     "a\xc3\xa4", "a\xc3\x84", "OK", "ok ", "OFF" };
	const unsigned int count = sizeof(words) / sizeof(words[0]);

	(void)state;
	for (unsigned int i = 0; i < count * count; i++) {
		const char *a = words[i / count], *b = words[i % count];

		assert_int_equal(sign(small_strcasecmp(a, b)), sign(strcasecmp(a, b)));
		for (size_t len = 0; len < 4; len++)
			assert_int_equal(sign(small_strncasecmp(a, b, len)), sign(strncasecmp(a, b, len)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_too_little_room),
		cmocka_unit_test(test_unknown_conversion),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_random_addresses),
		cmocka_unit_test(test_address_without_room),
		cmocka_unit_test(test_host_that_is_a_number),
		cmocka_unit_test(test_question),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_resolv_conf),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_users),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_getcwd),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
