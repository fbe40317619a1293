/* SPDX-License-Identifier: ISC */
#include "lab.h"

static void say(void *arg, enum conf_severity severity, int line, const char *text)
{
	struct lab *lab = arg;
	size_t used = strlen(lab->findings);

	snprintf(lab->findings + used, sizeof(lab->findings) - used, "%d: %s: %s\n", line,
		 severity == CONF_ERROR ? "error" : "warning", text);
}

static void read_text(struct lab *lab, const char *text,
		      void (*take)(struct conf *, const struct words *, int, struct conf_report *),
		      struct conf_report *report)
{
	struct words words;
	int line = 1;

	words_init(&words, WORDS_CONF);
	for (;; text++) {
		int byte = *text ? (unsigned char)*text : WORDS_END;
		enum words_result result = words_feed(&words, byte);

		if (result == WORDS_LINE)
			take(&lab->conf, &words, line, report);
		else if (result != WORDS_MORE)
			conf_broken(&words, result, line, report);
		if (byte == WORDS_END)
			break;
		if (byte == '\n')
			line++;
	}
}

void lab_conf_sched(struct lab *lab, const char *text, const char *sched)
{
	struct conf_report report = { .say = say, .arg = lab };

	lab->findings[0] = '\0';
	conf_init(&lab->conf);
	read_text(lab, text, conf_line, &report);
	if (sched) {
		read_text(lab, sched, conf_sched_line, &report);
		conf_sched_finish(&lab->conf, &report);
	}
	conf_finish(&lab->conf, &report);
	lab->errors = report.errors;
	lab->warnings = report.warnings;
}

void lab_conf(struct lab *lab, const char *text)
{
	lab_conf_sched(lab, text, NULL);
}

