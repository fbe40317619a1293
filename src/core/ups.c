/* SPDX-License-Identifier: ISC */
#include "core/ups.h"

#include <string.h>

#include "core/hash.h"

/* More percent or seconds than any battery has. */
#define UNITS_MAX 100000000

static void notify(const struct ups_step *step, enum notify_type type)
{
	action_notify(step->out, step->ups, type, "");
}

/*
 * States that are notified when they begin and when they end.  NUT: the same,
 * but a second UPS in the same state makes it notify at every poll (nut#2657).
 */
static const struct {
	uint32_t bit;
	enum notify_type begins, ends;
} states[] = {
	{ ST_CAL, NOTIFY_CAL, NOTIFY_NOTCAL },
	{ ST_OFF, NOTIFY_OFF, NOTIFY_NOTOFF },
	{ ST_BYPASS, NOTIFY_BYPASS, NOTIFY_NOTBYPASS },
	{ ST_ECO, NOTIFY_ECO, NOTIFY_NOTECO },
	{ ST_OVER, NOTIFY_OVER, NOTIFY_NOTOVER },
	{ ST_TRIM, NOTIFY_TRIM, NOTIFY_NOTTRIM },
	{ ST_BOOST, NOTIFY_BOOST, NOTIFY_NOTBOOST },
};

void ups_init(struct ups *u, int64_t now)
{
	memset(u, 0, sizeof(*u));
	u->charge = UPS_UNKNOWN;
	u->runtime = UPS_UNKNOWN;
	u->answered = now;
	u->lost_since = NEVER;
	u->battery_since = NEVER;
	u->low_since = NEVER;
	u->off_since = NEVER;
	u->over_since = NEVER;
	u->fsd_at = NEVER;
	u->nocomm_at = NEVER;
	u->replace_at = NEVER;
}

void ups_fsd(struct ups *u, const struct ups_step *step)
{
	if (!u->fsd_notified)
		notify(step, NOTIFY_FSD);
	u->fsd_notified = true;
}

/* Starts a clock when a state begins, and stops it when the state ends. */
static void clock_while(int64_t *since, bool on, int64_t now)
{
	if (!on)
		*since = NEVER;
	else if (*since == NEVER)
		*since = now;
}

static int64_t onbatt_at(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	int32_t seconds = conf_trigger(conf, ups, TRIGGER_ONBATTERYDELAY);

	if (u->battery_since == NEVER || u->battery_notified)
		return NEVER;
	return u->battery_since + (seconds > 0 ? seconds * 1000 : 0);
}

static void notify_onbatt(struct ups *u, const struct ups_step *step)
{
	if (!u->battery_notified)
		notify(step, NOTIFY_ONBATT);
	u->battery_notified = true;
}

/*
 * OB wins over OL when a server sends both: better one warning too many.
 * The first OL says nothing new; the first OB does.  ONBATT waits for
 * ONBATTERYDELAY, and mains that are back by then were never gone.
 */
static void follow_line(struct ups *u, const struct ups_step *step, uint32_t bits)
{
	if (bits & ST_OB) {
		u->line = LINE_BATTERY;
	} else if (bits & ST_OL) {
		if (u->battery_notified)
			notify(step, NOTIFY_ONLINE);
		u->battery_notified = false;
		u->line = LINE_ONLINE;
		/* of an outage that is over; the next one must not go by them */
		u->charge = UPS_UNKNOWN;
		u->runtime = UPS_UNKNOWN;
	}
	clock_while(&u->battery_since, u->line == LINE_BATTERY, step->now);
	if (step->now >= onbatt_at(u, step->conf, step->ups))
		notify_onbatt(u, step);
}

static void follow_low(struct ups *u, const struct ups_step *step, uint32_t bits)
{
	if ((bits & ST_LB) && !u->low_notified) {
		if (u->line == LINE_BATTERY)
			notify_onbatt(u, step);
		notify(step, NOTIFY_LOWBATT);
	}
	u->low_notified = (bits & ST_LB) != 0;
	/* on battery is what lasts until an OL, whether or not an answer repeats it */
	clock_while(&u->low_since,
		    u->line == LINE_BATTERY && (bits & (ST_LB | ST_CAL)) == ST_LB, step->now);
}

static void follow_states(struct ups *u, const struct ups_step *step, uint32_t bits,
			  const char *status)
{
	uint32_t begun = bits & ~u->bits, ended = u->bits & ~bits;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (begun & states[i].bit)
			notify(step, states[i].begins);
		if (ended & states[i].bit)
			notify(step, states[i].ends);
	}
	if (begun & ST_OTHER) {
		char others[WHY_MAX];

		status_others(status, others, sizeof(others));
		action_notify(step->out, step->ups, NOTIFY_OTHER, others);
	}
	if (ended & ST_OTHER)
		notify(step, NOTIFY_NOTOTHER);
	if ((ended & ST_ALARM) && u->alarm_notified) {
		u->alarm_notified = false;
		u->alarm_hash = 0;
		notify(step, NOTIFY_NOTALARM);
	}
}

/*
 * FSD that comes is followed at once.  FSD that was there when we came may be
 * of the last power cut: a server keeps it until it is restarted, and would
 * shut this host down at each of its starts.  It gets HOSTSYNC to go away.
 */
static void follow_fsd(struct ups *u, const struct ups_step *step, bool on)
{
	bool first = u->bits == 0;

	if (!on) {
		u->fsd_at = NEVER;
		return;
	}
	if (u->fsd_at == NEVER) {
		u->fsd_at = step->now + (first ? step->conf->host_sync_ms : 0);
		if (first)
			action_report(step->out, step->ups, REPORT_FSD_OLD,
				      step->conf->host_sync_ms / 1000, "");
	}
	if (step->now >= u->fsd_at)
		ups_fsd(u, step);
}

