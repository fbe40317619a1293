/* SPDX-License-Identifier: ISC */
/*
 * A random walk through everything that servers and people can do, with the
 * promises of the policy checked at each step.  WALK_STEPS and WALK_SEED in
 * the environment change its length and its way; a failure prints both.
 */
#include <stdlib.h>

#include "core/status.h"
#include "lab.h"

#define DEFAULT_STEPS 10000000

static uint64_t seed, random_state;

static uint32_t draw(uint32_t below)
{
	/* xorshift64*: the same walk on every machine */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545F4914F6CDD1DULL) >> 33) % below;
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

/* One board's life: a core, its configuration, and what the checks know. */
static struct {
	struct conf conf;
	struct core core;
	int64_t now;
	uint64_t step;
	char name[UPS_MAX][8];
	bool fsd_seen;			/* asked for, or latched by a server */
	bool shut_down;
	int64_t below_since;		/* too little power since; NEVER: enough */
	enum phase phase;
	int64_t phase_since;
	int64_t sync_until, final_until;
	unsigned int shutdown_notices;
	bool nothing_new;		/* the server repeats itself */
	uint16_t speaker;
	/* since everything stood still, or a new monitor began: who was heard */
	int64_t awake_at;
	int64_t answered[UPS_MAX];	/* before that */
	bool was_critical[UPS_MAX];
	/* the timer that ONBATT starts and ONLINE cancels */
	int64_t timer_from[UPS_MAX];
	bool timer_fired[UPS_MAX];
	/* what was notified last of each pair, to check the counterparts */
	bool on[UPS_MAX][NOTIFY_TYPES];
} walk;

#define CHECK(condition)                                                                      \
	do {                                                                                  \
		if (!(condition))                                                             \
			fail_msg("%s at step %llu, WALK_SEED=%llu", #condition,               \
				 (unsigned long long)walk.step, (unsigned long long)seed);    \
	} while (0)

static const struct {
	enum notify_type begins, ends;
} pairs[] = {
	{ NOTIFY_ONBATT, NOTIFY_ONLINE },   { NOTIFY_COMMBAD, NOTIFY_COMMOK },
	{ NOTIFY_CAL, NOTIFY_NOTCAL },	    { NOTIFY_OFF, NOTIFY_NOTOFF },
	{ NOTIFY_BYPASS, NOTIFY_NOTBYPASS }, { NOTIFY_ECO, NOTIFY_NOTECO },
	{ NOTIFY_OVER, NOTIFY_NOTOVER },    { NOTIFY_TRIM, NOTIFY_NOTTRIM },
	{ NOTIFY_BOOST, NOTIFY_NOTBOOST },  { NOTIFY_OTHER, NOTIFY_NOTOTHER },
	{ NOTIFY_ALARM, NOTIFY_NOTALARM },
};

/* Every notify has its counterpart, and none comes twice without it. */
static void check_notice(const struct action *a)
{
	if (a->u.type == NOTIFY_SHUTDOWN)
		walk.shutdown_notices++;
	if (a->ups == UPS_NONE)
		return;
	CHECK(a->ups < walk.conf.ups_count);
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		/* silence when nothing changes; ONBATT may come late, by ONBATTERYDELAY */
		if (walk.nothing_new && a->ups == walk.speaker && a->u.type != NOTIFY_ONBATT)
			CHECK(a->u.type != pairs[i].begins && a->u.type != pairs[i].ends);
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		bool *on = &walk.on[a->ups][pairs[i].begins];

		if (a->u.type == pairs[i].begins) {
			/* ALARM is told again when its text changes */
			CHECK(!*on || a->u.type == NOTIFY_ALARM);
			*on = true;
		} else if (a->u.type == pairs[i].ends) {
			CHECK(*on);
			*on = false;
		}
	}
	if (a->u.type == NOTIFY_FSD) {
		CHECK(!walk.on[a->ups][NOTIFY_FSD]);
		walk.on[a->ups][NOTIFY_FSD] = true;
	}
}

