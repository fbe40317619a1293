/* SPDX-License-Identifier: ISC */
/*
 * A stream of events into the core: a byte for what happens and to which UPS, one for the
 * time that has passed, and for a line its text up to a newline.
 */
#include <string.h>

#include "fuzz.h"

static const enum event_kind kinds[] = { EV_TIME,    EV_CONNECTED, EV_CLOSED, EV_LINE, EV_LINE,
					 EV_GARBAGE, EV_FSD,	   EV_STOP };

/* Bytes of a line, until it is complete; how many there were. */
static size_t read_line(struct words *words, const uint8_t *data, size_t size, bool *complete)
{
	*complete = false;
	words_init(words, WORDS_WIRE);
	for (size_t i = 0; i < size; i++) {
		enum words_result result = words_feed(words, data[i]);

		*complete = result == WORDS_LINE;
		if (result != WORDS_MORE || data[i] == '\n')
			return i + 1;
	}
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf conf;
	static struct core core;
	int64_t now = 1000;

	fuzz_read_conf(&conf, fuzz_upsmon_conf, strlen(fuzz_upsmon_conf), fuzz_upssched_conf,
		       strlen(fuzz_upssched_conf));
	MUST(conf.ups_count == 3);
	core_init(&core, &conf, 10000, now);
	while (size >= 2) {
		struct words words;
		struct event ev = { .kind = kinds[data[0] & 7], .ups = (data[0] >> 3) % 3,
				    .words = &words, .why = "of the fuzzer" };
		bool complete = true;
		size_t used;

		/* a quarter of a second each; the high bit: until something is due */
		if (data[1] & 0x80 && core_deadline(&core, now) != NEVER)
			now = core_deadline(&core, now);
		now += (data[1] & 0x7f) * 250;
		data += 2;
		size -= 2;
		if (ev.kind == EV_LINE) {
			used = read_line(&words, data, size, &complete);
			data += used;
			size -= used;
		}
		if (complete)
			fuzz_event(&core, &ev, now);
	}
	fuzz_live(&core, now);
	return 0;
}
