/* SPDX-License-Identifier: ISC */
/* One sentence for each verdict of instance.h. */
#include <stdio.h>
#include <string.h>

#include "identity/instance.h"
#include "options.h"

bool verdict_is_running(const struct verdict *v)
{
	return v->kind == VERDICT_RUNNING_LOCK || v->kind == VERDICT_RUNNING_NAME;
}

void verdict_format(const struct verdict *v, char *text, size_t size)
{
	int pid = (int)v->pid;

	switch (v->kind) {
	case VERDICT_FREE:
		snprintf(text, size, "upsmon is not running");
		break;
	case VERDICT_RUNNING_LOCK:
		if (pid > 0)
			snprintf(text, size, "upsmon is running: pid %d holds the lock", pid);
		else
			snprintf(text, size, "upsmon is running: the lock is held by a process in "
					     "another pid namespace");
		break;
	case VERDICT_RUNNING_NAME:
		snprintf(text, size, "upsmon is running: pid %d is an upsmon %s", pid,
			 v->error ? "whose lock this user cannot read" : "without a lock");
		break;
	case VERDICT_STALE_OTHER:
		if (strcmp(v->name, PROGRAM_NAME) == 0)
			snprintf(text, size, "stale pidfile: pid %d is another upsmon, and not the "
					     "one that wrote it",
				 pid);
		else
			snprintf(text, size, "stale pidfile: pid %d belongs to %s and is not upsmon",
				 pid, v->name);
		break;
	case VERDICT_STALE_GONE:
		snprintf(text, size, "stale pidfile: nobody has pid %d", pid);
		break;
	case VERDICT_STALE_SELF:
		snprintf(text, size, "stale pidfile: pid %d is this very process or the "
				     "one that started it", pid);
		break;
	case VERDICT_STALE_EMPTY:
		snprintf(text, size, "stale pidfile: it is empty or holds no number");
		break;
	case VERDICT_UNKNOWN:
		if (pid > 0)
			snprintf(text, size, "unknown: cannot tell what pid %d is: %s", pid,
				 procname_error(v->error));
		else
			snprintf(text, size, "unknown: cannot tell whether upsmon runs: %s",
				 strerror(v->error));
		break;
	}
}
