/* SPDX-License-Identifier: ISC */
#include "tls/trust.h"

#include <string.h>
#ifdef MBEDTLS_MEMORY_BUFFER_ALLOC_C
#include <mbedtls/memory_buffer_alloc.h>
#endif

#include "base/log.h"
#include "options.h"
#include "tls/random.h"

static struct {
	bool started;
	const char *why;	/* no TLS at all */
	const char *why_verify;	/* no certificate can be verified */
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

/* How many certificates were read; what is none among them is passed over. */
static unsigned int read_certificates(mbedtls_x509_crt *list, const struct tls_text *text,
				      const char *path)
{
	unsigned int count = 0;
	/* the size counts the NUL: so it knows PEM */
	int left = mbedtls_x509_crt_parse(list, (const unsigned char *)text->text, text->size + 1);

	for (const mbedtls_x509_crt *c = list; c && c->version > 0; c = c->next)
		count++;
	if (left > 0)
		log_warning("%s: %d of its certificates cannot be read, and are ignored", path, left);
	return count;
}

static void read_authorities(const struct tls_files *files)
{
	if (files->ca.error) {
		self.why_verify = files->ca.error;
	} else if (read_certificates(&self.authorities, &files->ca, files->ca_path) == 0) {
		self.why_verify = "CERTPATH holds no certificate that can be read";
		log_warning("%s: no certificate in PEM can be read", files->ca_path);
	} else {
		mbedtls_ssl_conf_ca_chain(&self.verify, &self.authorities, NULL);
	}
}

/* A server that asks for it will say so, if it cannot be used. */
static void read_own(const struct tls_files *files)
{
	const unsigned char *password = (const unsigned char *)files->password;
	const unsigned char *text = (const unsigned char *)files->own.text;

	if (files->own.error)
		return;
	if (read_certificates(&self.own, &files->own, files->own_path) == 0) {
		log_warning("%s: CERTFILE holds no certificate in PEM that can be read",
			    files->own_path);
	} else if (compat_parse_key(&self.key, text, files->own.size + 1, password,
				    strlen(files->password), random_bytes) != 0) {
		log_warning("%s: the key of CERTFILE is missing or cannot be read; is the password in "
			    "CERTIDENT right?",
			    files->own_path);
	} else if (mbedtls_ssl_conf_own_cert(&self.verify, &self.own, &self.key) != 0 ||
		   mbedtls_ssl_conf_own_cert(&self.plain, &self.own, &self.key) != 0) {
		log_warning("%s: CERTFILE cannot be used", files->own_path);
	}
}

void tls_start(const struct tls_files *files, unsigned int connections)
{
	start(files, connections);
	if (!self.why && (!configure(&self.plain, MBEDTLS_SSL_VERIFY_OPTIONAL) ||
			  !configure(&self.verify, MBEDTLS_SSL_VERIFY_REQUIRED)))
		self.why = "the library cannot be configured: is TLS_POOL too small?";
	if (self.why)
		return;
	read_authorities(files);
	read_own(files);
}

const mbedtls_ssl_config *trust_config(bool verify, const char **why)
{
	*why = self.why ? self.why : verify ? self.why_verify : NULL;
	if (*why)
		return NULL;
	return verify ? &self.verify : &self.plain;
}
