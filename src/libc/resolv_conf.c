/* SPDX-License-Identifier: ISC */
#include "libc/libc.h"
#include "libc/resolv_conf.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libc/text_file.h"

#define DNS_PORT 53

/* The number of an interface, or its name; 0 if there is none. */
static unsigned int read_scope(const char *text)
{
	struct ifreq request;
	char *end;
	unsigned int index = (unsigned int)strtoul(text, &end, 10);
	int fd;

	if (*text >= '0' && *text <= '9' && *end == '\0')
		return index;
	index = 0;
	memset(&request, 0, sizeof(request));
	if (strlen(text) >= sizeof(request.ifr_name))
		return 0;
	strcpy(request.ifr_name, text);
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	if (ioctl(fd, SIOCGIFINDEX, &request) == 0)
		index = (unsigned int)request.ifr_ifindex;
	close(fd);
	return index;
}

socklen_t resolv_address(const char *text, union resolv_server *address)
{
	char digits[INET6_ADDRSTRLEN];
	const char *scope = strchr(text, '%');
	size_t len = scope ? (size_t)(scope - text) : strlen(text);

	memset(address, 0, sizeof(*address));
	if (len >= sizeof(digits))
		return 0;
	memcpy(digits, text, len);
	digits[len] = '\0';
	/* not inet_pton(): to getaddrinfo() 192.168.001.010 has always been an address */
	if (!scope && inet_aton(digits, &address->v4.sin_addr)) {
		address->v4.sin_family = AF_INET;
		return sizeof(address->v4);
	}
	if (inet_pton(AF_INET6, digits, &address->v6.sin6_addr) != 1)
		return 0;
	address->v6.sin6_family = AF_INET6;
	if (scope) {
		address->v6.sin6_scope_id = read_scope(scope + 1);
		if (address->v6.sin6_scope_id == 0)
			return 0;
	}
	return sizeof(address->v6);
}

static void add_server(struct resolv_conf *conf, const char *text)
{
	union resolv_server *server = &conf->servers[conf->server_count];

	/* the port is at the same place in both */
	if (conf->server_count < RESOLV_SERVERS_MAX && resolv_address(text, server) > 0) {
		server->v4.sin_port = htons(DNS_PORT);
		conf->server_count++;
	}
}

static void add_search(struct resolv_conf *conf, const char *domain)
{
	size_t len;

	domain += *domain == '.';
	len = strlen(domain);
	if (conf->search_count < RESOLV_SEARCH_MAX && len < sizeof(conf->search[0]))
		memcpy(conf->search[conf->search_count++], domain, len + 1);
}

/* It counts where no other is named. */
static void add_domain_of_host(struct resolv_conf *conf)
{
	char host[sizeof(conf->search[0])];
	const char *dot;

	if (gethostname(host, sizeof(host)) == 0 && (dot = strchr(host, '.')) && dot[1])
		add_search(conf, dot + 1);
}

/* The words behind the first; `end` is what ended that. */
static int read_line(struct resolv_conf *conf, struct text_file *f, const char *key, int end)
{
	char word[sizeof(conf->search[0])];
	bool search = strcmp(key, "search") == 0 || strcmp(key, "domain") == 0;
	bool first = true;

	while (end >= 0 && end != '\n') {
		end = text_word(f, word, sizeof(word), TEXT_BLANKS);
		if (*word == '#' || *word == ';')
			break;
		if (*word == '\0' || *word == '\n')
			continue;
		/* the last such line counts, and of more servers the first */
		if (search && first)
			conf->search_count = 0;
		if (search)
			add_search(conf, word);
		else if (strcmp(key, "nameserver") == 0 && first)
			add_server(conf, word);
		else if (strcmp(key, "options") == 0 && strncmp(word, "ndots:", 6) == 0)
			conf->ndots = (unsigned int)strtoul(word + 6, NULL, 10);
		first = false;
	}
	return end;
}

void resolv_conf_read(struct resolv_conf *conf)
{
	char word[16];
	struct text_file f;
	int end;

	memset(conf, 0, sizeof(*conf));
	conf->ndots = 1;
	add_domain_of_host(conf);
	if (text_open(&f, "/etc/resolv.conf")) {
		do {
			end = text_first_word(&f, word, sizeof(word), TEXT_BLANKS);
			if (*word && *word != '#' && *word != ';')
				end = read_line(conf, &f, word, end);
		} while (text_next_line(&f, end));
		text_close(&f);
	}
	if (conf->server_count == 0)
		add_server(conf, "127.0.0.1");
}
