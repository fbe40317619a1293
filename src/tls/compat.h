/* SPDX-License-Identifier: ISC */
/*
 * compat.h - mbedTLS 2.28, which older distributions share, and 3.6 under one
 * set of names.
 */
#ifndef COMPAT_H
#define COMPAT_H

/* The alert that a server ended the handshake with has no function to ask for it. */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

/* TLS 1.3 is built on PSA. */
#if MBEDTLS_VERSION_MAJOR >= 3 && defined(MBEDTLS_PSA_CRYPTO_C)
#include <psa/crypto.h>
#define compat_psa_init() psa_crypto_init()
#define compat_psa_free() mbedtls_psa_crypto_free()
#else
#define compat_psa_init() 0
#define compat_psa_free()
#endif

#if MBEDTLS_VERSION_MAJOR < 3
#define compat_parse_key(key, text, size, password, password_size, rng) \
	mbedtls_pk_parse_key(key, text, size, password, password_size)
#define compat_is_over(ssl) ((ssl)->state == MBEDTLS_SSL_HANDSHAKE_OVER)
#define compat_min_tls12(conf) \
	mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3)
#define COMPAT_BAD_VERSION MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION
#else
#define compat_parse_key(key, text, size, password, password_size, rng) \
	mbedtls_pk_parse_key(key, text, size, password, password_size, rng, NULL)
#define compat_is_over(ssl) mbedtls_ssl_is_handshake_over(ssl)
#define compat_min_tls12(conf) mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2)
#define COMPAT_BAD_VERSION MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION
#endif

/* What a server may send behind the handshake of TLS 1.3, and is of no use here. */
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
#define compat_is_ticket(error) ((error) == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
#else
#define compat_is_ticket(error) false
#endif

#endif
