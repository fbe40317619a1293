/* SPDX-License-Identifier: ISC */
#include "libc/libc.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What does not fit is counted, as snprintf() promises. */
struct text {
	char *to;
	size_t size, len;
};

/* One conversion, e.g. %-10.3s */
struct spec {
	bool left, zeros, negative;
	int width, precision; /* precision -1: none is given */
	int longs; /* -2 for hh to 2 for ll */
};

static void put(struct text *t, char c)
{
	if (t->len + 1 < t->size)
		t->to[t->len] = c;
	t->len++;
}

static void put_padded(struct text *t, const struct spec *s, const char *text, int len)
{
	int pad = s->width - len - s->negative;

	for (int i = 0; !s->left && !s->zeros && i < pad; i++)
		put(t, ' ');
	if (s->negative)
		put(t, '-');
	for (int i = 0; s->zeros && i < pad; i++)
		put(t, '0');
	for (int i = 0; i < len; i++)
		put(t, text[i]);
	for (int i = 0; s->left && i < pad; i++)
		put(t, ' ');
}

static void put_number(struct text *t, struct spec *s, uintmax_t value, unsigned int base, char alpha)
{
	char digits[64], *p = digits + sizeof(digits);
	int least = s->precision < 0 ? 1 : s->precision;

	/* zeros up to a width are none where there is a precision */
	s->zeros = s->zeros && !s->left && s->precision < 0;
	for (; value > 0; value /= base) {
		unsigned int digit = (unsigned int)(value % base);

		*--p = (char)(digit < 10 ? '0' + (int)digit : alpha + (int)digit - 10);
	}
	while (digits + sizeof(digits) - p < least && p > digits)
		*--p = '0';
	put_padded(t, s, p, (int)(digits + sizeof(digits) - p));
}

static void put_string(struct text *t, struct spec *s, const char *text)
{
	size_t most = s->precision < 0 ? SIZE_MAX / 2 : (size_t)s->precision;

	s->zeros = false;
	if (!text)
		text = "(null)";
	put_padded(t, s, text, (int)strnlen(text, most));
}

/* Digits, or * for an argument; the caller has the arguments, and gives that one. */
static const char *read_int(const char *p, int *value, int argument)
{
	if (*p == '*') {
		*value = argument;
		return p + 1;
	}
	for (*value = 0; *p >= '0' && *p <= '9' && *value < 10000; p++)
		*value = *value * 10 + (*p - '0');
	return p;
}

static const char *read_length(const char *p, int *longs)
{
	*longs = 0;
	for (;; p++) {
		if (*p == 'l')
			++*longs;
		else if (*p == 'h')
			--*longs;
		else if (*p == 'j')
			*longs = 2;
		else if (*p == 'z' || *p == 't')
			*longs = 1; /* as long as a pointer, on all that Linux runs on */
		else
			return p;
	}
}

int vsnprintf(char *to, size_t size, const char *format, va_list args)
{
	struct text t = { to, size, 0 };
	const char *p = format;

	while (*p) {
		struct spec s = { .precision = -1 };
		const char *start = p;
		intmax_t number;
		char one;

		if (*p != '%') {
			put(&t, *p++);
			continue;
		}
		for (p++; *p == '-' || *p == '0'; p++)
			*(*p == '-' ? &s.left : &s.zeros) = true;
		p = read_int(p, &s.width, *p == '*' ? va_arg(args, int) : 0);
		if (s.width < 0) {
			s.left = true;
			s.width = -s.width;
		}
		if (*p == '.') {
			p++;
			p = read_int(p, &s.precision, *p == '*' ? va_arg(args, int) : 0);
		}
		p = read_length(p, &s.longs);
		switch (*p) {
		case 'd':
		case 'i':
			number = s.longs > 1 ? va_arg(args, long long) :
				 s.longs == 1 ? va_arg(args, long) : va_arg(args, int);
			if (s.longs < 0)
				number = s.longs < -1 ? (signed char)number : (short)number;
			s.negative = number < 0;
			put_number(&t, &s, number < 0 ? 0 - (uintmax_t)number : (uintmax_t)number, 10, 0);
			break;
		case 'u':
		case 'x':
		case 'X': {
			uintmax_t value = s.longs > 1 ? va_arg(args, unsigned long long) :
					  s.longs == 1 ? va_arg(args, unsigned long) :
							 va_arg(args, unsigned int);

			if (s.longs < 0)
				value = s.longs < -1 ? (unsigned char)value : (unsigned short)value;
			put_number(&t, &s, value, *p == 'u' ? 10 : 16, *p == 'X' ? 'A' : 'a');
			break;
		}
		case 'p':
			put(&t, '0');
			put(&t, 'x');
			put_number(&t, &s, (uintptr_t)va_arg(args, void *), 16, 'a');
			break;
		case 's':
			put_string(&t, &s, va_arg(args, const char *));
			break;
		case 'c':
			s.zeros = false;
			one = (char)va_arg(args, int);
			put_padded(&t, &s, &one, 1);
			break;
		case '%':
			put(&t, '%');
			break;
		default:
			/* whose argument is not known: none after it can be either */
			for (p = start; *p; p++)
				put(&t, *p);
			continue;
		}
		p++;
	}
	if (size > 0)
		to[t.len < size ? t.len : size - 1] = '\0';
	return (int)t.len;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(to, size, format, args);
	va_end(args);
	return len;
}
