/* SPDX-License-Identifier: ISC */
/* UPSSCHED, and the lines of the file that it names: NUT's upssched.conf, as people have it. */
#include <string.h>

#include "core/conf_reader.h"
#include "core/sched.h"

void conf_read_upssched(struct conf_reader *r)
{
	if (!conf_want(r, 1, "UPSSCHED file"))
		return;
	if (conf_arg(r, 1)[0] != '/') {
		conf_fault(r, "UPSSCHED must be an absolute path, not \"%s\"", conf_arg(r, 1));
		return;
	}
	r->conf->upssched = conf_keep_string(r, conf_arg(r, 1));
}

static const struct {
	const char *name;
	enum conf_verb verb;
	unsigned int least, most;	/* words behind it */
	const char *usage;
} verbs[] = {
	{ "START-TIMER", VERB_START, 2, 2, "START-TIMER name seconds" },
	{ "START-TIMER-SHARED", VERB_START_SHARED, 2, 2, "START-TIMER-SHARED name seconds" },
	{ "CANCEL-TIMER", VERB_CANCEL, 1, 2, "CANCEL-TIMER name [command]" },
	{ "EXECUTE", VERB_EXECUTE, 1, 1, "EXECUTE command" },
};

#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* A name that fits in a timer, and a command in an action; both as the guard takes them. */
static bool is_fit(struct conf_reader *r, const char *word)
{
	if (sched_name_is_sound(word, SCHED_NAME_MAX))
		return true;
	conf_fault(r, "\"%s\" is no name of a timer or command: it must have 1 to %d bytes, and no tab "
		      "or other control character",
		   word, SCHED_NAME_MAX - 1);
	return false;
}

/* Where such a system is not watched, the line never comes into play. */
static void check_system(struct conf_reader *r, enum notify_type type, const char *system)
{
	if (type == NOTIFY_SHUTDOWN || type == NOTIFY_SHUTDOWN_HOSTSYNC)
		conf_warning(r, "%s is about no UPS: this line will do nothing; with * it would",
			     notify_name(type));
	if (conf_system(r->conf, system))
		return;
	conf_warning(r, "no MONITOR line of upsmon.conf names \"%s\": this line will do nothing "
			"(the name must be written as there)",
		     system);
}

/* As upssched has it, the number at the beginning: 30s is 30. */
static bool read_seconds(struct conf_reader *r, const char *text, uint32_t *ms)
{
	const char *digits = text + (*text == '+');
	size_t len = strspn(digits, "0123456789");
	char number[12] = "";
	int32_t seconds;

	if (len > 0 && len < sizeof(number))
		memcpy(number, digits, len);
	if (!conf_number(r, "the time of the timer, in seconds,", *number ? number : text, 0,
			 CONF_SECONDS_MAX, &seconds))
		return false;
	if (digits[len])
		conf_warning(r, "\"%s\" is no whole number of seconds; it is taken for %d", text,
			     seconds);
	*ms = (uint32_t)seconds * 1000;
	return true;
}