static void trace(struct lab *lab, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void trace(struct lab *lab, const char *format, ...)
{
	size_t room = sizeof(lab->trace) - lab->trace_used;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(lab->trace + lab->trace_used, room, format, args);
	va_end(args);
	if (len > 0 && (size_t)len < room)
		lab->trace_used += (size_t)len;
}

static void pend(struct lab *lab, uint16_t ups, int kind, const char *line)
{
	assert_true(lab->pending_count < 256);
	lab->pending[lab->pending_count].ups = ups;
	lab->pending[lab->pending_count].kind = kind;
	snprintf(lab->pending[lab->pending_count++].line, 256, "%s", line);
}

static const char *name(const struct lab *lab, uint16_t ups)
{
	return ups == UPS_NONE ? "-" : conf_get(&lab->conf, lab->conf.ups[ups].system);
}

/* The server's side of one request. */
static void serve(struct lab *lab, uint16_t ups, enum proto_request request)
{
	struct lab_server *s = &lab->server[ups];
	const char *ups_name = conf_get(&lab->conf, lab->conf.ups[ups].name);
	char line[256] = "OK";
	const char *value;

	switch (request) {
	case REQUEST_PASSWORD:
		s->passwords_in_clear += !s->encrypted;
		break;
	case REQUEST_LOGIN:
		s->logins_seen++;
		break;
	case REQUEST_STARTTLS:
		if (s->tls == LAB_TLS_SILENT)
			return;
		snprintf(line, sizeof(line), "%s",
			 s->tls == LAB_NO_TLS ? "ERR FEATURE-NOT-SUPPORTED" : "OK STARTTLS");
		break;
	case REQUEST_STATUS:
		s->polls_seen++;
		snprintf(line, sizeof(line), "VAR %s ups.status \"%s%s\"", ups_name,
			 s->fsd ? "FSD " : "", s->status);
		break;
	case REQUEST_ALARM:
	case REQUEST_CHARGE:
	case REQUEST_RUNTIME:
		value = s->variable[request - REQUEST_ALARM];
		s->variables_seen++;
		if (value)
			snprintf(line, sizeof(line), "VAR %s %s \"%s\"", ups_name,
				 proto_variable_name((enum conf_variable)(request - REQUEST_ALARM)),
				 value);
		else
			snprintf(line, sizeof(line), "ERR VAR-NOT-SUPPORTED");
		break;
	case REQUEST_CLIENTS:
		if (s->mode == LAB_SILENT)
			return;
		pend(lab, ups, LAB_REPLY, "BEGIN LIST CLIENT");
		for (unsigned int i = 0; i < s->others + s->logged_in; i++) {
			snprintf(line, sizeof(line), "CLIENT %s 10.0.0.%u", ups_name, i);
			pend(lab, ups, LAB_REPLY, line);
		}
		snprintf(line, sizeof(line), "END LIST CLIENT %s", ups_name);
		break;
	case REQUEST_NUMLOGINS:
		snprintf(line, sizeof(line), "NUMLOGINS %s %u", ups_name, s->others + s->logged_in);
		break;
	case REQUEST_FSD:
		s->fsds_seen++;
		trace(lab, "%lld set FSD %s\n", (long long)lab->now, name(lab, ups));
		snprintf(line, sizeof(line), "OK FSD-SET");
		break;
	case REQUEST_LOGOUT:
		s->logouts_seen++;
		snprintf(line, sizeof(line), "OK Goodbye");
		break;
	default:
		break;
	}
	if (s->mode == LAB_SILENT)
		return;
	if (s->mode == LAB_RUBBISH)
		snprintf(line, sizeof(line), "HTTP/1.1 400 Bad Request");
	else if (s->mode == LAB_STALE && (request == REQUEST_STATUS || request == REQUEST_NUMLOGINS))
		snprintf(line, sizeof(line), "ERR DATA-STALE");
	else if (s->deny && strcmp(s->deny, proto_request_name(request)) == 0)
		snprintf(line, sizeof(line), "ERR %s", s->deny_code);
	else if (request == REQUEST_LOGIN)
		s->logged_in = true;
	else if (request == REQUEST_FSD)
		s->fsd = true;
	pend(lab, ups, LAB_REPLY, line);
}

static void act(struct lab *lab, const struct action *a)
{
	char text[MESSAGE_MAX];
	int priority;

	switch (a->kind) {
	case ACT_CONNECT:
		lab->server[a->ups].encrypted = false;
		lab->server[a->ups].connects_seen++;
		if (lab->server[a->ups].mode == LAB_REFUSED)
			pend(lab, a->ups, LAB_FAILED, "Connection refused");
		else
			pend(lab, a->ups, LAB_CONNECTED, "");
		break;
	case ACT_SEND:
		serve(lab, a->ups, a->u.request);
		break;
	case ACT_CLOSE:
		lab->server[a->ups].logged_in = false;
		break;
#if WITH_TLS
	case ACT_SECURE:
		if (lab->server[a->ups].tls == LAB_TLS_FAILS)
			pend(lab, a->ups, LAB_FAILED, "");
		else if (lab->server[a->ups].tls == LAB_TLS)
			pend(lab, a->ups, LAB_SECURED, "");
		break;
#endif
	case ACT_NOTIFY:
		trace(lab, "%lld notify %s %s%s%s\n", (long long)lab->now, notify_name(a->u.type),
		      name(lab, a->ups), *a->why ? " " : "", a->why);
		break;
	case ACT_COMMAND:
		trace(lab, "%lld command %s %s %s\n", (long long)lab->now, a->why,
		      notify_name(a->u.type), name(lab, a->ups));
		break;
	case ACT_REPORT:
		report_format(text, sizeof(text), &lab->conf, a, &priority);
		trace(lab, "%lld report %s\n", (long long)lab->now, text);
		break;
	case ACT_SHUTDOWN:
		lab->shutdowns++;
		lab->shutdown_at = lab->now;
		trace(lab, "%lld shutdown\n", (long long)lab->now);
		break;
	}
}

static void event(struct lab *lab, const struct event *ev)
{
	static struct actions out;

	core_event(&lab->core, ev, lab->now, &out);
	for (unsigned int i = 0; i < out.count; i++)
		act(lab, &out.list[i]);
	/* the promise of core.h: a deadline is never in the past */
	assert_true(core_deadline(&lab->core, lab->now) >= lab->now);
}

static void deliver(struct lab *lab)
{
	while (lab->pending_count > 0) {
		struct event ev = { .ups = lab->pending[0].ups, .why = "Connection refused" };
		struct words words;
		char line[260];
		int kind = lab->pending[0].kind;

		snprintf(line, sizeof(line), "%s\n", lab->pending[0].line);
		lab->pending_count--;
		memmove(lab->pending, lab->pending + 1,
			lab->pending_count * sizeof(lab->pending[0]));
		if (kind == LAB_CONNECTED) {
			ev.kind = EV_CONNECTED;
		} else if (kind == LAB_FAILED) {
			ev.kind = EV_CLOSED;
#if WITH_TLS
		} else if (kind == LAB_SECURED) {
			ev.kind = EV_SECURED;
			ev.secure = lab->server[ev.ups].secure;
			ev.why = "TLSv1.3";
			lab->server[ev.ups].encrypted = true;
#endif
		} else {
			words_init(&words, WORDS_WIRE);
			for (const char *c = line; *c; c++)
				words_feed(&words, (unsigned char)*c);
			ev.kind = EV_LINE;
			ev.words = &words;
		}
		event(lab, &ev);
	}
}

void lab_run(struct lab *lab, int64_t ms)
{
	int64_t end = lab->now + ms;
	int rounds = 0;

	deliver(lab);
	while (core_deadline(&lab->core, lab->now) <= end) {
		struct event ev = { .kind = EV_TIME };
		int64_t at = core_deadline(&lab->core, lab->now);

		/* a core that never lets time pass would spin the daemon */
		rounds = at > lab->now ? 0 : rounds + 1;
		assert_true(rounds < 100);
		lab->now = at;
		event(lab, &ev);
		deliver(lab);
	}
	lab->now = end;
}

void lab_start_sched(struct lab *lab, const char *text, const char *sched)
{
	memset(lab, 0, sizeof(*lab));
	lab_conf_sched(lab, text, sched);
	if (lab->errors)
		fail_msg("%s", lab->findings);
	for (unsigned int i = 0; i < UPS_MAX; i++)
		snprintf(lab->server[i].status, sizeof(lab->server[i].status), "OL");
	lab->now = 1000;
	core_init(&lab->core, &lab->conf, 10000, lab->now);
}

void lab_start(struct lab *lab, const char *text)
{
	lab_start_sched(lab, text, NULL);
}

void lab_status(struct lab *lab, unsigned int ups, const char *status)
{
	snprintf(lab->server[ups].status, sizeof(lab->server[ups].status), "%s", status);
}

void lab_break(struct lab *lab, unsigned int ups)
{
	struct event ev = { .kind = EV_CLOSED, .ups = (uint16_t)ups, .why = "Connection reset" };

	lab->server[ups].logged_in = false;
	event(lab, &ev);
	deliver(lab);
}

void lab_fsd(struct lab *lab)
{
	struct event ev = { .kind = EV_FSD };

	event(lab, &ev);
	deliver(lab);
}

const char *lab_notices(struct lab *lab)
{
	static char list[4096];
	char *line, *next;

	list[0] = '\0';
	lab->trace[lab->trace_used] = '\0';
	for (line = lab->trace; *line; line = next) {
		char *word = strchr(line, ' ') + 1;
		size_t used = strlen(list);

		next = strchr(line, '\n') + 1;
		if (strncmp(word, "notify ", 7) == 0)
			word += 7;
		else if (strncmp(word, "shutdown", 8) != 0)
			continue;
		snprintf(list + used, sizeof(list) - used, "%s%.*s", used ? ", " : "",
			 (int)(next - 1 - word), word);
	}
	lab->trace_used = 0;
	lab->trace[0] = '\0';
	return list;
}

bool lab_saw(const struct lab *lab, const char *text)
{
	return strstr(lab->trace, text) != NULL;
}
