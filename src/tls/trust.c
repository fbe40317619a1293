/* SPDX-License-Identifier: ISC */
#include "tls/trust.h"

#include <stdio.h>
#include <string.h>
#ifdef MBEDTLS_MEMORY_BUFFER_ALLOC_C
#include <mbedtls/memory_buffer_alloc.h>
#endif

#include "options.h"
#include "tls/random.h"

static struct {
	bool started;
	const char *why;	/* no TLS at all */
	char why_verify[WHY_MAX];	/* no certificate can be verified; "": it can */
	mbedtls_x509_crt authorities;
	mbedtls_x509_crt own;
	mbedtls_pk_context key;
	mbedtls_ssl_config plain;
	mbedtls_ssl_config verify;
} self;

#ifdef MBEDTLS_MEMORY_BUFFER_ALLOC_C
static unsigned char pool[TLS_POOL] __attribute__((aligned(16)));

/* The library clears its pool, and with that takes it: no more of it than is needed. */
static void fill_pool(const struct tls_files *files, unsigned int connections)
{
	/* PEM is longer than what it stands for, and that is kept together with a list of its parts */
	size_t size = TLS_POOL_ONCE + connections * TLS_POOL_EACH +
		      2 * (files->ca.size + files->own.size);

	mbedtls_memory_buffer_alloc_init(pool, size < sizeof(pool) ? size : sizeof(pool));
}

static void empty_pool(void)
{
	mbedtls_memory_buffer_alloc_free();
}
#else
static void fill_pool(const struct tls_files *files, unsigned int connections)
{
	(void)files;
	(void)connections;
}

static void empty_pool(void)
{
}
#endif

static void stop(void)
{
	if (!self.started)
		return;
	mbedtls_ssl_config_free(&self.plain);
	mbedtls_ssl_config_free(&self.verify);
	mbedtls_x509_crt_free(&self.authorities);
	mbedtls_x509_crt_free(&self.own);
	mbedtls_pk_free(&self.key);
	compat_psa_free();
	empty_pool();
}

static void start(const struct tls_files *files, unsigned int connections)
{
	stop();
	memset(&self, 0, sizeof(self));
	fill_pool(files, connections);
	self.started = true;
	mbedtls_x509_crt_init(&self.authorities);
	mbedtls_x509_crt_init(&self.own);
	mbedtls_pk_init(&self.key);
	mbedtls_ssl_config_init(&self.plain);
	mbedtls_ssl_config_init(&self.verify);
	if (compat_psa_init() != 0)
		self.why = "the library cannot be started: is TLS_POOL too small?";
}

static bool configure(mbedtls_ssl_config *conf, int authmode)
{
	if (mbedtls_ssl_config_defaults(conf, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT) != 0)
		return false;
	/* the versions before are broken */
	compat_min_tls12(conf);
	mbedtls_ssl_conf_authmode(conf, authmode);
	mbedtls_ssl_conf_rng(conf, random_bytes, NULL);
	return true;
}

/* Whether one was read; *left: how many others cannot be, and are passed over. */
static bool read_certificates(mbedtls_x509_crt *list, const struct tls_text *text, int *left)
{
	/* the size counts the NUL: so it knows PEM */
	*left = mbedtls_x509_crt_parse(list, (const unsigned char *)text->text, text->size + 1);
	return list->version > 0;
}

static void read_authorities(const struct tls_files *files, struct tls_problems *problems)
{
	int left;

	if (files->ca.error) {
		snprintf(problems->ca, sizeof(problems->ca), "%s", files->ca.error);
	} else if (!read_certificates(&self.authorities, &files->ca, &left)) {
		snprintf(problems->ca, sizeof(problems->ca),
			 "no certificate in PEM that can be read is in it");
	} else {
		mbedtls_ssl_conf_ca_chain(&self.verify, &self.authorities, NULL);
		if (left > 0)
			snprintf(problems->some, sizeof(problems->some),
				 "%d of its certificates cannot be read, and are ignored", left);
	}
	memcpy(self.why_verify, problems->ca, sizeof(self.why_verify));
}

static const char *read_own(const struct tls_files *files)
{
	const unsigned char *password = (const unsigned char *)files->password;
	const unsigned char *text = (const unsigned char *)files->own.text;
	int left;

	if (files->own.error)
		return *files->own_path ? files->own.error : "";
	if (!read_certificates(&self.own, &files->own, &left))
		return "no certificate in PEM that can be read is in it";
	if (compat_parse_key(&self.key, text, files->own.size + 1, password,
			     strlen(files->password), random_bytes) != 0)
		return "its key is missing or cannot be read; is the password in CERTIDENT right?";
	if (mbedtls_ssl_conf_own_cert(&self.verify, &self.own, &self.key) != 0 ||
	    mbedtls_ssl_conf_own_cert(&self.plain, &self.own, &self.key) != 0)
		return "it cannot be used";
	return "";
}

void tls_start(const struct tls_files *files, unsigned int connections,
	       struct tls_problems *problems)
{
	memset(problems, 0, sizeof(*problems));
	start(files, connections);
	if (!self.why && (!configure(&self.plain, MBEDTLS_SSL_VERIFY_OPTIONAL) ||
			  !configure(&self.verify, MBEDTLS_SSL_VERIFY_REQUIRED)))
		self.why = "the library cannot be configured: is TLS_POOL too small?";
	if (self.why) {
		snprintf(problems->ca, sizeof(problems->ca), "%s", self.why);
		return;
	}
	read_authorities(files, problems);
	snprintf(problems->own, sizeof(problems->own), "%s", read_own(files));
}

const mbedtls_ssl_config *trust_config(bool verify, const char **why)
{
	*why = self.why ? self.why : verify && *self.why_verify ? self.why_verify : NULL;
	if (*why)
		return NULL;
	return verify ? &self.verify : &self.plain;
}
