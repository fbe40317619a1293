#!/bin/sh
# Stand-in for OpenWrt's /lib/functions/procd.sh: see README.md. Collects what the init script
# says, and hands it over as a whole.
# shellcheck shell=dash disable=SC2154

PROCD_RELOAD_DELAY=1000

_procd_say() {
	printf '%s\0' "$#" "$@" >>"$_procd_message"
}

procd_open_service() { # NAME SCRIPT
	_procd_message=/tmp/standin/message.$$
	: >"$_procd_message"
	_procd_say service "$1" "$2"
}

procd_close_service() { # set | add
	service_triggers
	standin procd "$1" "$_procd_message"
	rm -f "$_procd_message"
}

procd_open_instance() { # NAME
	_procd_say instance "$1"
}

procd_close_instance() {
	_procd_say end
}

procd_set_param() { # NAME VALUE...
	_procd_say set "$@"
}

procd_append_param() { # NAME VALUE...
	_procd_say append "$@"
}

procd_add_interface_trigger() { # EVENT INTERFACE SCRIPT...
	local event="$1" interface="$2"

	shift 2
	_procd_say trigger "$event" interface "$interface" "$PROCD_RELOAD_DELAY" "$@"
}

procd_add_raw_trigger() { # EVENT MILLISECONDS SCRIPT...
	local event="$1" delay="$2"

	shift 2
	_procd_say trigger "$event" '' '' "$delay" "$@"
}

procd_add_reload_trigger() { # PACKAGE...
	local package

	for package; do
		_procd_say trigger config.change package "$package" "$PROCD_RELOAD_DELAY" \
			"/etc/init.d/$(basename "$initscript")" reload
	done
}

procd_kill() { # SERVICE [INSTANCE]
	standin procd delete "$@"
}

procd_running() { # SERVICE [INSTANCE]
	standin procd running "$@"
}

procd_send_signal() { # SERVICE [INSTANCE] [SIGNAL]
	standin procd signal "$@"
}
