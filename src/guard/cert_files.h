/* SPDX-License-Identifier: ISC */
/*
 * cert_files.h - the bytes of CERTPATH and CERTFILE.
 *
 * They are read before root is given up, because keys are root's, and are taken
 * apart by the monitor alone, after it.  CERTPATH is a file or a directory; of a
 * directory the links that c_rehash makes (1f2e3d4c.0), or if it has none all
 * of *.pem, *.crt and *.cer.
 *
 * A database of NSS, as NUT has it on Debian and OpenWrt, is recognised, and
 * what exports it is said.
 */
#ifndef CERT_FILES_H
#define CERT_FILES_H

#include "options.h"
#if WITH_TLS

#include "core/conf.h"
#include "tls/tls.h"

/* All of CERTPATH and CERTFILE together. */
#define CERT_FILES_MAX ((size_t)1024 * 1024)

/* What cannot be read is missing from *files, which says why.  Valid until cert_files_forget(). */
void cert_files_read(const struct conf *conf, struct tls_files *files);
void cert_files_forget(void);

/*
 * Whether the monitor could use them now, by a child of no rights that tries:
 * what is wrong is a finding, and an error if without it no server of *conf
 * could be verified.
 */
void cert_files_check(const struct conf *conf, struct conf_report *report);

#endif
#endif