/* AT type system VERB ... */
static void read_at(struct conf_reader *r)
{
	struct conf_rule rule = { .type = (uint8_t)notify_by_name(conf_arg(r, 1)) };
	unsigned int behind = r->words->count < 4 ? 0 : r->words->count - 4U;
	const char *system = conf_arg(r, 2);
	size_t i = 0;

	while (i < VERBS && strcmp(verbs[i].name, conf_arg(r, 3)) != 0)
		i++;
	if (r->words->count < 4 || i == VERBS) {
		conf_fault(r, "expected: AT type ups@host (or *), and then START-TIMER, CANCEL-TIMER or "
			      "EXECUTE%s%s",
			   r->words->count < 4 ? "" : "; not ", conf_arg(r, 3));
		return;
	}
	if (rule.type == NOTIFY_TYPES) {
		conf_fault(r, "AT %s: there is no such notify type", conf_arg(r, 1));
		return;
	}
	if (rule.type == NOTIFY_NOPARENT || rule.type == NOTIFY_SUSPEND_STARTING ||
	    rule.type == NOTIFY_SUSPEND_FINISHED)
		conf_warning(r, "AT %s: this line will do nothing: timers and CMDSCRIPT do not hear of "
				"that type",
			     conf_arg(r, 1));
	if (behind < verbs[i].least) {
		conf_fault(r, "expected: AT type ups@host %s", verbs[i].usage);
		return;
	}
	if (behind > verbs[i].most)
		conf_warning(r, "expected: AT type ups@host %s; what stands behind \"%s\" is ignored",
			     verbs[i].usage, conf_arg(r, 3 + verbs[i].most));
	if (r->conf->rule_count == SCHED_RULES_MAX) {
		conf_fault(r, "more than %d AT lines; build with -DSCHED_RULES_MAX=N for more",
			   SCHED_RULES_MAX);
		r->conf->upssched_broken = true;
		return;
	}
	rule.verb = (uint8_t)verbs[i].verb;
	if (!is_fit(r, conf_arg(r, 4)))
		return;
	if (rule.verb == VERB_CANCEL && behind > 1) {
		if (!is_fit(r, conf_arg(r, 5)))
			return;
		rule.command = conf_keep_string(r, conf_arg(r, 5));
	}
	if (conf_rule_starts(&rule) && !read_seconds(r, conf_arg(r, 5), &rule.ms))
		return;
	rule.name = conf_keep_string(r, conf_arg(r, 4));
	/* in upssched "" is no UPS; here it is as *, which is about no UPS, too */
	if (*system && strcmp(system, "*") != 0) {
		check_system(r, (enum notify_type)rule.type, system);
		rule.system = conf_keep_string(r, system);
		r->conf->upssched_broken |= !rule.system;
	}
	/* there was no room for it */
	r->conf->upssched_broken |= !rule.name || (rule.verb == VERB_CANCEL && behind > 1 && !rule.command);
	r->conf->rules[r->conf->rule_count++] = rule;
}

void conf_sched_line(struct conf *conf, const struct words *words, int line,
		     struct conf_report *report)
{
	struct conf_reader r = { conf, words, report, line, CONF_WARNING };
	const char *name = words_at(words, 0);

	if (strcmp(name, "AT") == 0)
		read_at(&r);
	else if (strcmp(name, "CMDSCRIPT") == 0)
		conf_read_cmd_script(&r);
	else if (strcmp(name, "PIPEFN") != 0 && strcmp(name, "LOCKFN") != 0 &&
		 strcmp(name, "DEBUG_MIN") != 0) /* these three are upssched's own affair */
		conf_fault(&r, "there is no directive \"%s\" here; there are CMDSCRIPT and AT", name);
}

void conf_sched_finish(struct conf *conf, struct conf_report *report)
{
	const char *why = NULL;

	if (conf->upssched_broken)
		/* the line that is missing may be the one that cancels a shutdown */
		why = "there is no room for all of it: no AT line is used";
	else if (conf->rule_count == 0)
		why = "there is no AT line in it that can be used";
	else if (*conf_get(conf, conf->cmd_script.text) == '\0')
		why = "there is no CMDSCRIPT, so timers could run nothing: no AT line is used";
	if (why) {
		conf_say(report, CONF_WARNING, 0, "%s", why);
		conf->upssched_broken = true;
		conf->rule_count = 0;
	}
	for (unsigned int i = 0; i < conf->rule_count; i++) {
		enum notify_type type = (enum notify_type)conf->rules[i].type;

		if (!(conf->notify[type].flags & NOTIFY_IGNORE))
			continue;
		conf_say(report, CONF_WARNING, 0, "AT %s does nothing: NOTIFYFLAG %s is IGNORE",
			 notify_name(type), notify_name(type));
		break;
	}
}
