/* SPDX-License-Identifier: ISC */
#include "monitor/monitor.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/detach.h"
#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "core/core.h"
#include "core/message.h"
#include "monitor/link.h"
#include "monitor/notifier.h"
#include "monitor/tell.h"
#include "options.h"

/* A UPS: its connection. */
struct watched {
	struct link link;
	unsigned int polled;	/* how many descriptors the link had in the last wait */
	bool open_wanted;
};

/*
 * Static, so that nothing of it is allocated and the stack stays small.  What a
 * board with one UPS uses comes first: pages that are not written to cost nothing.
 */
static struct {
	const struct conf *conf;
	struct channel channel;
	int family;
	bool used;		/* by a monitor before this one */
	bool background;
	bool one_process;
	int64_t now;
	int64_t core_at;	/* what the core wanted when the wait began */
	int status;
	bool over;
	int lock;		/* by which our user finds us; -1: none */
	bool rest_asked;
	bool resting;		/* and the guard knows it */
	struct tell tell;
	struct core core;
	struct watched watched[UPS_MAX];
	struct actions actions;
	struct sched told_sched;
	struct conf own;	/* in one process: the guard's changes before we end */
} self MOSTLY_UNUSED;

static char unsent[UPS_MAX][PROTO_REQUEST_MAX] MOSTLY_UNUSED;

static const char *system_of(uint16_t ups)
{
	return ups == UPS_NONE ? "" : conf_get(self.conf, self.conf->ups[ups].system);
}

/* Which addresses did not answer only the link knows. */
static void report(struct action *action)
{
	char text[MESSAGE_MAX];
	int priority;

	if (action->u.report == REPORT_CONNECT_TIMEOUT)
		snprintf(action->why, sizeof(action->why), "%s", link_what(&self.watched[action->ups].link));
	report_format(text, sizeof(text), self.conf, action, &priority);
	log_at(priority, "%s", text);
}

static void send_request(uint16_t ups, enum proto_request request)
{
	char text[PROTO_REQUEST_MAX];
	size_t len = proto_request(text, sizeof(text), request, self.conf, &self.conf->ups[ups]);

	log_debug("UPS %s: sending %s", system_of(ups), proto_request_name(request));
	link_send(&self.watched[ups].link, text, len);
}

static void act(struct action *action)
{
	switch (action->kind) {
	case ACT_CONNECT:
		/* not at once: its events must not come while actions are carried out */
		self.watched[action->ups].open_wanted = true;
		break;
	case ACT_SEND:
		send_request(action->ups, action->u.request);
		break;
	case ACT_CLOSE:
		self.watched[action->ups].open_wanted = false;
		link_close(&self.watched[action->ups].link);
		break;
#if WITH_TLS
	case ACT_SECURE:
		link_secure(&self.watched[action->ups].link,
			    conf_get(self.conf, self.conf->ups[action->ups].cert_name),
			    self.conf->ups[action->ups].tls_verify);
		break;
#endif
	case ACT_NOTIFY:
		notifier_send(self.conf, action->u.type, system_of(action->ups), action->why,
			      self.now);
		break;
	case ACT_COMMAND:
		if (WITH_UPSSCHED)
			notifier_command(self.conf, action->u.type, system_of(action->ups),
					 action->why, action->value != 0, self.now);
		break;
	case ACT_REPORT:
		report(action);
		break;
	case ACT_SHUTDOWN:
		/* the guard learns it from the phase */
		notifier_hurry(self.conf, self.now);
		break;
	}
}

static void act_all(void)
{
	for (unsigned int i = 0; i < self.actions.count; i++)
		act(&self.actions.list[i]);
}

static void on_event(void *arg, const struct event *ev)
{
	(void)arg;
	if (ev->kind == EV_LINE)
		log_debug("UPS %s: received %s %s %s %s", system_of(ev->ups),
			  words_at(ev->words, 0), words_at(ev->words, 1), words_at(ev->words, 2),
			  words_at(ev->words, 3));
	core_event(&self.core, ev, self.now, &self.actions);
	act_all();
}

static void simple_event(enum event_kind kind)
{
	struct event ev = { .kind = kind };

	on_event(NULL, &ev);
}

static void open_links(void)
{
	for (uint16_t i = 0; i < self.conf->ups_count; i++) {
		const struct conf_ups *ups = &self.conf->ups[i];

		if (!self.watched[i].open_wanted)
			continue;
		self.watched[i].open_wanted = false;
		link_open(&self.watched[i].link, i, conf_get(self.conf, ups->host), ups->port,
			  self.family, self.now, on_event, NULL);
	}
}

static void end(int status)
{
	notifier_flush(self.conf);
	for (uint16_t i = 0; i < self.conf->ups_count; i++)
		link_close(&self.watched[i].link);
	channel_close(&self.channel);
	self.status = status;
	self.over = true;
}

/* The next monitor is to take over: whoever waits for a notification gets it from this one. */
static void come_to_rest(void)
{
	notifier_flush(self.conf);
	self.rest_asked = true;
	/* the next one passes orders on, and we do not */
	if (self.lock >= 0)
		file_lock(self.lock, F_UNLCK);
}

/* Nobody has taken over. */
static void go_on(void)
{
	self.rest_asked = false;
	self.resting = false;
	if (self.lock >= 0)
		file_lock(self.lock, F_WRLCK);
	simple_event(EV_TIME);
}

void monitor_leave(void)
{
	simple_event(EV_STOP);
	end(0);
}

