/* SPDX-License-Identifier: ISC */
/* words.c: lines of a file (the first byte even) or of a server. */
#include <string.h>

#include "core/utf8.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words words;

	if (size == 0)
		return 0;
	words_init(&words, data[0] & 1 ? WORDS_WIRE : WORDS_CONF);
	for (size_t i = 1; i <= size; i++) {
		enum words_result result = words_feed(&words, i < size ? data[i] : WORDS_END);

		if (result == WORDS_MORE)
			continue;
		if (result != WORDS_LINE) {
			MUST(*words_error(result));
			continue;
		}
		MUST(words.count > 0 && words.count <= WORDS_MAX);
		if (data[0] & 1) {
			char text[WORDS_TEXT_MAX];

			/* what has been mended is sound */
			memcpy(text, words.text, words.used);
			utf8_mend(text, words.used);
			MUST(memcmp(text, words.text, words.used) == 0);
		}
		for (unsigned int w = 0; w < words.count; w++)
			MUST(strlen(words_at(&words, w)) < WORDS_TEXT_MAX);
		MUST(!*words_at(&words, words.count));
		words_join(&words, words.count / 2);
		MUST(strlen(words_at(&words, words.count - 1u)) < WORDS_TEXT_MAX);
	}
	return 0;
}
