/* SPDX-License-Identifier: ISC */
/*
 * random.h - the kernel's random numbers, without waiting for them.
 *
 * Early after the boot a kernel may have none yet; a handshake begins when
 * random_is_ready(), and is tried again later until then.  Kernels before 3.17 have
 * no getrandom(): there a byte of /dev/random tells that it is ready, and
 * /dev/urandom has the rest.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdbool.h>
#include <stddef.h>

bool random_is_ready(void);

/* For mbedTLS: 0, or below 0 if there is none. */
int random_bytes(void *context, unsigned char *out, size_t size);

#endif
