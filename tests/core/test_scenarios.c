/* SPDX-License-Identifier: ISC */
/*
 * Plays the files of tests/core/scenarios/ on a virtual clock.  A line is
 *
 *	conf LINE              a line of upsmon.conf
 *	sched LINE             a line of upssched.conf
 *	at S fsd               -c fsd, S seconds after the start
 *	at S UPS status TEXT   what its server says from then on
 *	at S UPS refuse | silence | stale | answer
 *	at S UPS restart       the connection breaks; FSD is forgotten
 *	at S UPS lose          it breaks, and no new one can be made
 *	at S UPS others N      logins besides ours
 *	at S UPS forced        somebody else has set FSD
 *	at S UPS charge N
 *	expect S TEXT          a notification, "command ARGUMENT TYPE UPS" of CMDSCRIPT,
 *	                       "set FSD" at a server, "shutdown"
 *	end S                  runs until then
 *
 * All that happens must be expected, to the millisecond and in this order.
 */
#include <dirent.h>
#include <stdlib.h>

#include "lab.h"

static struct lab lab;

struct scenario {
	char conf[4096];
	char sched[4096];
	struct {
		double at;
		char what[128];
	} steps[128];
	int count;
	char expected[8192];
	double end;
};

static unsigned int find_ups(const char *name)
{
	for (unsigned int i = 0; i < lab.conf.ups_count; i++) {
		if (strcmp(conf_get(&lab.conf, lab.conf.ups[i].system), name) == 0)
			return i;
	}
	fail_msg("no UPS %s", name);
	return 0;
}

static void do_step(const char *what)
{
	char name[64] = "", verb[32] = "", rest[96] = "";
	struct lab_server *s;
	unsigned int ups;

	if (strcmp(what, "fsd") == 0) {
		lab_fsd(&lab);
		return;
	}
	sscanf(what, "%63s %31s %95[^\n]", name, verb, rest);
	ups = find_ups(name);
	s = &lab.server[ups];
	if (strcmp(verb, "status") == 0) {
		lab_status(&lab, ups, rest);
	} else if (strcmp(verb, "refuse") == 0) {
		s->mode = LAB_REFUSED;
	} else if (strcmp(verb, "lose") == 0) {
		s->mode = LAB_REFUSED;
		lab_break(&lab, ups);
	} else if (strcmp(verb, "silence") == 0) {
		s->mode = LAB_SILENT;
	} else if (strcmp(verb, "stale") == 0) {
		s->mode = LAB_STALE;
	} else if (strcmp(verb, "answer") == 0) {
		s->mode = LAB_UP;
	} else if (strcmp(verb, "restart") == 0) {
		s->fsd = false;
		lab_break(&lab, ups);
	} else if (strcmp(verb, "others") == 0) {
		s->others = (unsigned int)atoi(rest);
	} else if (strcmp(verb, "forced") == 0) {
		s->fsd = true;
	} else if (strcmp(verb, "charge") == 0) {
		static char charge[UPS_MAX][16];

		snprintf(charge[ups], sizeof(charge[ups]), "%.15s", rest);
		s->variable[VARIABLE_CHARGE] = charge[ups];
	} else {
		fail_msg("unknown step: %s", what);
	}
}

static void read_scenario(const char *path, struct scenario *sc)
{
	FILE *f = fopen(path, "r");
	char line[256];

	assert_non_null(f);
	memset(sc, 0, sizeof(*sc));
	while (fgets(line, sizeof(line), f)) {
		double at = 0;
		int skip = 0;

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "conf ", 5) == 0) {
			strcat(strcat(sc->conf, line + 5), "\n");
		} else if (strncmp(line, "sched ", 6) == 0) {
			strcat(strcat(sc->sched, line + 6), "\n");
		} else if (sscanf(line, "at %lf %n", &at, &skip) == 1) {
			assert_true(sc->count < 128);
			sc->steps[sc->count].at = at;
			snprintf(sc->steps[sc->count++].what, 128, "%s", line + skip);
		} else if (sscanf(line, "expect %lf %n", &at, &skip) == 1) {
			sprintf(sc->expected + strlen(sc->expected), "%.3f %s\n", at, line + skip);
		} else if (sscanf(line, "end %lf", &at) == 1) {
			sc->end = at;
		} else if (line[0] != '#' && line[0] != '\0') {
			fail_msg("%s: cannot read: %s", path, line);
		}
	}
	fclose(f);
	assert_true(sc->end > 0);
}

/* The trace in the words of `expect`. */
static const char *happened(void)
{
	static char out[16384];
	char *line, *next;

	out[0] = '\0';
	lab.trace[lab.trace_used] = '\0';
	for (line = lab.trace; *line; line = next) {
		double at = (double)(strtoll(line, NULL, 10) - 1000) / 1000;
		char *what = strchr(line, ' ') + 1;

		next = strchr(line, '\n') + 1;
		if (strncmp(what, "report ", 7) == 0)
			continue;
		if (strncmp(what, "notify ", 7) == 0)
			what += 7;
		/* a global notification has no UPS */
		sprintf(out + strlen(out), "%.3f %.*s\n", at,
			(int)(next - 1 - what) - (next[-2] == '-' && next[-3] == ' ' ? 2 : 0), what);
	}
	return out;
}

static void play(void **state)
{
	static struct scenario sc;
	int64_t start;

	read_scenario(*state, &sc);
	lab_start_sched(&lab, sc.conf, sc.sched);
	start = lab.now;
	/* what holds from the start is there before the first connection */
	for (int i = 0; i < sc.count; i++) {
		int64_t at = start + (int64_t)(sc.steps[i].at * 1000 + 0.5);

		/* a step comes before a poll of the same moment */
		if (at > lab.now) {
			lab_run(&lab, at - 1 - lab.now);
			lab.now = at;
		}
		do_step(sc.steps[i].what);
	}
	lab_run(&lab, start + (int64_t)(sc.end * 1000) - lab.now);
	if (strcmp(happened(), sc.expected) != 0)
		fail_msg("%s\n-- expected\n%s-- happened\n%s", (const char *)*state, sc.expected,
			 happened());
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

int main(void)
{
	static struct CMUnitTest tests[64];
	static char paths[64][512];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir = opendir(SCENARIOS);

	while (dir && (entry = readdir(dir)) && count < 64) {
		if (!strstr(entry->d_name, ".scenario"))
			continue;
		snprintf(paths[count], sizeof(paths[count]), "%s/%s", SCENARIOS, entry->d_name);
		tests[count].name = strrchr(paths[count], '/') + 1;
		tests[count].test_func = play;
		tests[count].initial_state = paths[count];
		count++;
	}
	if (dir)
		closedir(dir);
	if (count == 0)
		return 1;
	qsort(tests, count, sizeof(tests[0]), by_name);
	return _cmocka_run_group_tests("scenarios", tests, count, NULL, NULL);
}
