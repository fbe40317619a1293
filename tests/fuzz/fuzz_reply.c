/* SPDX-License-Identifier: ISC */
/* The protocol: which request it was, and what the server says. */
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words words;

	if (size == 0)
		return 0;
	words_init(&words, WORDS_WIRE);
	for (size_t i = 1; i < size; i++) {
		struct proto_reply reply;

		if (words_feed(&words, data[i]) != WORDS_LINE)
			continue;
		reply = proto_reply((enum proto_request)(data[0] % (REQUEST_LOGOUT + 1)), &words, "a");
		MUST(reply.kind <= PROTO_RUBBISH);
		if (reply.text)
			MUST(strlen(reply.text) < WORDS_TEXT_MAX);
	}
	return 0;
}
