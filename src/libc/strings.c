/* SPDX-License-Identifier: ISC */
/* strerror(), strcasecmp(), strncasecmp(): see libc.h. */
#include "libc/libc.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What the system calls of the daemon, its library of TLS and its file systems may return. */
#define ERRORS(X) \
	X(EPERM, "Operation not permitted") \
	X(ENOENT, "No such file or directory") \
	X(ESRCH, "No such process") \
	X(EINTR, "Interrupted system call") \
	X(EIO, "Input/output error") \
	X(ENXIO, "No such device or address") \
	X(E2BIG, "Argument list too long") \
	X(ENOEXEC, "Exec format error") \
	X(EBADF, "Bad file descriptor") \
	X(ECHILD, "No child processes") \
	X(EAGAIN, "Resource temporarily unavailable") \
	X(ENOMEM, "Cannot allocate memory") \
	X(EACCES, "Permission denied") \
	X(EBUSY, "Device or resource busy") \
	X(EEXIST, "File exists") \
	X(ENODEV, "No such device") \
	X(ENOTDIR, "Not a directory") \
	X(EISDIR, "Is a directory") \
	X(EINVAL, "Invalid argument") \
	X(ENFILE, "Too many open files in system") \
	X(EMFILE, "Too many open files") \
	X(ETXTBSY, "Text file busy") \
	X(EFBIG, "File too large") \
	X(ENOSPC, "No space left on device") \
	X(EROFS, "Read-only file system") \
	X(EPIPE, "Broken pipe") \
	X(ENAMETOOLONG, "File name too long") \
	X(ENOLCK, "No locks available") \
	X(ENOSYS, "Function not implemented") \
	X(ELOOP, "Too many levels of symbolic links") \
	X(EPROTO, "Protocol error") \
	X(EUCLEAN, "Structure needs cleaning") \
	X(EPROTONOSUPPORT, "Protocol not supported") \
	X(EOPNOTSUPP, "Operation not supported") \
	X(EAFNOSUPPORT, "Address family not supported by protocol") \
	X(EADDRNOTAVAIL, "Cannot assign requested address") \
	X(ENETDOWN, "Network is down") \
	X(ENETUNREACH, "Network is unreachable") \
	X(ECONNABORTED, "Software caused connection abort") \
	X(ECONNRESET, "Connection reset by peer") \
	X(ENOBUFS, "No buffer space available") \
	X(ENOTCONN, "Transport endpoint is not connected") \
	X(ETIMEDOUT, "Connection timed out") \
	X(ECONNREFUSED, "Connection refused") \
	X(EHOSTDOWN, "Host is down") \
	X(EHOSTUNREACH, "No route to host") \
	X(ESTALE, "Stale file handle") \
	X(EDQUOT, "Disk quota exceeded")

#define CODE(code, text) code,
#define TEXT(code, text) text "\0"

static const uint16_t codes[] = { ERRORS(CODE) };
static const char texts[] = ERRORS(TEXT);

char *strerror(int error)
{
	static char unknown[24];
	const char *at = texts;

	for (unsigned int i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i] == error)
			return (char *)at;
		at += strlen(at) + 1;
	}
	snprintf(unknown, sizeof(unknown), "error %d", error);
	return unknown;
}

/* Names of hosts and words of the protocol are ASCII. */
static int lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte - 'A' + 'a' : (unsigned char)byte;
}

static int compare(const char *a, const char *b, size_t len)
{
	for (; len > 0; len--, a++, b++) {
		if (lower(*a) != lower(*b) || !*a)
			return lower(*a) - lower(*b);
	}
	return 0;
}

int strncasecmp(const char *a, const char *b, size_t len)
{
	return compare(a, b, len);
}

int strcasecmp(const char *a, const char *b)
{
	return compare(a, b, SIZE_MAX);
}
