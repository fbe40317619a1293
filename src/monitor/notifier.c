/* SPDX-License-Identifier: ISC */
#include "monitor/notifier.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/log.h"
#include "core/action.h"
#include "options.h"

/* A power cut of a few UPSes makes a handful; 0.5 KiB each. */
#define QUEUE_MAX 24

/* Ways of failing that are told apart; and one that no status is. */
#define FAILURES_MAX 8
#define HANGS (-1)

/* In a tag, beside a notify type. */
#define SCRIPT ((uintptr_t)1 << 8)

struct order {
	bool script;	/* CMDSCRIPT, and not NOTIFYCMD */
	enum notify_type type;
	char system[128];
	char message[MESSAGE_MAX];
};

static struct {
	unsigned int first, count;
	pid_t running;	/* 0: none that the next one waits for */
	uintptr_t running_tag;
	int64_t started;
	int failures[FAILURES_MAX]; /* as the log was told */
	unsigned int failure_count;
} self;

static struct order queue[QUEUE_MAX] MOSTLY_UNUSED;

/*
 * Most boards have no wall; that is no error (NUT starts it all the same).
 * It reads standard input, because busybox's takes no message as argument.
 */
static void send_wall(const char *message)
{
	const char *wall = child_wall();
	char text[64];
	const struct child_command command = { .text = text, .words = 1, .message = message };

	if (!wall)
		return;
	/* no echo: dash's would take a server's \n and \033 for what they stand for */
	snprintf(text, sizeof(text), "tell() { printf '%%s\\n' \"$1\" | %s; }; tell", wall);
	if (child_run(&command, NULL, NULL) < 0)
		log_warning("cannot start wall: %s", strerror(errno));
}

/* A way of failing is a status of waitpid(2), or HANGS. */
static bool is_told(int way)
{
	for (unsigned int i = 0; i < self.failure_count; i++) {
		if (self.failures[i] == way)
			return true;
	}
	/* whoever fails in so many ways has told enough */
	return self.failure_count == FAILURES_MAX;
}

/* True once for each. */
static bool is_new(int way)
{
	if (is_told(way))
		return false;
	self.failures[self.failure_count++] = way;
	return true;
}

/* What it was and what for, as the number that child.h keeps. */
static uintptr_t tag_of(const struct order *o)
{
	return (uintptr_t)o->type | (o->script ? SCRIPT : 0);
}

static const char *command_of(uintptr_t tag)
{
	return tag & SCRIPT ? "CMDSCRIPT" : "NOTIFYCMD";
}

static const char *type_of(uintptr_t tag)
{
	return notify_name((enum notify_type)(tag & ~SCRIPT));
}

static void on_done(void *arg, pid_t pid, int status)
{
	uintptr_t tag = (uintptr_t)arg;

	if (pid == self.running)
		self.running = 0;
	if (status == 0 || !is_new(status))
		return;
	if (WIFSIGNALED(status))
		log_error("%s for %s was ended by signal %d", command_of(tag), type_of(tag),
			  WTERMSIG(status));
	else
		log_error("%s for %s failed with exit code %d%s", command_of(tag), type_of(tag),
			  WEXITSTATUS(status),
			  WEXITSTATUS(status) == 127   ? " (command not found)"
			  : WEXITSTATUS(status) == 126 ? " (it cannot be executed; upsmon -t tells more)"
						       : "");
}

static bool is_urgent(enum notify_type type)
{
	return type == NOTIFY_FSD || type == NOTIFY_SHUTDOWN;
}

