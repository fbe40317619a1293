/* SPDX-License-Identifier: ISC */
/* When a UPS cannot be counted on any more: one rule a line, each with its reason. */
#include "core/ups.h"

/*
 * A rule says since when it could hold; with its delay that gives the moment
 * from which it does.  NEVER for a rule that does not apply.
 */
typedef int64_t rule_since(const struct ups *u, const struct conf *conf, uint16_t ups);

static int64_t later(int64_t since, int64_t ms)
{
	return since == NEVER ? NEVER : since + ms;
}

/* A duration of the configuration: below 0 is never. */
static int64_t after(int64_t since, int32_t ms)
{
	return ms < 0 ? NEVER : later(since, ms);
}

/* On battery for want of mains; a calibration is no reason to go. */
static bool on_battery(const struct ups *u)
{
	return u->battery_since != NEVER && !(u->bits & ST_CAL);
}

/* Set by the primary; latched by the server.  As in NUT, but for one of an earlier time (ups.c). */
static int64_t fsd(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	(void)conf;
	(void)ups;
	/* one that was not followed yet must still be there: a server that is lost may be restarted */
	return u->fsd_notified || u->comm == COMM_OK ? u->fsd_at : NEVER;
}

/* A secondary leaves its primary HOSTSYNC to say FSD first.  As in NUT. */
static int64_t host_sync(const struct conf *conf, uint16_t ups)
{
	return conf->ups[ups].primary ? 0 : conf->host_sync_ms;
}

/*
 * OB LB for OBLBDURATION.  CAL keeps low_since away: a calibration drains the
 * battery on purpose.  As in NUT, but that losing the server does not hurry
 * it: NUT shuts down at once on a glitch while OB LB (nut#2126).
 */
static int64_t low(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	return later(later(u->low_since, conf->oblb_ms), host_sync(conf, ups));
}

/* DEADTIME after the last answer, an OB counts as OB LB.  As in NUT. */
static int64_t dead(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	if (u->comm != COMM_BAD || !on_battery(u))
		return NEVER;
	return later(u->answered + conf->dead_time_ms + conf->oblb_ms, host_sync(conf, ups));
}

/* Administratively off: whoever it feeds has no power.  As in NUT. */
static int64_t off(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	(void)ups;
	return after(u->off_since, conf->off_ms);
}

/*
 * Lost while the last word was that it does not protect: then DEADTIME is all
 * the time that a server gets to come back.  NUT waits for nothing here, and
 * shuts a healthy machine down when an upsd is restarted.
 */
static int64_t lost_while(const struct ups *u, const struct conf *conf, uint32_t bit)
{
	return u->comm == COMM_BAD && (u->bits & bit) ? u->answered + conf->dead_time_ms : NEVER;
}

static int64_t lost_alarm(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	(void)ups;
	return conf->alarm_critical ? lost_while(u, conf, ST_ALARM) : NEVER;
}

static int64_t lost_cal(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	(void)ups;
	return lost_while(u, conf, ST_CAL);
}

static int64_t lost_bypass(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	(void)ups;
	return lost_while(u, conf, ST_BYPASS);
}

/* OFFDURATION below 0 is never, whoever is lost. */
static int64_t lost_off(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	(void)ups;
	return conf->off_ms < 0 ? NEVER : lost_while(u, conf, ST_OFF);
}

/* Overloaded for OVERDURATION, and lost.  As in NUT, but for DEADTIME. */
static int64_t lost_over(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	int64_t lost = lost_while(u, conf, ST_OVER);
	int64_t over = after(u->over_since, conf->over_ms);

	(void)ups;
	return lost > over ? lost : over;
}

static int64_t below(const struct ups *u, int32_t value, int32_t limit)
{
	return on_battery(u) && limit >= 0 && value >= 0 && value <= limit ? INT64_MIN : NEVER;
}

/* The next three are apcupsd's; a host asks for them, so it does not wait for its primary. */
static int64_t charge(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	return below(u, u->charge, conf_trigger(conf, ups, TRIGGER_BATTERYLEVEL));
}

static int64_t runtime(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	int32_t minutes = conf_trigger(conf, ups, TRIGGER_MINUTES);

	return below(u, u->runtime, minutes < 0 ? -1 : minutes * 60);
}

static int64_t timeout(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	int32_t seconds = conf_trigger(conf, ups, TRIGGER_TIMEOUT);

	/* 0 is off, as in apcupsd's own sample file */
	return on_battery(u) && seconds > 0 ? u->battery_since + (int64_t)seconds * 1000 : NEVER;
}

static const struct {
	rule_since *from;
	const char *text;
} rules[CRITICAL_REASONS] = {
	[CRITICAL_FSD] = { fsd, "forced shutdown" },
	[CRITICAL_LOW] = { low, "on battery, and the battery is low" },
	[CRITICAL_DEAD] = { dead, "no answer for DEADTIME while on battery" },
	[CRITICAL_OFF] = { off, "off" },
	[CRITICAL_LOST_ALARM] = { lost_alarm, "no answer for DEADTIME since it was in alarm" },
	[CRITICAL_LOST_CAL] = { lost_cal, "no answer for DEADTIME since it was calibrating" },
	[CRITICAL_LOST_BYPASS] = { lost_bypass, "no answer for DEADTIME since it was on bypass" },
	[CRITICAL_LOST_OFF] = { lost_off, "no answer for DEADTIME since it was off" },
	[CRITICAL_LOST_OVER] = { lost_over, "no answer for DEADTIME since it was overloaded" },
	[CRITICAL_CHARGE] = { charge, "on battery, and the charge is at BATTERYLEVEL" },
	[CRITICAL_RUNTIME] = { runtime, "on battery, and the runtime is at MINUTES" },
	[CRITICAL_TIMEOUT] = { timeout, "on battery for TIMEOUT" },
};

enum critical critical_now(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now)
{
	for (int i = CRITICAL_NOT + 1; i < CRITICAL_REASONS; i++) {
		if (now >= rules[i].from(u, conf, ups))
			return (enum critical)i;
	}
	return CRITICAL_NOT;
}

int64_t critical_deadline(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now)
{
	int64_t at = NEVER;

	for (int i = CRITICAL_NOT + 1; i < CRITICAL_REASONS; i++) {
		int64_t from = rules[i].from(u, conf, ups);

		if (from > now && from < at)
			at = from;
	}
	return at;
}

const char *critical_text(enum critical why)
{
	return why == CRITICAL_NOT ? "counted on" : rules[why].text;
}
