/* SPDX-License-Identifier: ISC */
/*
 * src/libc: answers of a name server, files of /etc, addresses.  The first byte
 * says which.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "libc/dns.h"
#include "libc/hosts.h"
#include "libc/resolv_conf.h"

int small_inet_pton(int family, const char *text, void *address);
const char *small_inet_ntop(int family, const void *address, char *to, socklen_t size);
struct passwd *small_getpwnam(const char *name);
int small_getgrouplist(const char *user, gid_t group, gid_t *groups, int *count);

static const uint8_t *file;
static size_t file_size;

/* Stands before libc's: whatever is opened has the bytes of the fuzzer. */
int open(const char *path, int flags, ...)
{
	int ends[2];

	if (strncmp(path, "/etc/", 5) != 0)
		return openat(AT_FDCWD, path, flags, 0600);
	MUST(pipe(ends) == 0);
	MUST(write(ends[1], file, file_size) == (ssize_t)file_size);
	close(ends[1]);
	return ends[0];
}

static void answer(const uint8_t *data, size_t size, enum dns_type type)
{
	uint8_t question[DNS_QUESTION_MAX];
	size_t len = dns_question(question, 0x4142, "nas.lan", type);
	struct dns_addresses found;
	enum dns_result result = dns_answer(data, size, question, len, &found);

	MUST(found.count <= DNS_ADDRESSES_MAX);
	MUST((result == DNS_FOUND) == (found.count > 0));
}

static void name(const char *text)
{
	uint8_t question[DNS_QUESTION_MAX];

	MUST(dns_question(question, 1, text, DNS_AAAA) <= sizeof(question));
}

static void address(int family, const char *text)
{
	unsigned char ours[16] = { 0 }, theirs[16] = { 0 };
	char shown[2][INET6_ADDRSTRLEN];
	int good = inet_pton(family, text, theirs);

	MUST(small_inet_pton(family, text, ours) == good);
	MUST(memcmp(ours, theirs, sizeof(ours)) == 0);
	if (!good)
		return;
	small_inet_ntop(family, ours, shown[0], sizeof(shown[0]));
	inet_ntop(family, ours, shown[1], sizeof(shown[1]));
	MUST(strcmp(shown[0], shown[1]) == 0);
}

static void files(void)
{
	struct resolv_conf conf;
	struct dns_asked asked[DNS_ASK_TYPES];
	gid_t groups[4];
	int count = 4;

	resolv_conf_read(&conf);
	MUST(conf.server_count > 0 && conf.server_count <= RESOLV_SERVERS_MAX);
	MUST(conf.search_count <= RESOLV_SEARCH_MAX);
	for (unsigned int i = 0; i < conf.search_count; i++)
		MUST(strlen(conf.search[i]) < sizeof(conf.search[i]));
	memset(asked, 0, sizeof(asked));
	asked[0].wanted = asked[1].wanted = true;
	hosts_find("nas", asked);
	MUST(asked[0].found.count <= DNS_ADDRESSES_MAX && asked[1].found.count <= DNS_ADDRESSES_MAX);
	small_getpwnam("nut");
	MUST(small_getgrouplist("nut", 7, groups, &count) == (count <= 4 ? count : -1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[1100];

	if (size == 0 || size > sizeof(text))
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	file = data + 1;
	file_size = size - 1;
	switch (data[0] % 4) {
	case 0:
		answer(file, file_size, data[0] & 4 ? DNS_A : DNS_AAAA);
		break;
	case 1:
		address(AF_INET, text);
		address(AF_INET6, text);
		break;
	case 2:
		name(text);
		break;
	case 3:
		files();
		break;
	}
	return 0;
}