static void follow_replace(struct ups *u, const struct ups_step *step, uint32_t bits)
{
	if (!(bits & ST_RB))
		u->replace_at = NEVER;
	else if (!(u->bits & ST_RB))
		u->replace_at = step->now;
}

void ups_status(struct ups *u, const struct ups_step *step, const char *status)
{
	uint32_t bits = status_parse(status);

	/* the first COMMOK says nothing new */
	if (u->comm == COMM_BAD)
		notify(step, NOTIFY_COMMOK);
	u->comm = COMM_OK;
	u->answered = step->now;
	u->lost_since = NEVER;
	u->nocomm_at = NEVER;

	follow_line(u, step, bits);
	follow_low(u, step, bits);
	follow_states(u, step, bits, status);
	follow_replace(u, step, bits);
	follow_fsd(u, step, (bits & ST_FSD) != 0);
	clock_while(&u->off_since, (bits & ST_OFF) != 0, step->now);
	clock_while(&u->over_since, (bits & ST_OVER) != 0, step->now);
	u->bits = bits;
}

/*
 * Whole units of "87", " 20", "20,5", "1800.5", "100 s": drivers are many.
 * UPS_UNKNOWN for what does not begin with a number, such as "N/A" or "-1".
 */
static int32_t read_units(const char *text)
{
	int32_t number = 0;
	bool any = false;

	for (text += strspn(text, " "); *text >= '0' && *text <= '9'; text++) {
		any = true;
		if (number < UNITS_MAX / 10)
			number = number * 10 + (*text - '0');
		else
			number = UNITS_MAX;
	}
	return any ? number : UPS_UNKNOWN;
}

static bool keep_units(int32_t *units, const char *value)
{
	*units = value ? read_units(value) : UPS_UNKNOWN;
	return !value || *units != UPS_UNKNOWN;
}

/* Each change of the text is told, however long it is. */
static void follow_alarm(struct ups *u, const struct ups_step *step, const char *text)
{
	uint64_t hash = hash_text(HASH_START, text);

	if (!(u->bits & ST_ALARM) || (u->alarm_notified && u->alarm_hash == hash))
		return;
	u->alarm_notified = true;
	u->alarm_hash = hash;
	action_notify(step->out, step->ups, NOTIFY_ALARM, text);
}

bool ups_variable(struct ups *u, const struct ups_step *step, enum conf_variable variable,
		  const char *value)
{
	switch (variable) {
	case VARIABLE_CHARGE:
		return keep_units(&u->charge, value);
	case VARIABLE_RUNTIME:
		return keep_units(&u->runtime, value);
	case VARIABLE_ALARM:
		follow_alarm(u, step, value ? value : "");
		break;
	case VARIABLES:
		break;
	}
	return true;
}

unsigned int ups_wants(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	unsigned int wants = 0;

	if (u->bits & ST_ALARM)
		wants |= 1U << VARIABLE_ALARM;
	if (u->battery_since == NEVER)
		return wants;
	if (conf_trigger(conf, ups, TRIGGER_BATTERYLEVEL) >= 0)
		wants |= 1U << VARIABLE_CHARGE;
	if (conf_trigger(conf, ups, TRIGGER_MINUTES) >= 0)
		wants |= 1U << VARIABLE_RUNTIME;
	return wants;
}

void ups_failed(struct ups *u, const struct ups_step *step)
{
	if (u->comm != COMM_BAD) {
		notify(step, NOTIFY_COMMBAD);
		u->lost_since = step->now;
		/* a UPS that was never seen is missed at once, as in NUT */
		u->nocomm_at = u->comm == COMM_UNKNOWN ? step->now
						       : u->answered + step->conf->nocomm_warn_ms;
	}
	u->comm = COMM_BAD;
}

/* A warning that is repeated; an interval of 0 says it once. */
static void repeat(int64_t *at, uint32_t interval, const struct ups_step *step,
		   enum notify_type type)
{
	if (step->now < *at)
		return;
	notify(step, type);
	*at = interval ? step->now + interval : NEVER;
}

void ups_advance(struct ups *u, const struct ups_step *step)
{
	if (step->now >= onbatt_at(u, step->conf, step->ups))
		notify_onbatt(u, step);
	if (u->comm == COMM_OK && step->now >= u->fsd_at)
		ups_fsd(u, step);
	repeat(&u->nocomm_at, step->conf->nocomm_warn_ms, step, NOTIFY_NOCOMM);
	/* while nothing is known, nothing is known of the battery either */
	if (u->comm == COMM_OK)
		repeat(&u->replace_at, step->conf->replace_warn_ms, step, NOTIFY_REPLBATT);
}

bool ups_is_calm(const struct ups *u)
{
	const uint32_t alert = ST_OB | ST_LB | ST_FSD | ST_OFF | ST_BYPASS | ST_CAL | ST_ALARM |
			       ST_OVER;

	return u->comm == COMM_OK && (u->bits & (ST_OL | alert)) == ST_OL;
}

bool ups_is_same(const struct ups *before, const struct ups *now)
{
	struct ups same = *before;

	if (ups_is_calm(now))
		same.answered = now->answered;
	return memcmp(&same, now, sizeof(same)) == 0;
}

int64_t ups_deadline(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now)
{
	const int64_t at[] = { u->nocomm_at, u->comm == COMM_OK ? u->replace_at : NEVER,
			       onbatt_at(u, conf, ups),
			       critical_deadline(u, conf, ups, now) };
	int64_t earliest = NEVER;

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		if (at[i] < earliest)
			earliest = at[i];
	}
	return earliest;
}
