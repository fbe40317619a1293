/* SPDX-License-Identifier: ISC */
#include "monitor/monitor.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/core.h"
#include "base/detach.h"
#include "monitor/link.h"
#include "base/log.h"
#include "base/message.h"
#include "monitor/notifier.h"

/* Static, so that nothing of it is allocated and the stack stays small. */
static struct monitor {
	struct conf conf;
	const struct conf *shared;
	struct core core;
	struct link links[UPS_MAX];
	bool open_wanted[UPS_MAX];
	uint16_t polled[UPS_MAX];	/* whose descriptor stands where */
	unsigned int polled_count;
	struct actions actions;
	int channel;
	uint32_t generation;
	int family;
	bool background;
	int64_t now;
	int status;
	bool over;
	/* what the guard was told, and still has to be */
	struct ups told_ups[UPS_MAX];
	bool told_ups_valid[UPS_MAX];
	uint32_t told_phase;
	int64_t told_until;
	bool told_ready;
	bool shutdown_unsaid;
	bool reloaded_unsaid;
	bool leaving;		/* once at rest, all is handed over */
	uint16_t handed;	/* how many links were */
} self;

static const char *system_of(uint16_t ups)
{
	return ups == UPS_NONE ? "" : conf_get(&self.conf, self.conf.ups[ups].system);
}

static void report(const struct action *action)
{
	char text[MESSAGE_MAX];
	int priority;

	report_format(text, sizeof(text), &self.conf, action, &priority);
	log_at(priority, "%s", text);
}

static void send_request(uint16_t ups, enum proto_request request)
{
	char text[PROTO_REQUEST_MAX];
	size_t len = proto_request(text, sizeof(text), request, &self.conf, &self.conf.ups[ups]);

	log_debug("UPS %s: sending %s", system_of(ups), proto_request_name(request));
	link_send(&self.links[ups], text, len);
}

