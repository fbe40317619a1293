/* SPDX-License-Identifier: ISC */
/*
 * ups.h - what is known of one UPS, and when it becomes critical.
 *
 * An answer or a failed poll goes in; notifications come out, and the answer
 * to one question: can this UPS still be counted on?
 *
 * Pure.  Times are monotonic milliseconds.
 */
#ifndef UPS_H
#define UPS_H

#include <stdbool.h>
#include <stdint.h>

#include "action.h"
#include "conf.h"
#include "status.h"

/* NOCOMM is repeated this often (NUT's default NOCOMMWARNTIME). */
#define UPS_NOCOMM_MS 300000

enum ups_comm { COMM_UNKNOWN, COMM_OK, COMM_BAD };
enum ups_line { LINE_UNKNOWN, LINE_ONLINE, LINE_BATTERY };

/*
 * All that must outlive the monitor process: this struct travels to the guard
 * and back (see message.h), so it has fixed-size members only.
 */
struct ups {
	uint32_t bits;		/* the last answer; 0: never seen */
	uint8_t comm;
	uint8_t line;
	uint8_t low_notified;	/* LOWBATT was sent and LB still stands */
	uint8_t fsd_notified;
	uint8_t critical;	/* as told to the log */
	int64_t answered;	/* when the last answer came */
	int64_t low_since;	/* since when it counts as OB LB; NEVER: it does not */
	int64_t nocomm_at;	/* the next NOCOMM */
};

struct ups_step {
	const struct conf *conf;
	uint16_t ups;
	int64_t now;
	struct actions *out;
};

void ups_init(struct ups *u, int64_t now);

/* A new answer: the bits of status_parse(). */
void ups_status(struct ups *u, const struct ups_step *step, uint32_t bits);

/* A poll or a connection has failed. */
void ups_failed(struct ups *u, const struct ups_step *step);

/* Whatever comes with time alone: DEADTIME, the repeated NOCOMM. */
void ups_advance(struct ups *u, const struct ups_step *step);

/* FSD is on; notifies once. */
void ups_fsd(struct ups *u, const struct ups_step *step);

bool ups_is_critical(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now);

/* Plainly on line: nothing that would ask for POLLFREQALERT. */
bool ups_is_calm(const struct ups *u);

int64_t ups_deadline(const struct ups *u, const struct conf *conf, uint16_t ups, int64_t now);

#endif