static uint32_t power_left(void)
{
	uint32_t power = 0;

	for (uint16_t i = 0; i < walk.conf.ups_count; i++) {
		enum critical why = critical_now(&walk.core.ups[i], &walk.conf, i, walk.now);

		/* not judged before it is heard */
		if (walk.now < walk.core.stale_until[i])
			why = (enum critical)walk.core.ups[i].critical;
		if (why == CRITICAL_NOT)
			power += walk.conf.ups[i].power_value;
	}
	return power;
}

/* What a shutdown may rest on, said without the rules of critical.c. */
static void check_reasons(void)
{
	const uint32_t bad = ST_ALARM | ST_CAL | ST_BYPASS | ST_OVER;

	for (uint16_t i = 0; i < walk.conf.ups_count; i++) {
		const struct ups *u = &walk.core.ups[i];
		bool in_time = walk.now < u->answered + walk.conf.dead_time_ms;

		if (u->critical == CRITICAL_NOT)
			continue;
		/* losing a server never hurries anything */
		if (u->comm == COMM_BAD && in_time && (u->bits & bad) && u->line == LINE_ONLINE &&
		    !(u->bits & (ST_FSD | ST_OFF | ST_LB)))
			CHECK(!"a lost server has hurried a shutdown");
		/* and what was known before a freeze is not enough for one */
		if (!walk.was_critical[i] && u->answered == walk.answered[i] &&
		    u->comm != COMM_BAD)
			CHECK(walk.now >= walk.awake_at + walk.conf.dead_time_ms);
	}
}

static bool is_primary(void)
{
	for (uint16_t i = 0; i < walk.conf.ups_count; i++) {
		if (walk.conf.ups[i].primary)
			return true;
	}
	return false;
}

/* The way down: one phase after the other, each in its time. */
static void check_phase(uint32_t power)
{
	enum phase before = walk.phase;

	if (walk.core.phase == before)
		return;
	CHECK(walk.core.phase > before);
	if (before == PHASE_WATCH)
		/* never while enough power is left, and nobody asked */
		CHECK(power < walk.conf.min_supplies || walk.fsd_seen);
	if (before == PHASE_WATCH && !walk.fsd_seen)
		check_reasons();
	if (walk.core.phase == PHASE_SYNC)
		CHECK(walk.core.phase_until == walk.now + walk.conf.host_sync_ms);
	if (before == PHASE_SYNC)
		CHECK(walk.now <= walk.sync_until);
	/* kept to the millisecond: not before its time, nor after */
	if (walk.core.phase == PHASE_DOWN && before == PHASE_FINAL)
		CHECK(walk.now == walk.final_until);
	if (walk.core.phase == PHASE_SYNC)
		walk.sync_until = walk.core.phase_until;
	if (walk.core.phase == PHASE_FINAL) {
		CHECK(walk.core.phase_until == walk.now + walk.conf.final_delay_ms);
		walk.final_until = walk.core.phase_until;
	}
	if (before == PHASE_WATCH && walk.core.phase > PHASE_SYNC)
		CHECK(!is_primary() || walk.conf.host_sync_ms == 0 ||
		      walk.core.phase_until != NEVER);
	walk.phase = walk.core.phase;
}

/* Never before its time, never with the mains back, and never by what was known before a freeze. */
static void check_command(uint16_t ups)
{
	const struct ups *u = &walk.core.ups[ups];

	CHECK(walk.on[ups][NOTIFY_ONBATT] && !walk.timer_fired[ups]);
	CHECK(walk.now >= walk.timer_from[ups] + walk.conf.rules[0].ms);
	if (u->answered == walk.answered[ups] && u->comm != COMM_BAD)
		CHECK(walk.now >= walk.awake_at + walk.conf.dead_time_ms);
	walk.timer_fired[ups] = true;
}

/* And never later than in its time, unless it has to be waited for an answer. */
static void check_timers(void)
{
	for (uint16_t i = 0; i < walk.conf.ups_count && walk.conf.rule_count > 0; i++)
		CHECK(!walk.on[i][NOTIFY_ONBATT] || walk.timer_fired[i] ||
		      walk.now < walk.timer_from[i] + walk.conf.rules[0].ms ||
		      walk.now < walk.core.stale_until[i]);
}

