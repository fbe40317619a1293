/* SPDX-License-Identifier: ISC */
#include "libc/libc.h"
#include "libc/hosts.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "libc/text_file.h"

static bool add(struct dns_asked asked[DNS_ASK_TYPES], const char *text)
{
	for (int i = 0; i < DNS_ASK_TYPES; i++) {
		struct dns_addresses *found = &asked[i].found;

		if (asked[i].wanted && found->count < DNS_ADDRESSES_MAX &&
		    inet_pton(i == DNS_ASK_V4 ? AF_INET : AF_INET6, text, found->bytes[found->count]) == 1) {
			found->count++;
			return true;
		}
	}
	return false;
}

static bool read_file(const char *name, struct dns_asked asked[DNS_ASK_TYPES])
{
	struct text_file f;
	bool found = false;
	int end;

	if (!text_open(&f, "/etc/hosts"))
		return false;
	do {
		char address[64], word[DNS_NAME_MAX];

		end = text_first_word(&f, address, sizeof(address), TEXT_BLANKS "#");
		while (end >= 0 && end != '\n' && end != '#') {
			end = text_word(&f, word, sizeof(word), TEXT_BLANKS "#");
			if (strcasecmp(word, name) == 0) {
				found |= add(asked, address);
				break;
			}
		}
	} while (text_next_line(&f, end));
	text_close(&f);
	return found;
}

bool hosts_find(const char *name, struct dns_asked asked[DNS_ASK_TYPES])
{
	if (*name == '\0')
		return false;
	if (read_file(name, asked))
		return true;
	if (strcasecmp(name, "localhost") != 0)
		return false;
	/* both are tried, whether they are wanted or not */
	return (int)add(asked, "::1") | (int)add(asked, "127.0.0.1");
}
