/* SPDX-License-Identifier: ISC */
/*
 * CERTPATH, CERTFILE, CERTIDENT, CERTHOST, CERTVERIFY and FORCESSL, as NUT 2.8.5
 * has them.  Each line of theirs that cannot be read is an error: whoever asks
 * for encryption must not get a connection without it in silence.
 */
#include <string.h>
#include <strings.h>

#include "core/conf_reader.h"

static void read_path(struct conf_reader *r, const char *usage, uint16_t *path)
{
	if (!conf_want(r, 1, usage))
		return;
	if (conf_arg(r, 1)[0] != '/') {
		conf_fault(r, "%s must be an absolute path, not \"%s\"", conf_arg(r, 0),
			   conf_arg(r, 1));
		return;
	}
	*path = conf_keep_string(r, conf_arg(r, 1));
}

void conf_read_cert_path(struct conf_reader *r)
{
	read_path(r, "CERTPATH file or directory", &r->conf->cert_path);
}

void conf_read_cert_file(struct conf_reader *r)
{
	read_path(r, "CERTFILE file", &r->conf->cert_file);
}

/* The name is that of a certificate in NSS's database: CERTFILE holds one only. */
void conf_read_cert_ident(struct conf_reader *r)
{
	if (conf_want(r, 2, "CERTIDENT \"certificate name\" \"password of the key\""))
		r->conf->key_password = conf_keep_string(r, conf_arg(r, 2));
}

static bool read_switch(struct conf_reader *r, const char *word, bool *value)
{
	*value = strcmp(word, "1") == 0 || conf_is_yes(word);
	if (*value || strcmp(word, "0") == 0 || conf_is_no(word))
		return true;
	conf_fault(r, "%s: \"%s\" is neither 1 nor 0", conf_arg(r, 0), word);
	return false;
}

void conf_read_cert_verify(struct conf_reader *r)
{
	if (conf_want(r, 1, "CERTVERIFY 0 or 1"))
		read_switch(r, conf_arg(r, 1), &r->conf->cert_verify);
}

void conf_read_force_ssl(struct conf_reader *r)
{
	if (conf_want(r, 1, "FORCESSL 0 or 1"))
		read_switch(r, conf_arg(r, 1), &r->conf->force_ssl);
}

/* host, host:port, [v6], [v6]:port, or a plain v6 */
static bool read_host(struct conf_reader *r, const char *text, struct conf_cert_host *h)
{
	size_t len = strlen(text);
	const char *colon = strchr(text, ':');
	int32_t port = 0;

	if (*text == '[' && strchr(text, ']')) {
		text++;
		len = (size_t)(strchr(text, ']') - text);
		colon = text[len + 1] == ':' ? text + len + 1 : NULL;
	} else if (colon && !strchr(colon + 1, ':')) {
		len = (size_t)(colon - text);
	} else {
		colon = NULL;
	}
	if (colon && !conf_number(r, "the port", colon + 1, 1, 65535, &port))
		return false;
	if (len == 0) {
		conf_fault(r, "CERTHOST: the host is missing in \"%s\"", conf_arg(r, 1));
		return false;
	}
	h->host = conf_keep(r, text, len);
	h->port = (uint16_t)port;
	return true;
}

void conf_read_cert_host(struct conf_reader *r)
{
	struct conf *conf = r->conf;
	struct conf_cert_host *h = &conf->cert_hosts[conf->cert_host_count];

	if (!conf_want(r, 4, "CERTHOST host \"certificate name\" verify force"))
		return;
	if (conf->cert_host_count >= UPS_MAX) {
		conf_fault(r, "more than %d CERTHOST lines; build with -DUPS_MAX=N for more",
			   UPS_MAX);
		return;
	}
	if (!read_switch(r, conf_arg(r, 3), &h->verify) ||
	    !read_switch(r, conf_arg(r, 4), &h->force) || !read_host(r, conf_arg(r, 1), h))
		return;
	h->name = conf_keep_string(r, conf_arg(r, 2));
	conf->cert_host_count++;
}

/* The first one that fits, as in NUT. */
static const struct conf_cert_host *find_host(const struct conf *conf, const struct conf_ups *ups)
{
	for (unsigned int i = 0; i < conf->cert_host_count; i++) {
		const struct conf_cert_host *h = &conf->cert_hosts[i];

		if (strcasecmp(conf_get(conf, h->host), conf_get(conf, ups->host)) == 0 &&
		    (h->port == 0 || h->port == ups->port))
			return h;
	}
	return NULL;
}

void conf_tls_finish(struct conf *conf, struct conf_report *report)
{
	for (unsigned int i = 0; i < conf->ups_count; i++) {
		struct conf_ups *ups = &conf->ups[i];
		const struct conf_cert_host *h = find_host(conf, ups);

		ups->tls_verify = h ? h->verify : conf->cert_verify;
		ups->tls_force = h ? h->force : conf->force_ssl;
		ups->cert_name = h && h->name ? h->name : ups->host;
		if (ups->tls_verify && !conf->cert_path)
			conf_say(report, CONF_ERROR, 0,
				 "the certificate of %s is to be verified, and there is no CERTPATH: "
				 "it names the CA, such as: CERTPATH /etc/nut/ca.pem",
				 conf_get(conf, ups->system));
	}
	if (conf->key_password && !conf->cert_file)
		conf_say(report, CONF_WARNING, 0,
			 "CERTIDENT has no effect without CERTFILE, which holds certificate and key "
			 "in PEM");
}