static void event(const struct event *ev)
{
	static struct actions out;
	uint32_t power;

	core_event(&walk.core, ev, walk.now, &out);
	CHECK(out.count < ACTIONS_MAX - 1);
	for (unsigned int i = 0; i < out.count; i++) {
		if (out.list[i].kind == ACT_NOTIFY) {
			check_notice(&out.list[i]);
			if (out.list[i].u.type == NOTIFY_ONBATT) {
				walk.timer_from[out.list[i].ups] = walk.now;
				walk.timer_fired[out.list[i].ups] = false;
			}
		} else if (out.list[i].kind == ACT_COMMAND) {
			check_command(out.list[i].ups);
		} else if (out.list[i].kind == ACT_SHUTDOWN) {
			/* at most one */
			CHECK(!walk.shut_down);
			walk.shut_down = true;
		}
	}
	check_timers();
	power = power_left();
	check_phase(power);
	/* always, and at once, when too little is left */
	CHECK(power >= walk.conf.min_supplies || walk.core.phase != PHASE_WATCH);
	CHECK(core_deadline(&walk.core, walk.now) >= walk.now);
	CHECK(walk.shutdown_notices <= 1);
	CHECK((walk.core.phase >= PHASE_FINAL) == (walk.shutdown_notices == 1));
	CHECK((walk.core.phase == PHASE_DOWN) == walk.shut_down);
}

/* ---- what servers say ---- */

static const char *const tokens[] = { "OL",    "OL",   "OL",   "OL",   "OB",   "OB",
				      "LB",    "RB",   "CAL",  "OFF",  "BYPASS", "ECO",
				      "ALARM", "OVER", "TRIM", "BOOST", "HB",   "CHRG",
				      "NEWTHING" };

static void draw_status(char *text, size_t size)
{
	uint32_t count = draw(10) == 0 ? draw(5) : 1;

	text[0] = '\0';
	/* FSD is rare, or no walk would last */
	if (draw(3000) == 0) {
		snprintf(text, size, "FSD");
		walk.fsd_seen = true;
	}
	for (uint32_t i = 0; i < count; i++) {
		size_t used = strlen(text);

		snprintf(text + used, size - used, "%s%s", used ? " " : "",
			 tokens[draw(sizeof(tokens) / sizeof(tokens[0]))]);
	}
}

static void draw_line(uint16_t ups, char *line, size_t size)
{
	static const char *const other[] = { "ERR DATA-STALE", "ERR ACCESS-DENIED",
					     "ERR VAR-NOT-SUPPORTED", "ERR UNKNOWN-COMMAND", "OK",
					     "HELLO", "VAR", "NUMLOGINS ups", "BEGIN LIST CLIENT ups",
					     "END LIST CLIENT ups" };
	const struct session *s = &walk.core.session[ups];
	char status[128];

	if (draw(20) == 0) {
		snprintf(line, size, "%s", other[draw(sizeof(other) / sizeof(other[0]))]);
		return;
	}
	switch (s->request) {
	case REQUEST_STATUS:
		draw_status(status, sizeof(status));
		snprintf(line, size, "VAR %s ups.status \"%s\"", walk.name[ups], status);
		break;
	case REQUEST_ALARM:
		snprintf(line, size, "VAR %s ups.alarm \"alarm %u\"", walk.name[ups], draw(3));
		break;
	case REQUEST_CHARGE:
		snprintf(line, size, "VAR %s battery.charge \"%u\"", walk.name[ups], draw(101));
		break;
	case REQUEST_RUNTIME:
		snprintf(line, size, "VAR %s battery.runtime \"%u\"", walk.name[ups], draw(4000));
		break;
	case REQUEST_NUMLOGINS:
		snprintf(line, size, "NUMLOGINS %s %u", walk.name[ups], draw(4));
		break;
	case REQUEST_CLIENTS:
		snprintf(line, size, draw(2) ? "CLIENT %s 10.0.0.1" : "END LIST CLIENT %s",
			 walk.name[ups]);
		break;
	default:
		snprintf(line, size, "OK");
		break;
	}
}

