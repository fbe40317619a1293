/* SPDX-License-Identifier: ISC */
/*
 * log.h - messages for people: on stderr, in syslog, or both.
 *
 * Nothing here blocks: a syslogd that hangs or is gone costs the message, not
 * the daemon (syslog(3) would wait for it).  A line holds MESSAGE_MAX bytes at
 * most; control characters in it are replaced, because parts of a message may
 * come from a server.
 */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <syslog.h>

/* Where to, and how much: 0 shows LOG_INFO and above, more shows LOG_DEBUG. */
void log_to_stderr(bool on);
void log_to_syslog(bool on);
void log_set_debug(int level);
void log_set_debug_min(int level); /* at least so much, whatever the other says */

/*
 * Where standard error is systemd's journal (JOURNAL_STREAM says so), each line
 * there begins with its priority, as in sd-daemon(3): else all are alike to it.
 */
void log_look_for_journal(void);

/* log_to_stderr(false) has no effect any more. */
void log_keep_stderr(bool on);
bool log_keeps_stderr(void);

void log_at(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_at(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_at(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_at(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)

/* How many warnings there were so far. */
unsigned int log_warnings(void);

/* For a child that closes everything: the next message opens what it needs. */
void log_forget(void);

/* One line on a descriptor, as far as it can be written at once. */
void log_line(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
