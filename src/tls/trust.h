/* SPDX-License-Identifier: ISC */
/*
 * trust.h - whom the monitor trusts, and who it says it is: the CAs of CERTPATH,
 * and the certificate and key of CERTFILE.  One set for all connections.
 */
#ifndef TRUST_H
#define TRUST_H

#include "tls/compat.h"
#include "tls/tls.h"

/*
 * What a connection goes by.  Without verify every certificate will do.  NULL:
 * it cannot be had, and *why tells the reason.
 */
const mbedtls_ssl_config *trust_config(bool verify, const char **why);

#endif