static void say(uint16_t ups)
{
	static struct words words;
	struct event ev = { .kind = EV_LINE, .ups = ups, .words = &words };
	char line[256];

	draw_line(ups, line, sizeof(line));
	words_init(&words, WORDS_WIRE);
	for (const char *c = line; *c; c++)
		words_feed(&words, (unsigned char)*c);
	words_feed(&words, '\n');
	walk.speaker = ups;
	walk.nothing_new = walk.core.session[ups].state == SESSION_WAITING &&
			   walk.core.session[ups].request == REQUEST_STATUS &&
			   walk.core.ups[ups].comm == COMM_OK && words.count == 4 &&
			   strcmp(words_at(&words, 0), "VAR") == 0 &&
			   walk.core.ups[ups].bits == status_parse(words_at(&words, 3));
	event(&ev);
	walk.nothing_new = false;
}

/* What this server does next, as the state of its session allows. */
static void peer(uint16_t ups)
{
	struct event ev = { .ups = ups, .why = "walk" };

	switch (walk.core.session[ups].state) {
	case SESSION_CONNECTING:
		ev.kind = draw(4) ? EV_CONNECTED : EV_CLOSED;
		event(&ev);
		break;
	case SESSION_WAITING:
		if (draw(50) == 0) {
			ev.kind = draw(2) ? EV_CLOSED : EV_GARBAGE;
			event(&ev);
		} else {
			say(ups);
		}
		break;
	case SESSION_IDLE:
		/* a line that nobody asked for */
		if (draw(200) == 0)
			say(ups);
		break;
	default:
		break;
	}
}

/* ---- a life ---- */

static uint32_t draw_seconds(void)
{
	return (draw(30) + 1) * 1000;
}

static void begin(void)
{
	struct conf *c = &walk.conf;
	uint32_t total = 0;

	memset(&walk.fsd_seen, 0, sizeof(walk) - offsetof(__typeof__(walk), fsd_seen));
	conf_init(c);
	c->ups_count = (uint16_t)(1 + draw(4));
	for (uint16_t i = 0; i < c->ups_count; i++) {
		struct conf_ups *u = &c->ups[i];

		memset(u, 0, sizeof(*u));
		/* the text is made by hand: "u0", "u1", ... */
		u->name = u->system = c->text_used;
		snprintf(walk.name[i], sizeof(walk.name[i]), "u%u", i);
		memcpy(c->text + c->text_used, walk.name[i], strlen(walk.name[i]) + 1);
		c->text_used = (uint16_t)(c->text_used + strlen(walk.name[i]) + 1);
		u->primary = draw(2);
		u->power_value = (uint16_t)draw(3);
		total += u->power_value;
		for (int t = 0; t < TRIGGERS; t++)
			u->trigger[t] = CONF_INHERIT;
	}
	c->min_supplies = (uint16_t)draw(total + 1);
	c->poll_freq_ms = draw_seconds();
	c->poll_freq_alert_ms = draw_seconds();
	c->dead_time_ms = draw_seconds();
	c->host_sync_ms = draw(4) ? draw_seconds() : 0;
	c->final_delay_ms = draw(4) ? draw_seconds() : 0;
	c->off_ms = (int32_t)draw(3) * 15000 - 1;
	c->oblb_ms = draw(2) ? 0 : (int32_t)draw_seconds();
	c->over_ms = draw(2) ? -1 : (int32_t)draw_seconds();
	c->shutdown_exit_ms = (int32_t)draw(3) * 10000 - 1;
	if (draw(3) == 0)
		c->trigger[TRIGGER_BATTERYLEVEL] = (int32_t)draw(20);
	if (draw(3) == 0)
		c->trigger[TRIGGER_MINUTES] = (int32_t)draw(5);
	if (draw(3) == 0)
		c->trigger[TRIGGER_TIMEOUT] = (int32_t)draw(300);
	if (draw(3) == 0)
		c->trigger[TRIGGER_ONBATTERYDELAY] = (int32_t)draw(60);
	if (draw(2)) {
		const uint16_t name = c->ups[0].name;

		c->rules[0] = (struct conf_rule){ NOTIFY_ONBATT, VERB_START, 0, name, 0,
						  draw(300) * 1000 };
		c->rules[1] = (struct conf_rule){ NOTIFY_ONLINE, VERB_CANCEL, 0, name, 0, 0 };
		c->rule_count = 2;
	}
	core_init(&walk.core, c, 10000, walk.now);
	walk.awake_at = walk.now - c->dead_time_ms;
}

