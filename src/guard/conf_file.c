/* SPDX-License-Identifier: ISC */
#include "guard/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "guard/cert_files.h"

/* No configuration is longer, and a small board has better use for its time. */
#define FILE_MAX ((size_t)1024 * 1024)

struct reading {
	const char *path;
	bool quiet;
};

static void say(void *arg, enum conf_severity severity, int line, const char *text)
{
	const struct reading *reading = arg;
	int priority = severity == CONF_ERROR ? LOG_ERR : LOG_WARNING;
	const char *kind = severity == CONF_ERROR ? "error" : "warning";

	if (reading->quiet)
		return;
	if (line > 0)
		log_at(priority, "%s:%d: %s: %s", reading->path, line, kind, text);
	else
		log_at(priority, "%s: %s: %s", reading->path, kind, text);
}

static void explain(const char *path, int error)
{
	switch (error) {
	case ENOENT:
		log_error("%s: there is no configuration.  It needs two lines at least: "
			  "MONITOR ups@localhost 1 user password primary, and "
			  "SHUTDOWNCMD \"/sbin/poweroff\"; another place is set with -f file or "
			  "NUT_CONFPATH",
			  path);
		break;
	case EACCES:
		log_error("%s: %s; start upsmon as root, or give this user the right to read it",
			  path, strerror(error));
		break;
	default:
		log_error("%s: %s", path, strerror(error));
		break;
	}
}

typedef void take_line(struct conf *conf, const struct words *words, int line,
		       struct conf_report *report);

/* Takes one byte; lines that were joined count from where they began. */
static void feed(struct conf *conf, struct words *words, int byte, int first_line,
		 take_line *take, struct conf_report *report)
{
	enum words_result result = words_feed(words, byte);

	if (result == WORDS_LINE)
		take(conf, words, first_line, report);
	else if (result != WORDS_MORE)
		conf_broken(words, result, first_line, report);
}

static int read_lines(int fd, struct conf *conf, take_line *take, struct conf_report *report)
{
	static struct words words; /* too large for a small board's stack */
	unsigned char chunk[256];
	int line = 1, first_line = 1;
	size_t total = 0;
	ssize_t len;

	words_init(&words, WORDS_CONF);
	while ((len = read(fd, chunk, sizeof(chunk))) != 0) {
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return errno;
		/* a device, say, which has no end */
		if (total > FILE_MAX)
			return EFBIG;
		/* the mark that some editors put at the beginning is no text */
		for (ssize_t i = total == 0 && len >= 3 && memcmp(chunk, "\xef\xbb\xbf", 3) == 0 ? 3
												: 0;
		     i < len; i++) {
			feed(conf, &words, chunk[i], first_line, take, report);
			if (chunk[i] != '\n')
				continue;
			line++;
			if (!words_is_open(&words))
				first_line = line;
		}
		total += (size_t)len;
	}
	feed(conf, &words, WORDS_END, first_line, take, report);
	return 0;
}

/* 0, or an errno value. */
static int read_file(const char *path, struct conf *conf, take_line *take,
		     struct conf_report *report)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int error;

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		error = EISDIR;
	else
		error = read_lines(fd, conf, take, report);
	close(fd);
	return error;
}

#if WITH_UPSSCHED
/* The file that UPSSCHED names.  Without it the battery is watched all the same. */
static void read_sched(struct conf *conf, bool quiet)
{
	const char *path = conf_get(conf, conf->upssched);
	struct reading reading = { path, quiet };
	struct conf_report report = { say, &reading, 0, 0 };
	int error;

	if (!*path)
		return;
	error = read_file(path, conf, conf_sched_line, &report);
	if (error) {
		conf_say(&report, CONF_WARNING, 0, "%s; there are no timers", strerror(error));
		conf->upssched_broken = true;
		return;
	}
	conf_sched_finish(conf, &report);
}
#else
static void read_sched(struct conf *conf, bool quiet)
{
	(void)conf;
	(void)quiet;
}
#endif

bool conf_file_read(const char *path, struct conf *conf, bool quiet)
{
	struct reading reading = { path, quiet };
	struct conf_report report = { say, &reading, 0, 0 };
	int error;

	conf_init(conf);
	error = read_file(path, conf, conf_line, &report);
	if (error) {
		if (!quiet)
			explain(path, error);
		return false;
	}
	read_sched(conf, quiet);
	conf_finish(conf, &report);
#if WITH_TLS
	if (report.errors == 0)
		cert_files_check(conf, &report);
#endif
	return report.errors == 0;
}
