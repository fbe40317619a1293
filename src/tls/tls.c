/* SPDX-License-Identifier: ISC */
#include "tls/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "core/ups.h"
#include "options.h"
#include "tls/compat.h"
#include "tls/random.h"
#include "tls/reason.h"
#include "tls/trust.h"

/* So much is read in one call: a server that never stops must not keep us here. */
#define CALL_BYTES 20000

/* The first byte of a record: a handshake's, or an alert. */
#define RECORD_ALERT 21
#define RECORD_HANDSHAKE 22

#define NAME_BYTES 256

struct tls {
	bool used;
	bool verify;
	bool undated;
	bool begun;		/* a first byte has come */
	bool plain;		/* and it was none of TLS */
	bool over;		/* the handshake */
	bool more;
	int fd;
	int error;		/* of the socket */
	uint32_t flags;		/* what is wrong with the certificates */
	size_t pending;		/* of a write that is to be repeated */
	size_t left;		/* of CALL_BYTES */
	uint8_t address[16];
	size_t address_size;	/* the name is an address; 0: a host's */
	mbedtls_ssl_context ssl;
	char name[NAME_BYTES];
	char why[WHY_MAX];
};

static struct tls table[UPS_MAX];

/* ---- bytes ---- */

static int give(void *context, const unsigned char *data, size_t size)
{
	struct tls *t = context;
	ssize_t n = send(t->fd, data, size, MSG_NOSIGNAL);

	if (n >= 0)
		return (int)n;
	if (errno == EAGAIN || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	t->error = errno;
	return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static int take(void *context, unsigned char *out, size_t size)
{
	struct tls *t = context;
	ssize_t n;

	if (t->left == 0) {
		t->more = true;
		return MBEDTLS_ERR_SSL_WANT_READ;
	}
	n = recv(t->fd, out, size < t->left ? size : t->left, 0);
	if (n > 0) {
		t->left -= (size_t)n;
		if (!t->begun)
			t->plain = out[0] != RECORD_HANDSHAKE && out[0] != RECORD_ALERT;
		t->begun = true;
		return (int)n;
	}
	if (n == 0)
		return 0;
	if (errno == EAGAIN || errno == EINTR)
		return MBEDTLS_ERR_SSL_WANT_READ;
	t->error = errno;
	return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

static void begin_call(struct tls *t)
{
	t->left = CALL_BYTES;
	t->more = false;
}

/* ---- the server's certificate ---- */

static bool has_address(const struct tls *t, const mbedtls_x509_crt *crt)
{
	const int is_ip = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7;

	for (const mbedtls_x509_sequence *s = &crt->subject_alt_names; s; s = s->next) {
		if (s->buf.tag == is_ip && s->buf.len == t->address_size &&
		    memcmp(s->buf.p, t->address, t->address_size) == 0)
			return true;
	}
	return false;
}

/* Called for each certificate of the chain; that of the server has depth 0. */
static int verify(void *context, mbedtls_x509_crt *crt, int depth, uint32_t *flags)
{
	const uint32_t dates = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
	struct tls *t = context;

	if (depth == 0 && t->address_size > 0 && !has_address(t, crt))
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
	if ((*flags & dates) && time(NULL) < NUTLET_DATE) {
		*flags &= ~dates;
		t->undated = true;
	}
	t->flags |= *flags;
	return 0;
}

/* ---- a connection ---- */

static void read_name(struct tls *t, const char *name)
{
	snprintf(t->name, sizeof(t->name), "%.*s", (int)strcspn(name, "%"), name);
	if (inet_pton(AF_INET, t->name, t->address) == 1)
		t->address_size = 4;
	else if (inet_pton(AF_INET6, t->name, t->address) == 1)
		t->address_size = 16;
}

struct tls *tls_begin(int fd, const char *name, bool verify_it, const char **why)
{
	const mbedtls_ssl_config *conf = trust_config(verify_it, why);
	struct tls *t = table;

	if (!conf)
		return NULL;
	while (t < table + UPS_MAX && t->used)
		t++;
	if (t == table + UPS_MAX) {
		*why = "there are too many connections";
		return NULL;
	}
	memset(t, 0, sizeof(*t));
	t->used = true;
	t->fd = fd;
	t->verify = verify_it;
	read_name(t, name);
	mbedtls_ssl_init(&t->ssl);
	/* an address is no name for SNI, and is looked for by verify() */
	if (mbedtls_ssl_setup(&t->ssl, conf) != 0 ||
	    mbedtls_ssl_set_hostname(&t->ssl, t->address_size ? NULL : t->name) != 0) {
		*why = "there is no memory left for it (TLS_POOL)";
		tls_end(t);
		return NULL;
	}
	mbedtls_ssl_set_verify(&t->ssl, verify, t);
	mbedtls_ssl_set_bio(&t->ssl, t, give, take, NULL);
	return t;
}

void tls_end(struct tls *t)
{
	begin_call(t);
	/* the server may be gone, or full: then it does without */
	if (t->over)
		(void)mbedtls_ssl_close_notify(&t->ssl);
	mbedtls_ssl_free(&t->ssl);
	t->used = false;
}

static void explain(struct tls *t, int error)
{
	int alert = -1;

	if (error == MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE && t->ssl.in_msg)
		alert = t->ssl.in_msg[1];
	if (t->error)
		snprintf(t->why, sizeof(t->why), "%s", strerror(t->error));
	else if (t->plain)
		snprintf(t->why, sizeof(t->why), "a plain-text answer");
	else if (error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED)
		reason_of_certificate(t->why, sizeof(t->why),
				      t->flags | mbedtls_ssl_get_verify_result(&t->ssl), t->name);
	else
		reason_of_error(t->why, sizeof(t->why), error, alert);
}

enum tls_result tls_step(struct tls *t)
{
	int error;

	if (!random_is_ready())
		return TLS_LATER;
	begin_call(t);
	error = mbedtls_ssl_handshake_step(&t->ssl);
	if (error == MBEDTLS_ERR_SSL_WANT_WRITE)
		return TLS_WRITE;
	if (error == MBEDTLS_ERR_SSL_WANT_READ)
		return t->more ? TLS_AGAIN : TLS_READ;
	if (error != 0) {
		explain(t, error);
		return TLS_FAILED;
	}
	t->over = compat_is_over(&t->ssl);
	return t->over ? TLS_DONE : TLS_AGAIN;
}

uint8_t tls_secure(const struct tls *t)
{
	if (!t->verify)
		return SECURE_ENCRYPTED;
	return (uint8_t)(SECURE_ENCRYPTED | SECURE_VERIFIED | (t->undated ? SECURE_UNDATED : 0));
}

const char *tls_version(const struct tls *t)
{
	return mbedtls_ssl_get_version(&t->ssl);
}

static ssize_t fail(struct tls *t, int error)
{
	if (error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE) {
		errno = EAGAIN;
		return -1;
	}
	explain(t, error);
	errno = EPROTO;
	return -1;
}

ssize_t tls_recv(struct tls *t, void *out, size_t size)
{
	int n;

	begin_call(t);
	do {
		n = mbedtls_ssl_read(&t->ssl, out, size);
	} while (compat_is_ticket(n));
	if (n == MBEDTLS_ERR_SSL_CONN_EOF || n == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY)
		return 0;
	return n >= 0 ? n : fail(t, n);
}

ssize_t tls_send(struct tls *t, const void *data, size_t size)
{
	/* what the library has begun with, it wants again */
	size_t length = t->pending > 0 ? t->pending : size;
	int n;

	begin_call(t);
	n = mbedtls_ssl_write(&t->ssl, data, length);
	t->pending = n == MBEDTLS_ERR_SSL_WANT_WRITE || n == MBEDTLS_ERR_SSL_WANT_READ ? length : 0;
	return n >= 0 ? n : fail(t, n);
}

bool tls_has_more(const struct tls *t)
{
	return t->more || mbedtls_ssl_get_bytes_avail(&t->ssl) > 0;
}

const char *tls_why(const struct tls *t)
{
	return t->why;
}
