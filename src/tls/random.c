/* SPDX-License-Identifier: ISC */
#include "tls/random.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tls/compat.h"

/* The call itself: a libc that is older than the kernel has no function for it. */
#ifndef GRND_NONBLOCK
#define GRND_NONBLOCK 1
#endif

static ssize_t from_device(const char *path, unsigned char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, out, size);
	close(fd);
	return n;
}

static ssize_t some(unsigned char *out, size_t size)
{
	ssize_t n = syscall(SYS_getrandom, out, size, GRND_NONBLOCK);

	return n < 0 && errno == ENOSYS ? from_device("/dev/urandom", out, size) : n;
}

bool random_is_ready(void)
{
	static bool ready;
	unsigned char byte;

	if (!ready && syscall(SYS_getrandom, &byte, (size_t)1, GRND_NONBLOCK) == 1)
		ready = true;
	else if (!ready && errno == ENOSYS)
		ready = from_device("/dev/random", &byte, 1) == 1;
	return ready;
}

int random_bytes(void *context, unsigned char *out, size_t size)
{
	(void)context;
	while (size > 0) {
		ssize_t n = some(out, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		out += n;
		size -= (size_t)n;
	}
	return 0;
}

#if defined(MBEDTLS_PSA_CRYPTO_C) && defined(MBEDTLS_PSA_CRYPTO_EXTERNAL_RNG)
/* Of our own configuration of the library, which has no generator then. */
psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t *context,
					     uint8_t *out, size_t size, size_t *length)
{
	if (random_bytes(context, out, size) != 0)
		return PSA_ERROR_INSUFFICIENT_ENTROPY;
	*length = size;
	return PSA_SUCCESS;
}
#endif
