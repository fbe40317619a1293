/* SPDX-License-Identifier: ISC */
#include "libc/libc.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "libc/dns_ask.h"
#include "libc/hosts.h"
#include "options.h"

#define FOUND_MAX (DNS_ASK_TYPES * DNS_ADDRESSES_MAX)

/* The answer, until the next call. */
static struct {
	struct addrinfo list[FOUND_MAX];
	union resolv_server addresses[FOUND_MAX];
	unsigned int count;
} self MOSTLY_UNUSED;

static void add(const union resolv_server *address, const struct addrinfo *hints, const char *port)
{
	struct addrinfo *ai = &self.list[self.count];
	union resolv_server *to = &self.addresses[self.count];
	bool v4 = address->any.sa_family == AF_INET;

	*to = *address;
	to->v4.sin_port = htons((uint16_t)strtoul(port, NULL, 10)); /* the place is the same in both */
	memset(ai, 0, sizeof(*ai));
	ai->ai_family = address->any.sa_family;
	ai->ai_socktype = hints->ai_socktype;
	ai->ai_addrlen = v4 ? sizeof(to->v4) : sizeof(to->v6);
	ai->ai_addr = &to->any;
	if (self.count++ > 0)
		ai[-1].ai_next = ai;
}

static void add_all(const struct dns_asked asked[DNS_ASK_TYPES], const struct addrinfo *hints,
		    const char *port)
{
	for (int type = 0; type < DNS_ASK_TYPES; type++)
		for (unsigned int i = 0; i < asked[type].found.count; i++) {
			const uint8_t *bytes = asked[type].found.bytes[i];
			union resolv_server address;

			memset(&address, 0, sizeof(address));
			if (type == DNS_ASK_V4) {
				address.v4.sin_family = AF_INET;
				memcpy(&address.v4.sin_addr, bytes, 4);
			} else {
				address.v6.sin6_family = AF_INET6;
				memcpy(&address.v6.sin6_addr, bytes, 16);
			}
			add(&address, hints, port);
		}
}

static unsigned int count_dots(const char *name)
{
	unsigned int dots = 0;

	while (*name)
		dots += *name++ == '.';
	return dots;
}

/* The name in one domain after the other, and as it is: first or last, which its dots decide. */
static enum dns_result search(const char *name, struct dns_asked asked[DNS_ASK_TYPES])
{
	struct resolv_conf conf;
	size_t len = strlen(name);
	bool whole = name[len - 1] == '.';
	enum dns_result worst = DNS_NONE;
	unsigned int domains, whole_at;

	resolv_conf_read(&conf);
	domains = whole ? 0 : conf.search_count;
	whole_at = whole || count_dots(name) >= conf.ndots ? 0 : domains;
	for (unsigned int i = 0; i <= domains; i++) {
		char candidate[DNS_NAME_MAX + sizeof(conf.search[0])];
		enum dns_result result;

		memcpy(candidate, name, len + 1);
		if (i != whole_at) {
			candidate[len] = '.';
			strcpy(candidate + len + 1, conf.search[i - (i > whole_at)]);
		}
		result = dns_ask(&conf, candidate, asked);
		if (result == DNS_FOUND || result == DNS_FOREIGN)
			return result; /* where nobody answers, more questions only take longer */
		if (result == DNS_FAILED)
			worst = result;
	}
	return worst;
}

int getaddrinfo(const char *restrict host, const char *restrict port,
		const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
	struct dns_asked asked[DNS_ASK_TYPES];
	union resolv_server address;
	enum dns_result result = DNS_FOUND;

	memset(asked, 0, sizeof(asked));
	self.count = 0;
	*list = self.list;
	if (resolv_address(host, &address) > 0) {
		if (hints->ai_family != AF_UNSPEC && hints->ai_family != address.any.sa_family)
			return EAI_NONAME;
		add(&address, hints, port);
		return 0;
	}
	/* a name with a % or without end is none, and asked of nobody */
	if (*host == '\0' || strlen(host) >= DNS_NAME_MAX || strpbrk(host, "%/ "))
		return EAI_NONAME;
	asked[DNS_ASK_V4].wanted = hints->ai_family != AF_INET6;
	asked[DNS_ASK_V6].wanted = WITH_IPV6 && hints->ai_family != AF_INET;
	if (!hosts_find(host, asked))
		result = search(host, asked);
	if (result == DNS_FOUND) {
		add_all(asked, hints, port);
		return 0;
	}
	return result == DNS_NONE ? EAI_NONAME : EAI_AGAIN;
}

void freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

const char *gai_strerror(int error)
{
	return error == EAI_AGAIN ? "Temporary failure in name resolution" :
				    "Name or service not known";
}
