/* SPDX-License-Identifier: ISC */
#include "base/signals.h"

#include <string.h>

#include "base/log.h"
#include "options.h"

static const struct {
	int sig;
	unsigned int meaning;
} caught[] = {
	{ SIGTERM, SIGNALS_STOP },  { SIGINT, SIGNALS_STOP }, { SIGQUIT, SIGNALS_STOP },
	{ SIGHUP, SIGNALS_RELOAD }, { SIGUSR1, SIGNALS_FSD }, { SIGCHLD, SIGNALS_CHILD },
	{ SIGUSR2, SIGNALS_UPGRADE },
};

#define CAUGHT (sizeof(caught) / sizeof(caught[0]))

static volatile sig_atomic_t pending[CAUGHT];
static struct {
	pid_t pid;
	uid_t uid;
} fsd_sender; /* read and written while signals are blocked */

static void note(int sig, siginfo_t *info, void *context)
{
	(void)context;
	for (size_t i = 0; i < CAUGHT; i++) {
		if (caught[i].sig == sig)
			pending[i] = 1;
	}
	if (sig == SIGUSR1) {
		fsd_sender.pid = info->si_pid;
		fsd_sender.uid = info->si_uid;
	}
}

void signals_log_fsd(void)
{
	log_notice("FSD is asked for by pid %d of user %d", (int)fsd_sender.pid,
		   (int)fsd_sender.uid);
}

static void catch_signal(int sig)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = note;
	action.sa_flags = SA_SIGINFO;
	sigaction(sig, &action, NULL);
}

static void set_action(int sig, void (*handler)(int))
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_handler = handler;
	sigaction(sig, &action, NULL);
}

void signals_catch(sigset_t *wait)
{
	sigset_t block;

	sigemptyset(&block);
	for (size_t i = 0; i < CAUGHT; i++) {
		catch_signal(caught[i].sig);
		sigaddset(&block, caught[i].sig);
	}
	/* who asks for an upgrade sees that it is not caught, and the daemon lives */
	if (!WITH_UPGRADE)
		set_action(SIGUSR2, SIG_IGN);
	set_action(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &block, NULL);
	/* whatever the parent had blocked: ours must get through */
	sigemptyset(wait);
}

void signals_ignore_orders(void)
{
	for (size_t i = 0; i < CAUGHT; i++) {
		if (caught[i].meaning != SIGNALS_CHILD && caught[i].meaning != SIGNALS_FSD)
			set_action(caught[i].sig, SIG_IGN);
		pending[i] = 0;
	}
}

void signals_restore(void)
{
	sigset_t none;

	for (size_t i = 0; i < CAUGHT; i++) {
		set_action(caught[i].sig, SIG_DFL);
		pending[i] = 0;
	}
	set_action(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void signals_let_in(void)
{
	sigset_t none, before;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

unsigned int signals_take(void)
{
	unsigned int taken = 0;

	for (size_t i = 0; i < CAUGHT; i++) {
		if (pending[i])
			taken |= caught[i].meaning;
		pending[i] = 0;
	}
	return taken;
}
