/* SPDX-License-Identifier: ISC */
#include "ups.h"

#include <string.h>

static void notify(const struct ups_step *step, enum notify_type type)
{
	action_notify(step->out, step->ups, type);
}

void ups_init(struct ups *u, int64_t now)
{
	memset(u, 0, sizeof(*u));
	u->answered = now;
	u->low_since = NEVER;
	u->nocomm_at = NEVER;
}

void ups_fsd(struct ups *u, const struct ups_step *step)
{
	if (!u->fsd_notified)
		notify(step, NOTIFY_FSD);
	u->fsd_notified = true;
}

/*
 * OB wins over OL when a server sends both: better one warning too many.
 * The first OL says nothing new; the first OB does.
 */
static void follow_line(struct ups *u, const struct ups_step *step, uint32_t bits)
{
	if (bits & ST_OB) {
		if (u->line != LINE_BATTERY)
			notify(step, NOTIFY_ONBATT);
		u->line = LINE_BATTERY;
	} else if (bits & ST_OL) {
		if (u->line == LINE_BATTERY)
			notify(step, NOTIFY_ONLINE);
		u->line = LINE_ONLINE;
	}
}

/* A calibration drains the battery on purpose: OB LB CAL is not critical. */
static bool battery_is_low(uint32_t bits)
{
	return (bits & (ST_OB | ST_LB | ST_CAL)) == (ST_OB | ST_LB);
}

void ups_status(struct ups *u, const struct ups_step *step, uint32_t bits)
{
	/* the first COMMOK says nothing new */
	if (u->comm == COMM_BAD)
		notify(step, NOTIFY_COMMOK);
	u->comm = COMM_OK;
	u->answered = step->now;
	u->nocomm_at = NEVER;

	follow_line(u, step, bits);
	if ((bits & ST_LB) && !u->low_notified)
		notify(step, NOTIFY_LOWBATT);
	u->low_notified = (bits & ST_LB) != 0;
	if (bits & ST_FSD)
		ups_fsd(u, step);

	if (!battery_is_low(bits))
		u->low_since = NEVER;
	else if (u->low_since == NEVER)
		u->low_since = step->now;
	u->bits = bits;
}

void ups_failed(struct ups *u, const struct ups_step *step)
{
	if (u->comm != COMM_BAD) {
		notify(step, NOTIFY_COMMBAD);
		/* a UPS that was never seen is missed at once, as in NUT */
		u->nocomm_at = u->comm == COMM_UNKNOWN ? step->now : u->answered + UPS_NOCOMM_MS;
	}
	u->comm = COMM_BAD;
}

/*
 * DEADTIME runs from the last answer, and only matters on battery: a UPS lost
 * while on line, or never seen, is not critical.
 */
static int64_t dead_at(const struct ups *u, const struct conf *conf)
{
	if (u->comm != COMM_BAD || !(u->bits & ST_OB) || u->low_since != NEVER)
		return NEVER;
	return u->answered + conf->dead_time_ms;
}

void ups_advance(struct ups *u, const struct ups_step *step)
{
	if (step->now >= dead_at(u, step->conf)) {
		u->low_since = step->now;
		action_report(step->out, step->ups, REPORT_DEAD, step->conf->dead_time_ms / 1000,
			      "");
	}
	if (step->now >= u->nocomm_at) {
		notify(step, NOTIFY_NOCOMM);
		u->nocomm_at = step->now + UPS_NOCOMM_MS;
	}
}

/* A secondary leaves the primary HOSTSYNC to say FSD first. */
static int64_t critical_at(const struct ups *u, const struct conf *conf, uint16_t ups)
{
	if (u->low_since == NEVER || conf->ups[ups].primary)
		return u->low_since;
	return u->low_since + conf->host_sync_ms;
}

bool ups_is_critical(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now)
{
	return (u->bits & ST_FSD) || now >= critical_at(u, conf, ups);
}

bool ups_is_calm(const struct ups *u)
{
	return u->comm == COMM_OK && (u->bits & (ST_OL | ST_OB | ST_LB | ST_FSD)) == ST_OL;
}

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t ups_deadline(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now)
{
	int64_t at = earliest(dead_at(u, conf), u->nocomm_at);

	/* once critical, it has no deadline left */
	if (critical_at(u, conf, ups) > now)
		at = earliest(at, critical_at(u, conf, ups));
	return at;
}
