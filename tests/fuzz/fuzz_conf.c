/* SPDX-License-Identifier: ISC */
/* The configuration: an upsmon.conf, and behind a NUL an upssched.conf. */
#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf conf, copy;
	const char *text = (const char *)data;
	const char *end = size ? memchr(text, '\0', size) : NULL;
	size_t len = end ? (size_t)(end - text) : size;
	char request[PROTO_REQUEST_MAX];

	fuzz_read_conf(&conf, text, len, end ? end + 1 : NULL, end ? size - len - 1 : 0);
	MUST(conf.ups_count <= UPS_MAX && conf.rule_count <= SCHED_RULES_MAX);
	MUST(conf.text_used <= CONF_TEXT_MAX && conf.text[conf.text_used - 1] == '\0');
	conf_copy(&copy, &conf);
	for (uint16_t i = 0; i < conf.ups_count; i++) {
		MUST(conf_find_system(&conf, &copy, i) == i);
		/* whatever is in it goes to the server as one line */
		for (int r = REQUEST_USERNAME; r <= REQUEST_LOGOUT; r++) {
			size_t used = proto_request(request, sizeof(request), (enum proto_request)r,
						    &conf, &conf.ups[i]);

			MUST(used < sizeof(request) && memchr(request, '\n', used) == request + used - 1);
		}
	}
	return 0;
}
