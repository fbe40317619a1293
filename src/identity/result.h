/* SPDX-License-Identifier: ISC */
/*
 * result.h - how an order went, for the one who gave it: `upsmon -c reload`
 * and `-c upgrade` send a signal, which cannot be answered, and wait for the
 * file upsmon.<order> beside the pidfile.
 *
 * The file names the time (monotonic milliseconds) when the order was begun, so
 * that the sender can tell the answer to this order from an earlier one.
 */
#ifndef RESULT_H
#define RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity/instance.h"

/* order: "reload", "upgrade".  Needs the claim; a failure costs the answer. */
void result_write(const struct instance *in, const char *order, int64_t begun, bool done,
		  const char *text);

/* True if there is an answer to an order given at `since`; then *done and text are filled. */
bool result_read(const struct instance *in, const char *order, int64_t since, bool *done,
		 char *text, size_t size);

/* Those that are left belong to nobody. */
void result_remove_all(const struct instance *in);

#endif
