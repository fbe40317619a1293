/* SPDX-License-Identifier: ISC */
#include "monitor/notifier.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "core/action.h"

/* A power cut of a few UPSes makes a handful; 0.5 KiB each. */
#define QUEUE_MAX 24

struct order {
	enum notify_type type;
	char system[128];
	char message[MESSAGE_MAX];
};

static struct {
	struct order queue[QUEUE_MAX];
	unsigned int first, count;
	pid_t running;	/* 0: none that the next one waits for */
	int64_t started;
} self; /* all zero: the table is not worth a byte of the image */

/*
 * Most boards have no wall; that is no error (NUT starts it all the same).
 * It reads standard input, because busybox's takes no message as argument.
 */
static void send_wall(const char *message)
{
	const char *command = NULL;

	if (access("/usr/bin/wall", X_OK) == 0)
		command = "tell() { echo \"$1\" | /usr/bin/wall; }; tell";
	else if (access("/bin/wall", X_OK) == 0)
		command = "tell() { echo \"$1\" | /bin/wall; }; tell";
	if (command && child_command(command, message, NULL, NULL, NULL) < 0)
		log_warning("cannot start wall: %s", strerror(errno));
}

static void on_done(void *arg, pid_t pid, int status)
{
	(void)arg;
	(void)status;
	if (pid == self.running)
		self.running = 0;
}

/* Starts the first order of the queue, whatever else runs. */
static void start_next(const struct conf *conf)
{
	const struct order *o = &self.queue[self.first];
	const char *const environment[] = { "NOTIFYTYPE", notify_name(o->type), "UPSNAME",
					    o->system, NULL };
	pid_t pid = child_command(conf_get(conf, conf->notify_cmd), o->message, environment,
				  on_done, NULL);

	if (pid < 0)
		log_error("cannot start NOTIFYCMD for %s: %s", notify_name(o->type),
			  strerror(errno));
	self.running = pid > 0 ? pid : 0;
	self.first = (self.first + 1) % QUEUE_MAX;
	self.count--;
}

static bool is_urgent(enum notify_type type)
{
	return type == NOTIFY_FSD || type == NOTIFY_SHUTDOWN;
}

/* Until when the one that runs is waited for. */
static int64_t patience_end(void)
{
	for (unsigned int i = 0; i < self.count; i++) {
		if (is_urgent(self.queue[(self.first + i) % QUEUE_MAX].type))
			return self.started + NOTIFIER_URGENT_MS;
	}
	return self.started + NOTIFIER_PATIENCE_MS;
}

void notifier_advance(const struct conf *conf, int64_t now)
{
	/* a reload may have taken the command away */
	if (!conf->notify_cmd)
		self.count = 0;
	while (self.count > 0 && (!self.running || now >= patience_end())) {
		start_next(conf);
		self.started = now;
	}
}

int64_t notifier_deadline(void)
{
	return self.count > 0 ? patience_end() : NEVER;
}

void notifier_hurry(const struct conf *conf, int64_t now)
{
	if (self.running && now >= self.started + NOTIFIER_URGENT_MS)
		notifier_flush(conf);
}

void notifier_flush(const struct conf *conf)
{
	while (conf->notify_cmd && self.count > 0)
		start_next(conf);
}

static void enqueue(const struct conf *conf, enum notify_type type, const char *system,
		    const char *message)
{
	struct order *o = &self.queue[(self.first + self.count) % QUEUE_MAX];

	if (!conf->notify_cmd) {
		log_warning("NOTIFYFLAG %s asks for EXEC, and there is no NOTIFYCMD",
			    notify_name(type));
		return;
	}
	if (self.count == QUEUE_MAX && is_urgent(type))
		start_next(conf);
	if (self.count == QUEUE_MAX) {
		log_warning("NOTIFYCMD cannot keep up; %s is dropped", notify_name(type));
		return;
	}
	o->type = type;
	snprintf(o->system, sizeof(o->system), "%s", system);
	snprintf(o->message, sizeof(o->message), "%s", message);
	self.count++;
}

void notifier_send(const struct conf *conf, enum notify_type type, const char *system,
		   const char *more, int64_t now)
{
	unsigned int flags = conf->notify[type].flags;
	char message[MESSAGE_MAX];

	if (flags & NOTIFY_IGNORE)
		return;
	notify_expand(message, sizeof(message), conf_notify_text(conf, type), system, more);
	if (flags & NOTIFY_SYSLOG)
		log_notice("%s", message);
	if (flags & NOTIFY_WALL)
		send_wall(message);
	if (flags & NOTIFY_EXEC)
		enqueue(conf, type, system, message);
	notifier_advance(conf, now);
}
