/* SPDX-License-Identifier: ISC */
/* The sentences behind enum report: what happened, and what to do about it. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "core/action.h"

/* %u the UPS as written in MONITOR, %w why, %n the value. */
static const struct {
	int priority;
	const char *text;
} sentences[] = {
	[REPORT_CONNECT_FAILED] = { LOG_ERR, "UPS %u: cannot connect: %w" },
	[REPORT_CONNECT_TIMEOUT] = { LOG_ERR, "UPS %u: cannot connect: no answer in time from %w" },
	[REPORT_CONNECTION_LOST] = { LOG_ERR, "UPS %u: connection lost: %w" },
	[REPORT_NO_REPLY] = { LOG_ERR, "UPS %u: no reply to %w in time; connecting anew" },
	[REPORT_RUBBISH] = { LOG_ERR, "UPS %u: this is no answer of a UPS server: \"%w\"; is the "
				      "port right?" },
	[REPORT_POLL_REFUSED] = { LOG_ERR, "UPS %u: poll failed: %w" },
	[REPORT_STATUS_EMPTY] = { LOG_ERR, "UPS %u: poll failed: ups.status is empty" },
	[REPORT_POLL_WORKS] = { LOG_NOTICE, "UPS %u: answers again" },
	[REPORT_LOGIN_REFUSED] = { LOG_ERR, "UPS %u: the server refuses the login (%w); compare user "
					    "and password with its upsd.users; trying on" },
	[REPORT_LOGIN_FAILED] = { LOG_ERR, "UPS %u: the server refuses the login for now (%w): it may be "
					   "full, or have no driver for this UPS; its own log tells; "
					   "trying on" },
	[REPORT_LOGGED_IN] = { LOG_INFO, "UPS %u: logged in" },
	[REPORT_PRIMARY_REFUSED] = { LOG_ERR, "UPS %u: the server does not take this host as primary "
					      "(%w); its upsd.users needs \"upsmon primary\" for "
					      "this user; trying on" },
	[REPORT_FSD_REFUSED] = { LOG_ERR, "UPS %u: the server refuses FSD (%w); secondaries are not "
					  "warned" },
	[REPORT_FSD_SET] = { LOG_NOTICE, "UPS %u: FSD is set" },
	[REPORT_FSD_OLD] = { LOG_WARNING, "UPS %u: its server has had FSD set since before this upsmon "
					  "came; if it still has in %n s, this machine shuts down.  A "
					  "server forgets FSD when upsd is restarted: do that on the "
					  "primary" },
	[REPORT_VARIABLE_MISSING] = { LOG_WARNING, "UPS %u: the server does not have %w; what depends "
						   "on it cannot fire" },
	[REPORT_VARIABLE_NO_NUMBER] = { LOG_WARNING, "UPS %u: %w is no number; what depends on it "
						     "cannot fire" },
	[REPORT_CRITICAL] = { LOG_WARNING, "UPS %u is critical: %w" },
	[REPORT_NOT_CRITICAL] = { LOG_NOTICE, "UPS %u is no longer critical" },
	[REPORT_POWER_LOW] = { LOG_CRIT, "shutdown: the power that is left (%n) is below MINSUPPLIES" },
	[REPORT_FSD_ASKED] = { LOG_CRIT, "shutdown: asked for by -c fsd" },
	[REPORT_HOSTSYNC_WAIT] = { LOG_NOTICE, "shutdown: waiting up to %n s for secondaries to log "
					       "out" },
	[REPORT_HOSTSYNC_OVER] = { LOG_WARNING, "shutdown: HOSTSYNC is over; going down without "
						"waiting for the rest" },
	[REPORT_FINAL_DELAY] = { LOG_NOTICE, "shutdown: SHUTDOWNCMD runs in %n s" },
#if WITH_UPSSCHED
	[REPORT_TIMER_STARTED] = { LOG_NOTICE, "timer %w is started: %n s" },
	[REPORT_TIMER_CANCELLED] = { LOG_NOTICE, "timer %w is cancelled" },
	[REPORT_TIMER_DUE] = { LOG_NOTICE, "timer %w is due" },
	[REPORT_TIMERS_FULL] = { LOG_ERR, "timer %w cannot be started: %n run already" },
#endif
#if WITH_TLS
	[REPORT_TLS_VERIFIED] = { LOG_INFO, "UPS %u: encrypted (%w), and the server's certificate is "
					    "verified" },
	[REPORT_TLS_UNDATED] = { LOG_WARNING, "UPS %u: encrypted (%w), and the server's certificate is "
					      "verified, but not its dates: the clock is not set; they "
					      "are checked when the connection is made anew" },
	[REPORT_TLS_ENCRYPTED] = { LOG_INFO, "UPS %u: encrypted (%w); the server's certificate is not "
					     "verified" },
	[REPORT_TLS_NONE] = { LOG_NOTICE, "UPS %u: not encrypted: the server has no TLS (%w)" },
	[REPORT_TLS_SILENT] = { LOG_WARNING, "UPS %u: the server does not answer STARTTLS; the next "
					     "connection does without" },
	[REPORT_TLS_REFUSED] = { LOG_ERR, "UPS %u: not connecting in the clear, as FORCESSL or CERTVERIFY "
					  "has it: the server has no TLS (%w)" },
	[REPORT_TLS_FAILED] = { LOG_ERR, "UPS %u: TLS failed: %w" },
#endif
};

static size_t append(char *out, size_t size, size_t used, const char *text)
{
	size_t len = strlen(text);

	if (len > size - 1 - used)
		len = size - 1 - used;
	memcpy(out + used, text, len);
	out[used + len] = '\0';
	return used + len;
}

void report_format(char *out, size_t size, const struct conf *conf, const struct action *action,
		   int *priority)
{
	const char *text = sentences[action->u.report].text;
	size_t used = 0;

	*priority = sentences[action->u.report].priority;
	out[0] = '\0';
	for (; *text; text++) {
		char number[12];
		char plain[2] = { *text, '\0' };

		if (*text != '%') {
			used = append(out, size, used, plain);
			continue;
		}
		switch (*++text) {
		case 'u':
			used = append(out, size, used,
				      conf_get(conf, conf->ups[action->ups].system));
			break;
		case 'w':
			used = append(out, size, used, action->why);
			break;
		default:
			snprintf(number, sizeof(number), "%u", action->value);
			used = append(out, size, used, number);
			break;
		}
	}
}