/* Its pid; -1, with the reason in the log. */
static pid_t start(const struct conf *conf, const struct order *o, enum child_rank rank)
{
	const char *const environment[] = { "NOTIFYTYPE", notify_name(o->type), "UPSNAME",
					    o->system, NULL };
	const struct conf_command *c = o->script ? &conf->cmd_script : &conf->notify_cmd;
	const struct child_command command = {
		.text = conf_get(conf, c->text),
		.words = c->words,
		.message = o->message,
		.environment = environment,
		.rank = rank,
	};
	uintptr_t tag = tag_of(o);
	pid_t pid = child_run(&command, on_done, (void *)tag);

	if (pid < 0)
		log_error("cannot start %s for %s: %s", command_of(tag), type_of(tag),
			  strerror(errno));
	return pid;
}

/* Starts the first order of the queue, whatever else runs. */
static void start_next(const struct conf *conf)
{
	const struct order *o = &queue[self.first];
	pid_t pid = start(conf, o, is_urgent(o->type) ? CHILD_URGENT : CHILD_ORDINARY);

	self.running = pid > 0 ? pid : 0;
	self.running_tag = tag_of(o);
	self.first = (self.first + 1) % QUEUE_MAX;
	self.count--;
}

/* Until when the one that runs is waited for. */
static int64_t patience_end(void)
{
	for (unsigned int i = 0; i < self.count; i++) {
		if (is_urgent(queue[(self.first + i) % QUEUE_MAX].type))
			return self.started + NOTIFIER_URGENT_MS;
	}
	return self.started + NOTIFIER_PATIENCE_MS;
}

static void say_hangs(void)
{
	if (is_new(HANGS))
		log_error("%s for %s hangs; the next ones do not wait for it any longer",
			  command_of(self.running_tag), type_of(self.running_tag));
}

void notifier_advance(const struct conf *conf, int64_t now)
{
	if (self.running && now >= patience_end())
		say_hangs();
	while (self.count > 0 && (!self.running || now >= patience_end())) {
		start_next(conf);
		self.started = now;
	}
}

int64_t notifier_deadline(void)
{
	if (self.count > 0)
		return patience_end();
	/* only to say that it hangs, if it was not said before */
	return self.running && !is_told(HANGS) ? self.started + NOTIFIER_PATIENCE_MS : NEVER;
}

void notifier_hurry(const struct conf *conf, int64_t now)
{
	if (!self.running || now < self.started + NOTIFIER_URGENT_MS)
		return;
	if (self.count > 0)
		say_hangs();
	notifier_flush(conf);
}

void notifier_flush(const struct conf *conf)
{
	while (self.count > 0)
		start_next(conf);
}

static void fill(struct order *o, bool script, enum notify_type type, const char *system,
		 const char *message)
{
	o->script = script;
	o->type = type;
	snprintf(o->system, sizeof(o->system), "%s", system);
	snprintf(o->message, sizeof(o->message), "%s", message);
}

static void enqueue(const struct conf *conf, bool script, enum notify_type type, const char *system,
		    const char *message)
{
	/* a message that is late is old news; a command may be a shutdown */
	if (self.count == QUEUE_MAX && (script || is_urgent(type)))
		start_next(conf);
	if (self.count == QUEUE_MAX) {
		log_warning("NOTIFYCMD cannot keep up; %s is dropped", notify_name(type));
		return;
	}
	fill(&queue[(self.first + self.count) % QUEUE_MAX], script, type, system, message);
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
	if ((flags & NOTIFY_EXEC) && !*conf_get(conf, conf->notify_cmd.text) && !conf->upssched)
		log_warning("NOTIFYFLAG %s asks for EXEC, and there is no NOTIFYCMD",
			    notify_name(type));
	else if ((flags & NOTIFY_EXEC) && *conf_get(conf, conf->notify_cmd.text))
		enqueue(conf, false, type, system, message);
	notifier_advance(conf, now);
}

void notifier_command(const struct conf *conf, enum notify_type type, const char *system,
		      const char *argument, bool at_once, int64_t now)
{
	struct order o;

	if (at_once) {
		fill(&o, true, type, system, argument);
		(void)start(conf, &o, CHILD_URGENT);
		return;
	}
	enqueue(conf, true, type, system, argument);
	notifier_advance(conf, now);
}