static void hear_guard(void)
{
	struct message m;

	while (!self.over) {
		switch (channel_receive(&self.channel, &m, sizeof(m))) {
		case CHANNEL_NONE:
			return;
		case CHANNEL_BAD:
		case CHANNEL_CLOSED:
			/* at rest that was to come: the next monitor has its logins */
			if (self.resting) {
				monitor_leave();
				return;
			}
			notifier_send(self.conf, NOTIFY_NOPARENT, "", "", self.now);
			end(1);
			return;
		case CHANNEL_GOT:
			break;
		}
		if (m.kind == MESSAGE_FSD)
			simple_event(EV_FSD);
		else if (m.kind == MESSAGE_STOP)
			simple_event(EV_STOP);
		else if (m.kind == MESSAGE_REST)
			come_to_rest();
		else if (m.kind == MESSAGE_RESUME)
			go_on();
	}
}

static unsigned int prepare(void *arg, struct pollfd *fds, int64_t *deadline)
{
	int64_t at = core_deadline(&self.core, self.now);
	bool told;
	unsigned int used = 0;

	(void)arg;
	if (self.over)
		return 0;
	self.core_at = at;
	if (notifier_deadline() < at)
		at = notifier_deadline();
	tell_wake_up(&self.tell, at);
	told = self.resting || tell_all(&self.tell, self.now);
	if (told && self.rest_asked && !self.resting)
		told = self.resting = tell_resting(&self.tell, self.now);
	if (self.tell.is_ready && self.background) {
		detach_stdio();
		self.background = false;
	}
	fds[used].fd = self.channel.in;
	fds[used].revents = 0;
	fds[used++].events = POLLIN;
	/* only to wake up when it can be said */
	fds[used].fd = told ? -1 : self.channel.out;
	fds[used].revents = 0;
	fds[used++].events = POLLOUT;
	if (self.rest_asked)
		return used;
	for (uint16_t i = 0; i < self.conf->ups_count; i++) {
		self.watched[i].polled = link_watch(&self.watched[i].link, &fds[used]);
		used += self.watched[i].polled;
		if (link_deadline(&self.watched[i].link) < at)
			at = link_deadline(&self.watched[i].link);
	}
	if (at < *deadline)
		*deadline = at;
	return used;
}

static void advance(const struct pollfd *fds)
{
	for (uint16_t i = 0; i < self.conf->ups_count; i++) {
		link_handle(&self.watched[i].link, i, fds, self.watched[i].polled, self.now, on_event, NULL);
		fds += self.watched[i].polled;
	}
	/* asked by the time of now, the core no longer names what has just come due */
	if (self.now >= self.core_at)
		simple_event(EV_TIME);
}

/* -c fsd of our own user.  The guard sees to it that it is carried out. */
static void hear_user(void)
{
	signals_log_fsd();
	tell_asked(&self.tell);
}

static bool handle(void *arg, const struct pollfd *fds, unsigned int signals, int64_t now)
{
	(void)arg;
	self.now = now;
	if (self.over)
		return false;
	/* in one process it is the guard's */
	if ((signals & SIGNALS_FSD) && !self.one_process)
		hear_user();
	if (!self.rest_asked)
		advance(fds + 2);
	if (fds[0].revents)
		hear_guard();
	if (self.over)
		return false;
	open_links();
	notifier_advance(self.conf, now);
	if (self.core.stopping && core_is_over(&self.core) &&
	    tell_all(&self.tell, now))
		end(0);
	return !self.over;
}

static void restore(const struct snapshot *snapshot)
{
	for (uint16_t i = 0; i < self.conf->ups_count; i++) {
		if (snapshot->known[i])
			core_restore_ups(&self.core, i, &snapshot->ups[i], self.now);
	}
	core_restore_sched(&self.core, &snapshot->sched);
	tell_known(&self.tell, &snapshot->sched);
	core_restore_phase(&self.core, (enum phase)snapshot->phase, snapshot->phase_until, self.now);
}

#if WITH_TLS
/* The guard has looked at them, but they may have changed since. */
static void start_tls(const struct tls_files *files)
{
	struct tls_problems problems;

	tls_start(files, self.conf->ups_count, &problems);
	if (*problems.ca && *files->ca_path)
		log_warning("CERTPATH %s: %s", files->ca_path, problems.ca);
	if (*problems.own)
		log_warning("CERTFILE %s: %s", files->own_path, problems.own);
}
#endif

void monitor_init(const struct monitor_setup *setup, struct loop_client *client)
{
	/* all zero in a process of its own; what is not used, no memory is spent on */
	if (self.used)
		memset(&self, 0, sizeof(self));
	self.used = true;
	self.conf = setup->conf;
	if (setup->one_process) {
		conf_copy(&self.own, setup->conf);
		self.conf = &self.own;
	}
	self.channel = setup->channel;
	self.lock = setup->lock;
	self.family = setup->family;
	self.background = setup->background;
	self.one_process = setup->one_process;
	self.now = clock_ms();
	self.status = 1; /* unless it ends as it should */
	for (uint16_t i = 0; i < self.conf->ups_count; i++)
		link_init(&self.watched[i].link, unsent[i]);
	core_init(&self.core, self.conf, setup->connect_ms, self.now);
	tell_init(&self.tell, &self.core, &self.channel, &self.told_sched);
	restore(setup->snapshot);
#if WITH_TLS
	start_tls(&setup->files);
#endif
	client->self = &self;
	client->prepare = prepare;
	client->handle = handle;
}

int monitor_status(void)
{
	return self.status;
}
