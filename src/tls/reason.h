/* SPDX-License-Identifier: ISC */
/* reason.h - why a handshake or a connection failed, for people. */
#ifndef REASON_H
#define REASON_H

#include <stddef.h>
#include <stdint.h>

/* flags: of the verification.  name: that was asked for. */
void reason_of_certificate(char *out, size_t size, uint32_t flags, const char *name);

/* alert: what the server ended it with; below 0: nothing. */
void reason_of_error(char *out, size_t size, int error, int alert);

#endif