static void act(const struct action *action)
{
	switch (action->kind) {
	case ACT_CONNECT:
		/* not at once: its events must not come while actions are carried out */
		self.open_wanted[action->ups] = true;
		break;
	case ACT_SEND:
		send_request(action->ups, action->u.request);
		break;
	case ACT_CLOSE:
		self.open_wanted[action->ups] = false;
		link_close(&self.links[action->ups]);
		break;
	case ACT_NOTIFY:
		notifier_send(&self.conf, action->u.type, system_of(action->ups), action->why,
			      self.now);
		break;
	case ACT_REPORT:
		report(action);
		break;
	case ACT_SHUTDOWN:
		self.shutdown_unsaid = true;
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
	for (uint16_t i = 0; i < self.conf.ups_count; i++) {
		const struct conf_ups *ups = &self.conf.ups[i];

		if (!self.open_wanted[i])
			continue;
		self.open_wanted[i] = false;
		link_open(&self.links[i], i, conf_get(&self.conf, ups->host), ups->port,
			  self.family, on_event, NULL);
	}
}

/* Drops what the new configuration has no place for. */
static void close_links(struct link *links, const bool *kept, const struct conf *conf)
{
	for (uint16_t i = 0; i < conf->ups_count; i++) {
		char text[PROTO_REQUEST_MAX];

		if (kept[i])
			continue;
		link_send(&links[i], text,
			  proto_request(text, sizeof(text), REQUEST_LOGOUT, conf, &conf->ups[i]));
		link_close(&links[i]);
	}
}

static void reload(void)
{
	static struct conf old_conf;
	static struct core old_core;
	static struct link old_links[UPS_MAX];
	bool kept[UPS_MAX] = { false };

	old_conf = self.conf;
	old_core = self.core;
	memcpy(old_links, self.links, old_conf.ups_count * sizeof(old_links[0]));
	self.conf = *self.shared;
	log_set_debug_min(self.conf.debug_min);
	core_reload(&self.core, &old_core, &old_conf, self.now);
	memset(self.open_wanted, 0, sizeof(self.open_wanted));
	memset(self.told_ups_valid, 0, sizeof(self.told_ups_valid));
	for (uint16_t i = 0; i < self.conf.ups_count; i++) {
		int before = conf_find_same(&old_conf, &self.conf, i);

		link_init(&self.links[i]);
		if (before < 0)
			continue;
		self.links[i] = old_links[before];
		kept[before] = true;
	}
	close_links(old_links, kept, &old_conf);
	self.generation++;
	self.reloaded_unsaid = true;
	log_notice("the configuration was read anew: %u UPS%s", self.conf.ups_count,
		   self.conf.ups_count == 1 ? "" : "es");
	simple_event(EV_TIME);
}

/* Says one thing to the guard; false if it has to wait until it can be said. */
static bool say(enum message_kind kind, uint16_t ups)
{
	struct message m;
	int passed = -1;

	memset(&m, 0, sizeof(m));
	m.kind = kind;
	m.generation = self.generation;
	m.ups = ups;
	m.phase = self.core.phase;
	m.phase_until = self.core.phase_until;
	if (kind == MESSAGE_UPS) {
		m.state = self.core.ups[ups];
	} else if (kind == MESSAGE_LINK) {
		m.session = self.core.session[ups];
		passed = self.links[ups].fd;
	}
	return message_send_with(self.channel, &m, passed);
}

/* True once the guard knows all that it should. */
static bool tell_guard(void)
{
	if (self.reloaded_unsaid && !say(MESSAGE_RELOADED, 0))
		return false;
	self.reloaded_unsaid = false;
	for (uint16_t i = 0; i < self.conf.ups_count; i++) {
		if (self.told_ups_valid[i] && memcmp(&self.told_ups[i], &self.core.ups[i],
						     sizeof(self.told_ups[i])) == 0)
			continue;
		if (!say(MESSAGE_UPS, i))
			return false;
		self.told_ups[i] = self.core.ups[i];
		self.told_ups_valid[i] = true;
	}
	if (self.told_phase != self.core.phase || self.told_until != self.core.phase_until) {
		if (!say(MESSAGE_PHASE, 0))
			return false;
		self.told_phase = self.core.phase;
		self.told_until = self.core.phase_until;
	}
	if (self.shutdown_unsaid && !say(MESSAGE_SHUTDOWN, 0))
		return false;
	self.shutdown_unsaid = false;
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
	notifier_flush(&self.conf);
	for (uint16_t i = 0; i < self.conf.ups_count; i++)
		link_close(&self.links[i]);
	close(self.channel);
	self.channel = -1;
	self.status = status;
	self.over = true;
}

static bool is_handing_over(void)
{
	return self.leaving && core_is_quiet(&self.core);
}

static void come_to_rest(void)
{
	self.leaving = true;
	self.handed = 0;
	core_pause(&self.core, self.now, &self.actions);
	act_all();
}

/* Of the hand-over nothing comes: the guard has changed its mind, or a shutdown began. */
static void go_on(void)
{
	self.leaving = false;
	core_resume(&self.core);
	simple_event(EV_TIME);
}

/* Once no server owes an answer: all that the next monitor needs, then the end. */
static void hand_over(void)
{
	if (!is_handing_over() || !tell_guard())
		return;
	while (self.handed < self.conf.ups_count) {
		if (!say(MESSAGE_LINK, self.handed))
			return;
		self.handed++;
	}
	if (say(MESSAGE_HANDED, 0))
		end(0);
}

static void hear_guard(void)
{
	struct message m;
	int passed;

	for (;;) {
		switch (message_receive(self.channel, &m, &passed)) {
		case MESSAGE_NONE:
			return;
		case MESSAGE_BAD:
		case MESSAGE_CLOSED:
			notifier_send(&self.conf, NOTIFY_NOPARENT, "", "", self.now);
			end(1);
			return;
		case MESSAGE_GOT:
			break;
		}
		if (m.kind == MESSAGE_FSD)
			simple_event(EV_FSD);
		else if (m.kind == MESSAGE_STOP)
			simple_event(EV_STOP);
		else if (m.kind == MESSAGE_RELOAD)
			reload();
		else if (m.kind == MESSAGE_HANDOVER)
			come_to_rest();
		else if (m.kind == MESSAGE_RESUME)
			go_on();
	}
}

static unsigned int prepare(void *arg, struct pollfd *fds, int64_t *deadline)
{
	int64_t at = core_deadline(&self.core, self.now);
	unsigned int used = 0;

	(void)arg;
	if (self.over)
		return 0;
	fds[used].fd = self.channel;
	fds[used].revents = 0;
	fds[used++].events = (short)(tell_guard() && !is_handing_over() ? POLLIN : POLLIN | POLLOUT);
	self.polled_count = 0;
	for (uint16_t i = 0; i < self.conf.ups_count; i++) {
		if (link_watch(&self.links[i], &fds[used])) {
			self.polled[self.polled_count++] = i;
			used++;
		}
	}
	if (notifier_deadline() < at)
		at = notifier_deadline();
	if (at < *deadline)
		*deadline = at;
	return used;
}

static bool handle(void *arg, const struct pollfd *fds, unsigned int signals, int64_t now)
{
	(void)arg;
	(void)signals;
	self.now = now;
	if (self.over)
		return false;
	for (unsigned int i = 0; i < self.polled_count; i++) {
		struct link *l = &self.links[self.polled[i]];

		/* one that was closed on the way may have lost its descriptor */
		if (fds[i + 1].revents && fds[i + 1].fd == l->fd)
			link_handle(l, self.polled[i], on_event, NULL);
	}
	if (now >= core_deadline(&self.core, now))
		simple_event(EV_TIME);
	open_links();
	/* after the links: a reload gives them new places */
	if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
		hear_guard();
	if (self.over)
		return false;
	open_links();
	notifier_advance(&self.conf, now);
	if (self.core.stopping && core_is_over(&self.core) && tell_guard())
		end(0);
	else if (self.leaving && !self.core.paused)
		go_on();
	else if (self.leaving)
		hand_over();
	return !self.over;
}

static void restore(const struct snapshot *snapshot)
{
	for (uint16_t i = 0; i < self.conf.ups_count; i++) {
		if (snapshot->link[i].known)
			core_restore_session(&self.core, i, &snapshot->link[i].session);
		if (snapshot->link[i].fd >= 0)
			link_adopt(&self.links[i], snapshot->link[i].fd);
		if (snapshot->known[i])
			core_restore_ups(&self.core, i, &snapshot->ups[i], self.now);
	}
	core_restore_phase(&self.core, (enum phase)snapshot->phase, snapshot->phase_until, self.now);
}

void monitor_init(const struct monitor_setup *setup, struct loop_client *client)
{
	memset(&self, 0, sizeof(self));
	self.conf = *setup->conf;
	self.shared = setup->shared;
	self.channel = setup->channel;
	self.generation = setup->generation;
	self.family = setup->family;
	self.background = setup->background;
	self.now = clock_ms();
	self.told_until = NEVER;
	self.status = 1; /* unless it ends as it should */
	for (uint16_t i = 0; i < UPS_MAX; i++)
		link_init(&self.links[i]);
	core_init(&self.core, &self.conf, setup->connect_ms, self.now);
	restore(setup->snapshot);
	client->self = &self;
	client->prepare = prepare;
	client->handle = handle;
}

int monitor_status(void)
{
	return self.status;
}
