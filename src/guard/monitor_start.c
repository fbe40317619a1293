/* SPDX-License-Identifier: ISC */
#include "guard/monitor_start.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/environment.h"
#include "base/file.h"
#include "base/log.h"
#include "base/signals.h"
#include "guard/cert_files.h"
#include "guard/confine.h"

void monitor_start_child(const struct worker_setup *worker, struct monitor_setup *setup)
{
	struct loop_client client;

	signals_ignore_orders();
	worker->in_child();
	retired_forget();
#if WITH_TLS
	/* as root, who alone may read keys */
	cert_files_read(setup->conf, &setup->files);
#endif
	if (worker->user && !user_become(worker->user)) {
		log_error("cannot give up root: %s", strerror(errno));
		_exit(1);
	}
	confine_monitor(confine_is_wanted(setup->conf));
	if (setup->lock >= 0 && !file_lock(setup->lock, F_WRLCK))
		log_warning("the monitor has no lock (%s): -c fsd works for root only",
			    strerror(errno));
	if (setup->lock >= 0 && access(environment_pid_dir(), R_OK | X_OK) < 0)
		log_warning("%s: %s, for the user of NOTIFYCMD: -c fsd and -c status work for root "
			    "only; chmod 755",
			    environment_pid_dir(), strerror(errno));
	monitor_init(setup, &client);
#if WITH_TLS
	cert_files_forget();
#endif
	loop_run(&client, 1, worker->wait);
	_exit(monitor_status());
}

void monitor_start_here(struct monitor_setup *setup, struct loop_client *client)
{
#if WITH_TLS
	cert_files_read(setup->conf, &setup->files);
#endif
	monitor_init(setup, client);
#if WITH_TLS
	cert_files_forget();
#endif
}