static void remember(void)
{
	walk.awake_at = walk.now;
	for (uint16_t i = 0; i < walk.conf.ups_count; i++) {
		walk.answered[i] = walk.core.ups[i].answered;
		walk.was_critical[i] = walk.core.ups[i].critical != CRITICAL_NOT;
	}
}

/* SIGSTOP, a suspend: everything stands still, and the world goes on. */
static void freeze(void)
{
	struct event ev = { .kind = EV_TIME };
	int64_t at = core_deadline(&walk.core, walk.now);
	int64_t before = walk.awake_at;
	bool told[UPS_MAX];

	/* a phase that ends meanwhile ends late */
	if (walk.core.phase != PHASE_WATCH || at == NEVER)
		return;
	walk.now = at + CORE_LATE_MS + draw(3600000);
	remember();
	for (uint16_t i = 0; i < walk.conf.ups_count; i++)
		told[i] = walk.core.stale_until[i] == 0;
	event(&ev);
	/* the time alone makes nobody critical who was heard since the last time, and told its power */
	for (uint16_t i = 0; i < walk.conf.ups_count; i++) {
		if (told[i] && walk.answered[i] > before && !walk.was_critical[i])
			CHECK(walk.core.ups[i].critical == CRITICAL_NOT);
	}
}

/* The monitor dies, and the next one goes on with what the guard has. */
static void rebirth(void)
{
	static struct core old;

	old = walk.core;
	core_init(&walk.core, &walk.conf, 10000, walk.now);
	for (uint16_t i = 0; i < walk.conf.ups_count; i++)
		core_restore_ups(&walk.core, i, &old.ups[i], walk.now);
	core_restore_sched(&walk.core, &old.sched);
	core_restore_phase(&walk.core, old.phase, old.phase_until, walk.now);
	remember();
	/* so that an answer from now on has another time than what was remembered */
	walk.now++;
}

static void pass_time(void)
{
	struct event ev = { .kind = EV_TIME };
	int64_t at = core_deadline(&walk.core, walk.now);

	/* mostly to the deadline, sometimes not as far */
	if (at == NEVER)
		at = walk.now + 1000;
	if (at > walk.now && draw(8) == 0)
		at = walk.now + 1 + draw((uint32_t)(at - walk.now < 100000 ? at - walk.now : 100000));
	walk.now = at;
	event(&ev);
}

static void test_walk(void **state)
{
	uint64_t steps = number("WALK_STEPS", DEFAULT_STEPS);
	uint64_t lives = 1, shutdowns = 0;
	int64_t began = 1;
	uint64_t left = 0;

	(void)state;
	walk.now = began;
	begin();
	for (walk.step = 0; walk.step < steps; walk.step++) {
		uint32_t what = draw(1000);

		if (what < 600) {
			peer((uint16_t)draw(walk.conf.ups_count));
		} else if (what < 997) {
			pass_time();
		} else if (what == 997) {
			if (draw(4) == 0)
				freeze();
		} else if (what == 998) {
			rebirth();
		} else if (draw(50) == 0) {
			struct event ev = { .kind = EV_FSD };

			walk.fsd_seen = true;
			event(&ev);
		}
		/* a life ends some time after its shutdown */
		if (walk.shut_down && left++ > 30) {
			shutdowns++;
			lives++;
			left = 0;
			begin();
		}
	}
	printf("walk: %llu steps, %llu lives, %llu shutdowns, %lld simulated hours, WALK_SEED=%llu\n",
	       (unsigned long long)steps, (unsigned long long)lives, (unsigned long long)shutdowns,
	       (long long)((walk.now - began) / 3600000), (unsigned long long)seed);
	assert_int_not_equal(shutdowns, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_walk) };

	seed = number("WALK_SEED", 20261122);
	random_state = seed ? seed : 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
