/* SPDX-License-Identifier: ISC */
#include "tls/reason.h"

#include <stdio.h>

#include "tls/compat.h"

void reason_of_certificate(char *out, size_t size, uint32_t flags, const char *name)
{
	static const struct {
		uint32_t flags;
		const char *text;
	} reasons[] = {
		{ MBEDTLS_X509_BADCERT_NOT_TRUSTED, "is of an unknown CA (none of CERTPATH's)" },
		{ MBEDTLS_X509_BADCERT_EXPIRED, "has expired" },
		{ MBEDTLS_X509_BADCERT_FUTURE, "is not yet valid; is the clock right?" },
		{ MBEDTLS_X509_BADCERT_BAD_MD | MBEDTLS_X509_BADCERT_BAD_PK |
			  MBEDTLS_X509_BADCERT_BAD_KEY,
		  "is weak: its key is too short, or its signature too old" },
		{ MBEDTLS_X509_BADCERT_KEY_USAGE | MBEDTLS_X509_BADCERT_EXT_KEY_USAGE |
			  MBEDTLS_X509_BADCERT_NS_CERT_TYPE,
		  "is not meant for a server" },
		{ MBEDTLS_X509_BADCERT_MISSING, "is missing" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (!(flags & reasons[i].flags))
			continue;
		snprintf(out, size, "the server's certificate %s", reasons[i].text);
		return;
	}
	if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)
		snprintf(out, size, "the server's certificate is for another name than %s", name);
	else
		snprintf(out, size, "the server's certificate is not accepted (0x%x)",
			 (unsigned int)flags);
}

/* RFC 8446, section 6. */
static const char *of_alert(int alert)
{
	switch (alert) {
	case 70: /* protocol_version */
		return "no common version of TLS (1.2 at least)";
	case 40: /* handshake_failure */
	case 71: /* insufficient_security */
		return "no common cipher, or the server wants a certificate (CERTFILE)";
	case 42: /* bad_certificate ... */
	case 43:
	case 44:
	case 45:
	case 46: /* ... certificate_unknown */
	case 48: /* unknown_ca */
	case 49: /* access_denied */
	case 116: /* certificate_required */
		return "the server does not accept this machine's certificate (CERTFILE)";
	default:
		return NULL;
	}
}

static const char *of_error(int error)
{
	switch (error) {
	case COMPAT_BAD_VERSION:
		return "no common version of TLS (1.2 at least)";
	case MBEDTLS_ERR_SSL_CONN_EOF:
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		return "closed by the server in the handshake";
	case MBEDTLS_ERR_SSL_ALLOC_FAILED:
	case MBEDTLS_ERR_X509_ALLOC_FAILED:
		return "there is no memory left for it (TLS_POOL)";
	case MBEDTLS_ERR_SSL_INVALID_MAC:
		return "a record was changed on its way";
	default:
		return NULL;
	}
}

void reason_of_error(char *out, size_t size, int error, int alert)
{
	const char *text = alert >= 0 ? of_alert(alert) : of_error(error);

	if (text)
		snprintf(out, size, "%s", text);
	else if (alert >= 0)
		snprintf(out, size, "the server ended it with alert %d", alert);
	else
		snprintf(out, size, "error -0x%04x of mbedTLS", (unsigned int)-error);
}
