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
#include "options.h"

/* A reply comes within SESSION_REPLY_MS of the request, or is given up. */
#define REPLY_WAIT_MS (SESSION_REPLY_MS + 1000)
/* A promise that lasts a little longer than the next wake-up need not be renewed before. */
#define SPARE_MS (REPLY_WAIT_MS - 500)
/* While nothing happens, the guard hears from us as often as this, and sleeps in between. */
#define CALM_MS 36000

/* A UPS: its connection, and what the guard was told of it. */
struct watched {
	struct link link;
	struct ups told;
	unsigned int polled;	/* how many descriptors the link had in the last wait */
	bool open_wanted;
	bool is_told;
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
	/* what the guard was told beside the UPSes, and still has to be */
	uint32_t told_phase;
	int64_t told_until;
	bool told_ready;
	int64_t silent_until;	/* as the guard was told last */
	int64_t speak_by;	/* the least that it is to be told */
	int lock;		/* by which our user finds us; -1: none */
	bool asked_unsaid;	/* our user wants FSD, and the guard is still to be told */
	bool rest_asked;
	bool resting;		/* and the guard knows it */
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

/* Until when the guard need not hear from us: longer where nothing happens. */
static int64_t promise(void)
{
	int64_t calm = self.now + CALM_MS;

	return self.speak_by < calm && core_is_calm(&self.core) ? calm : self.speak_by;
}

/* Says one thing to the guard; false if it has to wait until it can be said. */
static bool say(enum message_kind kind, uint16_t place)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.kind = kind;
	m.ups = place;
	m.phase = self.core.phase;
	m.phase_until = self.core.phase_until;
	m.silent_until = promise();
	if (kind == MESSAGE_UPS)
		m.state = self.core.ups[place];
	else if (kind == MESSAGE_TIMER)
		m.timer = self.core.sched.timers[place];
	if (!channel_send(&self.channel, &m, sizeof(m)))
		return false;
	self.silent_until = m.silent_until;
	return true;
}

/* A UPS of which the guard knows all that matters. */
static bool is_told(uint16_t i)
{
	return self.watched[i].is_told && ups_is_same(&self.watched[i].told, &self.core.ups[i]);
}

/* True once the guard knows all that it should. */
static bool tell_guard(void)
{
	if (self.asked_unsaid && !say(MESSAGE_ASKED, 0))
		return false;
	self.asked_unsaid = false;
	/* before the UPS whose notification has started it: rather a second ONBATT than no timer */
	for (uint16_t i = 0; WITH_UPSSCHED && i < SCHED_TIMERS_MAX; i++) {
		const struct sched_timer *timer = &self.core.sched.timers[i];
		struct sched_timer *told = &self.told_sched.timers[i];

		/* they stand in a row */
		if (!timer->name[0] && !told->name[0])
			break;
		if (memcmp(told, timer, sizeof(*timer)) == 0)
			continue;
		if (!say(MESSAGE_TIMER, i))
			return false;
		*told = *timer;
	}
	for (uint16_t i = 0; i < self.conf->ups_count; i++) {
		if (is_told(i))
			continue;
		if (!say(MESSAGE_UPS, i))
			return false;
		self.watched[i].told = self.core.ups[i];
		self.watched[i].is_told = true;
	}
	/* said once more where nothing else is, so that the guard knows that we live */
	if (self.told_phase != self.core.phase || self.told_until != self.core.phase_until ||
	    self.silent_until < self.speak_by - SPARE_MS ||
	    (self.silent_until == NEVER && self.speak_by != NEVER)) {
		if (!say(MESSAGE_PHASE, 0))
			return false;
		self.told_phase = self.core.phase;
		self.told_until = self.core.phase_until;
	}
	if (!self.told_ready && core_is_ready(&self.core)) {
		if (!say(MESSAGE_READY, 0))
			return false;
		self.told_ready = true;
		if (self.background)
			detach_stdio();
	}
	return true;
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

/* How long the guard may have to wait for the next word: a poll's reply is one. */
static int64_t speak_by(int64_t wake_up)
{
	return wake_up == NEVER ? NEVER : wake_up + REPLY_WAIT_MS;
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
	self.speak_by = speak_by(at);
	told = self.resting || tell_guard();
	if (told && self.rest_asked && !self.resting)
		told = self.resting = say(MESSAGE_RESTING, 0);
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
	self.asked_unsaid = true;
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
	if (self.core.stopping && core_is_over(&self.core) && tell_guard())
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
	if (snapshot->sched.timers[0].name[0])
		self.told_sched = snapshot->sched;
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
	self.told_until = NEVER;
	self.status = 1; /* unless it ends as it should */
	for (uint16_t i = 0; i < self.conf->ups_count; i++)
		link_init(&self.watched[i].link, unsent[i]);
	core_init(&self.core, self.conf, setup->connect_ms, self.now);
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
