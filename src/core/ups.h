/* SPDX-License-Identifier: ISC */
/*
 * ups.h - what is known of one UPS, and when it becomes critical.
 *
 * An answer or a failed poll goes in; notifications come out, and the answer
 * to one question: can this UPS still be counted on?  The rules for that are
 * a table in critical.c.
 *
 * Pure.  Times are monotonic milliseconds.
 */
#ifndef UPS_H
#define UPS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/action.h"
#include "core/conf.h"
#include "core/status.h"

enum ups_comm { COMM_UNKNOWN, COMM_OK, COMM_BAD };
enum ups_line { LINE_UNKNOWN, LINE_ONLINE, LINE_BATTERY };

/* Why a UPS cannot be counted on. */
enum critical {
	CRITICAL_NOT,
	CRITICAL_FSD,
	CRITICAL_LOW,		/* OB LB */
	CRITICAL_DEAD,		/* OB, and no answer for DEADTIME */
	CRITICAL_OFF,
	CRITICAL_LOST_ALARM,	/* no answer since it was in ALARM; and so on */
	CRITICAL_LOST_CAL,
	CRITICAL_LOST_BYPASS,
	CRITICAL_LOST_OFF,
	CRITICAL_LOST_OVER,
	CRITICAL_CHARGE,	/* BATTERYLEVEL */
	CRITICAL_RUNTIME,	/* MINUTES */
	CRITICAL_TIMEOUT,	/* TIMEOUT */
	CRITICAL_REASONS,
};

/* The server's certificate was verified; all of it but the dates, because the clock is not set. */
#define SECURE_ENCRYPTED 1
#define SECURE_VERIFIED 2
#define SECURE_UNDATED 4

/* Of a number that the server has not told. */
#define UPS_UNKNOWN (-1)

/*
 * All that must outlive the monitor process: this struct travels to the guard
 * and back (see message.h), so it has fixed-size members only, and no padding
 * among them, so that two can be compared with memcmp().
 */
struct ups {
	uint32_t bits;		/* the last answer; 0: never seen */
	uint8_t comm;
	uint8_t line;
	uint8_t battery_notified; /* ONBATT was sent: ONLINE is its counterpart */
	uint8_t low_notified;	/* LOWBATT was sent and LB still stands */
	uint8_t fsd_notified;
	uint8_t alarm_notified;
	uint8_t critical;	/* enum critical, as told to the log */
	uint8_t logged_in;
	int32_t charge;		/* percent, or UPS_UNKNOWN */
	int32_t runtime;	/* seconds, or UPS_UNKNOWN */
	uint8_t secure;		/* how its connection is secured: SECURE_ bits */
	uint8_t spare[3];
	int64_t answered;	/* when the last answer came */
	int64_t lost_since;	/* when the first poll after it failed; NEVER: none has */
	int64_t battery_since;	/* on battery since; NEVER: it is not */
	int64_t low_since;	/* OB LB since, CAL apart */
	int64_t off_since;	/* OFF since */
	int64_t over_since;	/* OVER since */
	int64_t fsd_at;		/* FSD is followed from then on; NEVER: it is not on */
	int64_t nocomm_at;	/* the next NOCOMM */
	int64_t replace_at;	/* the next REPLBATT */
	uint64_t alarm_hash;	/* of the alarms that were notified */
};

struct ups_step {
	const struct conf *conf;
	uint16_t ups;
	int64_t now;
	struct actions *out;
};

void ups_init(struct ups *u, int64_t now);

/* A new answer: the text of ups.status. */
void ups_status(struct ups *u, const struct ups_step *step, const char *status);

/*
 * The value of a variable that ups_wants() asked for, NULL if the server does
 * not have it.  False: it is no number where there should be one, and unknown.
 */
bool ups_variable(struct ups *u, const struct ups_step *step, enum conf_variable variable,
		  const char *value);

/* The variables that are needed beside ups.status: a set of 1 << conf_variable. */
unsigned int ups_wants(const struct ups *u, const struct conf *conf, uint16_t ups);

/* A poll or a connection has failed. */
void ups_failed(struct ups *u, const struct ups_step *step);

/* Whatever comes with time alone: ONBATTERYDELAY, the repeated NOCOMM and REPLBATT. */
void ups_advance(struct ups *u, const struct ups_step *step);

/* FSD is on; notifies once. */
void ups_fsd(struct ups *u, const struct ups_step *step);

/* Nothing else has changed than when the last answer came, and that of a UPS that is calm. */
bool ups_is_same(const struct ups *before, const struct ups *now);

/* Plainly on line: nothing that would ask for POLLFREQALERT. */
bool ups_is_calm(const struct ups *u);

int64_t ups_deadline(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now);

/* The first rule of the table that holds. */
enum critical critical_now(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now);

/* When, without another answer, a rule that does not hold yet will; NEVER if none will. */
int64_t critical_deadline(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now);

/* For people: "OB LB", "no answer while on battery", ... */
const char *critical_text(enum critical why);

#endif
