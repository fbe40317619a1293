/* SPDX-License-Identifier: ISC */
#include "command/usage.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "options.h"

/*
 * Read by hand: getopt(3) of a small libc brings stdio with it.  As there,
 * options may be run together (-DDF) and an argument may follow at once.
 */

#define WITH_ARGUMENT "cPufW"

static bool read_count(const char *text, unsigned long max, unsigned long *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*value = strtoul(text, &end, 10);
	return *end == '\0' && *value > 0 && *value <= max;
}

static bool set_argument(struct usage *u, char option, const char *value)
{
	unsigned long number;

	switch (option) {
	case 'c':
		if (u->command != CONTROL_NONE) {
			log_error("-c %s: one command at a time", value);
			return false;
		}
		u->command = control_by_name(value);
		if (u->command != CONTROL_NONE)
			return true;
		log_error("-c %s: the commands are stop, reload, fsd, upgrade and status", value);
		return false;
	case 'P':
		if (read_count(value, 0x7fffffff, &number)) {
			u->pid = (pid_t)number;
			return true;
		}
		log_error("-P %s: a process number is expected", value);
		return false;
	case 'W':
		if (read_count(value, 3600, &number)) {
			u->connect_ms = (unsigned int)number * 1000;
			return true;
		}
		log_error("-W %s: seconds from 1 to 3600 are expected", value);
		return false;
	case 'u':
		u->user = value;
		return true;
	default:
		u->conf_file = value;
		return true;
	}
}

static bool set_flag(struct usage *u, char option)
{
	switch (option) {
	case 'F':
		u->foreground = true;
		return true;
	case 'B':
		u->foreground = false;
		return true;
	case 'D':
		u->debug++;
		u->foreground = true;
		return true;
	case 'K':
		u->killpower = true;
		return true;
	case 'p':
		u->one_process = true;
		return true;
	case '4':
		u->family = AF_INET;
		return true;
	case '6':
		u->family = AF_INET6;
		if (!WITH_IPV6)
			log_error("this upsmon is built without IPv6");
		return WITH_IPV6;
	case 'h':
		u->help = true;
		return true;
	case 't':
		u->test = true;
		if (!WITH_CHECK)
			log_error("this upsmon is built without -t");
		return WITH_CHECK;
	case 'j':
		u->json = true;
		if (!WITH_JSON)
			log_error("this upsmon is built without JSON");
		return WITH_JSON;
	case 'V':
		u->version = true;
		return true;
	default:
		log_error("there is no option -%c; upsmon -h lists them", option);
		return false;
	}
}

bool usage_read(int argc, char **argv, struct usage *u)
{
	memset(u, 0, sizeof(*u));
	u->family = WITH_IPV6 ? AF_UNSPEC : AF_INET;
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		/* the two that everybody tries */
		if (strcmp(a, "--help") == 0)
			a = "-h";
		else if (strcmp(a, "--version") == 0)
			a = "-V";

		if (a[0] != '-' || a[1] == '\0') {
			log_error("\"%s\" is no option; upsmon -h lists them", a);
			return false;
		}
		for (a++; *a; a++) {
			const char *value;

			if (!strchr(WITH_ARGUMENT, *a)) {
				if (!set_flag(u, *a))
					return false;
				continue;
			}
			value = a[1] ? a + 1 : argv[++i];
			if (!value) {
				log_error("-%c needs an argument; upsmon -h tells which", *a);
				return false;
			}
			if (!set_argument(u, *a, value))
				return false;
			break;
		}
	}
	if (u->pid && u->command == CONTROL_NONE) {
		log_error("-P goes with -c only");
		return false;
	}
	if (u->json && u->command != CONTROL_STATUS) {
		log_error("-j goes with -c status only");
		return false;
	}
	return true;
}

void usage_print(void)
{
	static const char text[] =
		"usage: upsmon [-BDFKp46t] [-c command [-P pid] [-j]] [-f file] [-u user] [-W secs]\n"
		"\n"
		"Watches UPSes through their servers (upsd), and shuts this machine down\n"
		"before the power is gone.\n"
		"\n"
		"  -c stop     end the running upsmon, and wait until it is gone\n"
		"  -c reload   read the configuration anew\n"
#if WITH_UPGRADE
		"  -c upgrade  go on with the program that is on disk now, without a logout\n"
#endif
		"  -c fsd      shut down now (forced shutdown)\n"
		"  -c status   is it running?  0 yes, 1 no, but a pidfile is left, 3 no,\n"
		"              4 unknown; and what is known of each UPS\n"
#if WITH_JSON
		"  -j          with -c status: as JSON\n"
#endif
		"  -P pid      with -c: only if upsmon is this process\n"
#if WITH_CHECK
		"  -t          check the configuration, and start nothing: 0 sound, 1 not\n"
#endif
		"  -K          is POWERDOWNFLAG set?  0 yes, 1 no\n"
		"  -F          stay in the foreground, messages also on stderr\n"
		"  -B          go to the background once ready (the default)\n"
		"  -D          foreground, with debug messages\n"
		"  -p          one process, without the split of privileges\n"
		"  -u user     run the unprivileged half as user (before RUN_AS_USER)\n"
		"  -f file     configuration; otherwise upsmon.conf in NUT_CONFPATH or\n"
		"              " CONF_DIR "\n"
#if WITH_IPV6
		"  -4, -6      use IPv4 or IPv6 only\n"
#endif
		"  -W seconds  how long a connection may take (10)\n"
		"  -h, -V      this text; the version\n"
		"\n"
		"Exit codes: 0 clean, 1 failed, 2 wrong usage.\n"
		"pidfile and lock: NUT_PIDPATH or " PID_DIR "; when not root NUT_ALTPIDPATH,\n"
		"NUT_STATEPATH or " ALT_PID_DIR ".\n";

	(void)!write(STDOUT_FILENO, text, sizeof(text) - 1);
}
