/* SPDX-License-Identifier: ISC */
#include "fuzz.h"

#include <string.h>

const char fuzz_upsmon_conf[] =
	"MONITOR a@h 1 u p primary\nMONITOR b@h 1 u p secondary\nMONITOR c@h:9 0 u p primary\n"
	"MINSUPPLIES 1\nSHUTDOWNCMD x\nNOTIFYCMD n\nBATTERYLEVEL 20\nMINUTES 3\nTIMEOUT 600\n"
	"ONBATTERYDELAY 6\nOBLBDURATION 5\nOVERDURATION 7\nSHUTDOWNEXIT 9\nNO_NEW_PRIVS off\nUPSSCHED x\n";
const char fuzz_upssched_conf[] =
	"CMDSCRIPT s\nAT ONBATT * START-TIMER t 30\nAT ONLINE * CANCEL-TIMER t back\n"
	"AT COMMBAD b@h EXECUTE bad\nAT LOWBATT * START-TIMER u 1\n";

static void nobody_hears(void *arg, enum conf_severity severity, int line, const char *text)
{
	(void)arg, (void)severity, (void)line;
	MUST(strlen(text) < MESSAGE_MAX);
}

static void read_lines(struct conf *conf, const char *text, size_t len, struct conf_report *report,
		       void (*read)(struct conf *, const struct words *, int, struct conf_report *))
{
	struct words words;
	int line = 1;

	words_init(&words, WORDS_CONF);
	for (size_t i = 0; i <= len; i++) {
		int byte = i < len ? (unsigned char)text[i] : WORDS_END;
		enum words_result result = words_feed(&words, byte);

		if (result == WORDS_LINE)
			read(conf, &words, line, report);
		line += byte == '\n';
	}
}

void fuzz_read_conf(struct conf *conf, const char *text, size_t len, const char *sched,
		    size_t sched_len)
{
	struct conf_report report = { .say = nobody_hears };

	conf_init(conf);
	read_lines(conf, text, len, &report, conf_line);
	if (sched) {
		read_lines(conf, sched, sched_len, &report, conf_sched_line);
		conf_sched_finish(conf, &report);
	}
	conf_finish(conf, &report);
}

void fuzz_event(struct core *core, const struct event *ev, int64_t now)
{
	static struct actions out;
	enum phase before = core->phase;
	int shutdowns = 0;
	char text[MESSAGE_MAX];

	core_event(core, ev, now, &out);
	MUST(out.count <= ACTIONS_MAX);
	MUST(core->phase >= before);
	MUST(core_deadline(core, now) >= now);
	for (unsigned int i = 0; i < out.count; i++) {
		struct action *action = &out.list[i];
		int priority;

		MUST(action->ups == UPS_NONE || action->ups < core->conf->ups_count);
		shutdowns += action->kind == ACT_SHUTDOWN;
		if (action->kind == ACT_REPORT)
			report_format(text, sizeof(text), core->conf, action, &priority);
	}
	/* said once, and then it is so */
	MUST(shutdowns <= 1 && (!shutdowns || (before < PHASE_DOWN && core->phase == PHASE_DOWN)));
}

void fuzz_live(struct core *core, int64_t now)
{
	const int64_t end = now + 24 * 3600 * 1000;
	struct event ev = { .kind = EV_TIME };

	for (int round = 0; round < 200 && now < end; round++) {
		int64_t at = core_deadline(core, now);

		if (at == NEVER)
			return;
		/* one that is always due would spin */
		now = at > now ? at : now + 1;
		fuzz_event(core, &ev, now);
	}
}
