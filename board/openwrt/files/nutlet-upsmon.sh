#!/bin/sh
# SPDX-License-Identifier: ISC
# nutlet-upsmon.sh - makes upsmon.conf from /etc/config/nut_monitor. To be sourced, after
# /lib/functions.sh.
#
# Promises: whatever UCI holds becomes words of upsmon.conf, never syntax. What cannot be used
# is left out and named in the log by section and option; upsmon -t is the judge. The file that
# upsmon reads is replaced as a whole, and only by one that upsmon would start with.
# shellcheck shell=dash

UPSMON=/usr/sbin/upsmon
# where LuCI and others look for the pidfile
export NUT_PIDPATH=/var/run
NUTLET_CONF=/var/etc/nut/upsmon.conf
NUTLET_LINK=/etc/nut/upsmon.conf
NUTLET_KILLPOWER=/var/run/killpower
NUTLET_SHUTDOWNCMD=/usr/sbin/nutshutdown
NUTLET_RUNAS=nutmon

# The options of the section upsmon: each is a directive in lower case, with its _ or without.
NUTLET_NUMBERS="minsupplies pollfreq pollfreqalert deadtime hostsync finaldelay nocommwarntime
	rbwarntime offduration oblbduration overduration shutdownexit pollfail_log_throttle_max
	debug_min no_new_privs"
# These a monitor may have, too, for its UPS alone.
NUTLET_TRIGGERS="batterylevel minutes timeout onbatterydelay"
NUTLET_TEXTS="shutdowncmd notifycmd upssched powerdownflag certpath certfile"
NUTLET_SWITCHES="alarmcritical certverify forcessl"
# Their values are words with quotes of their own.
NUTLET_WORDS="certident certhost"
# NOLOGIN is not among them: without a line of its own it has the flags of NOCOMM.
NUTLET_TYPES="ONLINE ONBATT LOWBATT FSD COMMOK COMMBAD SHUTDOWN SHUTDOWN_HOSTSYNC REPLBATT NOCOMM
	NOPARENT CAL NOTCAL OFF NOTOFF BYPASS NOTBYPASS ECO NOTECO ALARM NOTALARM OVER NOTOVER
	TRIM NOTTRIM BOOST NOTBOOST OTHER NOTOTHER SUSPEND_STARTING SUSPEND_FINISHED"

# Every control character but the tab: upsmon.conf has no way to write one.
NUTLET_CONTROL=$(printf '\001-\010\012-\037\177')

## the log ---------------------------------------------------------------------

nutlet_log() { # LEVEL TEXT...
	local level="$1"

	shift
	logger -t nut-monitor -p "daemon.$level" -- "$*"
	# whoever calls this by hand wants to see it
	[ ! -t 2 ] || echo "nut-monitor: $*" >&2
}

nutlet_log_lines() { # LEVEL, and the lines on stdin
	local line

	while IFS= read -r line; do
		nutlet_log "$1" "${line#upsmon: }"
	done
}

nutlet_is_anonymous() {
	case $1 in
	cfg[0-9a-f][0-9a-f][0-9a-f][0-9a-f]*) return 0 ;;
	esac
	return 1
}

nutlet_count() { # SECTION WANTED
	[ "$1" != "$2" ] || found=$index
	index=$((index + 1))
}

# A section as uci names it: what an anonymous one is called inside changes with its content.
nutlet_name() { # SECTION TYPE
	local index=0 found

	if nutlet_is_anonymous "$1"; then
		config_foreach nutlet_count "$2" "$1"
		echo "nut_monitor.@$2[$found]"
	else
		echo "nut_monitor.$1"
	fi
}

nutlet_upper() {
	# shellcheck disable=SC2018,SC2019
	echo "$1" | tr 'a-z' 'A-Z'
}

## words -----------------------------------------------------------------------

# Sets $quoted to the value as one word of upsmon.conf.
nutlet_quote() {
	local rest="$1" out='' head

	while :; do
		case $rest in
		*[\\\"]*) ;;
		*) break ;;
		esac
		head=${rest%%[\\\"]*}
		rest=${rest#"$head"}
		out="$out$head\\${rest%"${rest#?}"}"
		rest=${rest#?}
	done
	quoted="\"$out$rest\""
}

# Is the value one word in quotes already, as NUT's package needs it for a value with spaces?
nutlet_is_quoted() {
	local rest="${1#\"}"

	[ "$rest" != "$1" ] || return 1
	while :; do
		rest=${rest#"${rest%%[\\\"]*}"}
		case $rest in
		\\?*) rest=${rest#??} ;;
		\") return 0 ;;
		*) return 1 ;;
		esac
	done
}

nutlet_quote_text() {
	if nutlet_is_quoted "$1"; then
		quoted=$1
	else
		nutlet_quote "$1"
	fi
}

# Sets $quoted to the words of a value that has quotes of its own, such as:  "a name" secret
nutlet_quote_words() {
	local rest="$1" word head

	quoted=
	while :; do
		rest=${rest#"${rest%%[! 	]*}"}
		[ -n "$rest" ] || return 0
		word=
		case $rest in
		\"*)
			rest=${rest#\"}
			while :; do
				head=${rest%%[\\\"]*}
				word=$word$head
				rest=${rest#"$head"}
				case $rest in
				\\?*)
					rest=${rest#?}
					word=$word${rest%"${rest#?}"}
					rest=${rest#?}
					;;
				*)
					rest=${rest#?}
					break
					;;
				esac
			done
			;;
		*)
			word=${rest%%[ 	]*}
			rest=${rest#"$word"}
			;;
		esac
		set -- "$quoted"
		nutlet_quote "$word"
		quoted="${1:+$1 }$quoted"
	done
}

## lines -----------------------------------------------------------------------

# Above each line stands where it comes from: what upsmon -t says of a line has an option then.
nutlet_put() { # WHERE LINE
	# shellcheck disable=SC2254
	case $2 in
	*[$NUTLET_CONTROL]*)
		nutlet_log err "${1%" must"}: there is a line break or another control character in" \
			"it; it is left out"
		return 1
		;;
	esac
	printf '# %s\n%s\n' "$1" "$2" >>"$NUTLET_CONF.new"
}

# Sets $value, and $where to the option in its spelling: poll_max or pollmax.
nutlet_get() { # SECTION OPTION
	where=$main.$2
	config_get value "$1" "$2"
	[ -z "$value" ] || return 0
	case $2 in
	*_*)
		where=$main.$(echo "$2" | tr -d _)
		config_get value "$1" "${where##*.}"
		;;
	esac
	[ -n "$value" ]
}

nutlet_put_words() { # VALUE OPTION
	local must=

	[ -n "$1" ] || return 0
	nutlet_quote_words "$1"
	# CERTHOST host certificate verify force: whatever is not plainly off
	case $2:$quoted in
	certhost:*'" "0" "0"') ;;
	certhost:*) must=' must' ;;
	esac
	nutlet_put "$main.$2$must" "$(nutlet_upper "$2") $quoted"
}

nutlet_options() { # SECTION
	local option value where quoted count must

	# The package's own values come first: they stand where UCI's are left out.
	nutlet_put default "SHUTDOWNCMD \"$NUTLET_SHUTDOWNCMD\""
	nutlet_put default "POWERDOWNFLAG \"$NUTLET_KILLPOWER\""
	nutlet_put "$main.runas" "RUN_AS_USER $NUTLET_RUNAS"
	for option in $NUTLET_NUMBERS $NUTLET_TRIGGERS; do
		nutlet_get "$1" "$option" || continue
		nutlet_quote "$value"
		nutlet_put "$where" "$(nutlet_upper "$option") $quoted"
	done
	for option in $NUTLET_TEXTS; do
		nutlet_get "$1" "$option" || continue
		nutlet_quote_text "$value"
		nutlet_put "$where" "$(nutlet_upper "$option") $quoted"
	done
	for option in $NUTLET_SWITCHES; do
		nutlet_get "$1" "$option" || continue
		must=
		case $value in
		1 | on | true | yes | enabled)
			value=1
			# without a TLS that works, there must be no connection at all
			[ "$option" = alarmcritical ] || must=' must'
			;;
		0 | off | false | no | disabled) value=0 ;;
		*)
			nutlet_log err "$where: \"$value\" is neither 0 nor 1; it is left out"
			continue
			;;
		esac
		nutlet_put "$where$must" "$(nutlet_upper "$option") $value"
	done
	for option in $NUTLET_WORDS; do
		config_get count "$1" "${option}_LENGTH"
		if [ -n "$count" ]; then
			config_list_foreach "$1" "$option" nutlet_put_words "$option"
		else
			config_get value "$1" "$option"
			nutlet_put_words "$value" "$option"
		fi
	done
}

# Sets $flags: SYSLOG+EXEC, also where they are a list, or have spaces between them.
nutlet_read_flags() { # WHERE VALUE
	local flag

	flags=
	set -f
	for flag in $(echo "$2" | tr + ' '); do
		case $(nutlet_upper "$flag") in
		SYSLOG | EXEC | WALL | IGNORE) flags=${flags:+$flags+}$flag ;;
		*)
			nutlet_log err "$1: \"$flag\" is none of SYSLOG, EXEC, WALL, IGNORE; it is" \
				"left out"
			;;
		esac
	done
	set +f
	[ -n "$flags" ]
}

nutlet_notification() { # SECTION
	local name type value quoted flags

	name=$(nutlet_name "$1" notifications)
	type=$(nutlet_upper "$1")
	config_get value "$1" message
	if [ -n "$value" ]; then
		nutlet_quote_text "$value"
		nutlet_put "$name.message" "NOTIFYMSG $type $quoted"
	fi
	config_get value "$1" flag
	if nutlet_read_flags "$name.flag" "$value"; then
		nutlet_put "$name.flag" "NOTIFYFLAG $type $flags"
	fi
}

nutlet_notifications() { # SECTION
	local type value flags

	config_get value "$1" defaultnotify
	# not WALL, as upsmon has it: nobody is logged in
	nutlet_read_flags "$main.defaultnotify" "$value" || flags=SYSLOG
	for type in $NUTLET_TYPES; do
		nutlet_put "$main.defaultnotify" "NOTIFYFLAG $type $flags"
	done
	config_foreach nutlet_notification notifications
}

## monitors --------------------------------------------------------------------

nutlet_is_number() { # VALUE MIN MAX
	case $1 in
	'' | *[!0-9]* | ??????*) return 1 ;;
	esac
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# No trifle: see nutlet_configure.
nutlet_lose() { # WHERE TEXT
	nutlet_log err "$1: $2; this UPS is left out"
	NUTLET_LOST=1
}

nutlet_monitor() { # SECTION TYPE [ROLE]
	local name upsname='' hostname port power username password role system option value quoted

	name=$(nutlet_name "$1" "$2")
	NUTLET_MONITORS=1
	nutlet_is_anonymous "$1" || upsname=$1
	config_get upsname "$1" upsname "$upsname"
	case $upsname in
	'' | *[!A-Za-z0-9._-]*)
		nutlet_lose "$name.upsname" "\"$upsname\" is no name of a UPS"
		return 0
		;;
	esac
	config_get hostname "$1" hostname localhost
	case $hostname in
	\[*\])
		hostname=${hostname#\[}
		hostname=${hostname%\]}
		;;
	esac
	case $hostname in
	'' | *[!A-Za-z0-9.:%_-]*)
		nutlet_lose "$name.hostname" "\"$hostname\" is neither a name nor an address"
		return 0
		;;
	*:*) hostname=[$hostname] ;;
	esac
	config_get port "$1" port 3493
	nutlet_is_number "$port" 1 65535 || {
		nutlet_log err "$name.port: \"$port\" is no port; it is left out, and 3493 used"
		port=3493
	}
	config_get power "$1" powervalue 1
	nutlet_is_number "$power" 0 1000 || {
		nutlet_log err "$name.powervalue: \"$power\" is no number from 0 to 1000; it is left" \
			"out, and 1 used"
		power=1
	}
	config_get role "$1" type "${3:-secondary}"
	case $role in
	primary | secondary | master | slave) ;;
	*)
		nutlet_log err "$name.type: \"$role\" is neither primary nor secondary; it is left" \
			"out, and secondary used"
		role=secondary
		;;
	esac
	config_get username "$1" username
	[ -n "$username" ] || nutlet_log warn "$name.username: there is none: the server will not" \
		"let this machine log in; the UPS is watched all the same"
	config_get password "$1" password
	[ -n "$password" ] || nutlet_log warn "$name.password: there is none: the server will not" \
		"let this machine log in; the UPS is watched all the same"

	system=$upsname@$hostname
	[ "$port" = 3493 ] || system=$system:$port
	nutlet_quote_text "$username"
	username=$quoted
	nutlet_quote_text "$password"
	nutlet_put "$name" "MONITOR \"$system\" $power $username $quoted $role" || {
		NUTLET_LOST=1
		return 0
	}
	for option in $NUTLET_TRIGGERS; do
		config_get value "$1" "$option"
		[ -n "$value" ] || continue
		nutlet_quote "$value"
		nutlet_put "$name.$option" "$(nutlet_upper "$option") $quoted \"$system\""
	done
	return 0
}

## the whole -------------------------------------------------------------------

# The section upsmon; of old it might have no name.
nutlet_main_section() {
	local type found=upsmon

	config_get type upsmon TYPE
	[ "$type" = upsmon ] || config_foreach nutlet_found upsmon
	echo "$found"
}

nutlet_found() {
	found=$1
}

nutlet_find_user() { # SECTION
	local name

	NUTLET_RUNAS=nutmon
	config_get name "$1" runas nutmon
	if id -u "$name" >/dev/null 2>&1; then
		NUTLET_RUNAS=$name
	else
		nutlet_log err "$main.runas: there is no user \"$name\"; it is left out"
		id -u nutmon >/dev/null 2>&1 || NUTLET_RUNAS=nobody
	fi
}

nutlet_write() {
	section=$(nutlet_main_section)
	main=$(nutlet_name "$section" upsmon)
	nutlet_find_user "$section"
	# the directory is nut-server's, too
	mkdir -p "${NUTLET_CONF%/*}" && chmod 755 "${NUTLET_CONF%/*}" &&
		rm -f "$NUTLET_CONF.new" && (umask 137 && : >"$NUTLET_CONF.new") &&
		chgrp "$(id -gn "$NUTLET_RUNAS")" "$NUTLET_CONF.new" &&
		echo "# made from /etc/config/nut_monitor by /etc/init.d/nut-monitor" \
			>>"$NUTLET_CONF.new" || return 1
	# what names a UPS comes behind it
	config_foreach nutlet_monitor monitor monitor
	config_foreach nutlet_monitor master master primary
	config_foreach nutlet_monitor slave slave secondary
	nutlet_options "$section"
	nutlet_notifications "$section"
}

nutlet_line() {
	sed -n "$1p" "$NUTLET_CONF.new"
}

# A line that is left out stays as an empty one: so the numbers of the others fit.
nutlet_judge_line() { # NUMBER TEXT
	local where

	where=$(nutlet_line $(($1 - 1)))
	where=${where#\# }
	case $2 in
	"error: "*)
		if [ "$where" != "${where%" must"}" ]; then
			nutlet_log err "${where%" must"}: ${2#error: }"
			unencrypted=1
			return
		fi
		case $(nutlet_line "$1") in
		MONITOR*) nutlet_lose "$where" "${2#error: }" ;;
		# as it is with every server that has no TLS
		CERT*) nutlet_log warn "$where: ${2#error: }; it is left out" ;;
		*) nutlet_log err "$where: ${2#error: }; it is left out" ;;
		esac
		;;
	*"; the line is ignored"*) nutlet_log err "$where: ${2#warning: }" ;;
	*) return ;;
	esac
	sed -i "$1s/.*//" "$NUTLET_CONF.new"
	dropped=1
}

# What no line alone is to blame for.
nutlet_judge_whole() { # TEXT
	local number directive

	case $1 in
	"error: "*" MINSUPPLIES asks for "*) directive=MINSUPPLIES ;;
	# An upsmon that verifies nothing goes on without it; one that does says so next.
	"error: CERTPATH "*) directive=CERTPATH ;;
	"error: the certificate of "*)
		nutlet_log err "nut_monitor: ${1#error: }"
		unencrypted=1
		return
		;;
	*) return ;;
	esac
	number=$(sed -n "/^$directive/=" "$NUTLET_CONF.new")
	[ -n "$number" ] || return
	nutlet_judge_line "$number" "$1"
}

# Leaves out what upsmon would not take.  0: it would start with the rest.  1: it would not.
# 2: nor should it, without encryption.
nutlet_judge() {
	local said code line where dropped unencrypted=

	while :; do
		dropped=
		said=$("$UPSMON" -t -f "$NUTLET_CONF.new" 2>&1 >/dev/null)
		code=$?
		while IFS= read -r line; do
			line=${line#"upsmon: $NUTLET_CONF.new:"}
			case $line in
			[0-9]*) nutlet_judge_line "${line%%:*}" "${line#*: }" ;;
			*) nutlet_judge_whole "${line# }" ;;
			esac
		done <<-END
			$said
		END
		[ -z "$unencrypted" ] || return 2
		# with errors gone, there may be others behind them
		[ -n "$dropped" ] || break
	done
	while IFS= read -r line; do
		case $line in
		"upsmon: $NUTLET_CONF.new:"[0-9]*": warning: "*)
			line=${line#"upsmon: $NUTLET_CONF.new:"}
			where=$(nutlet_line $((${line%%:*} - 1)))
			nutlet_log warn "${where#\# }: ${line#*: warning: }"
			;;
		"upsmon: $NUTLET_CONF.new: warning: "*)
			nutlet_log warn "nut_monitor: ${line#*: warning: }"
			;;
		"upsmon: $NUTLET_CONF.new: error: "*)
			nutlet_log err "nut_monitor: ${line#*: error: }"
			;;
		# of upssched.conf
		"upsmon: "*": warning: "*) nutlet_log warn "${line#upsmon: }" ;;
		esac
	done <<-END
		$said
	END
	case $code in
	0) return 0 ;;
	2)
		nutlet_log warn "this upsmon has no -t: what is wrong in nut_monitor it says when it" \
			"starts"
		return 0
		;;
	esac
	return 1
}

# The configuration that was good stays: rather an old one than none, or than half of a new one.
nutlet_keep() { # WHY
	rm -f "$NUTLET_CONF.new"
	if [ -s "$NUTLET_CONF" ]; then
		nutlet_log err "$1: the configuration before it stays"
		NUTLET_RUNAS=$(sed -n 's/^RUN_AS_USER //p' "$NUTLET_CONF")
		return 1
	fi
	nutlet_log err "$1"
	return 2
}

# Puts a configuration in its place, and sets NUTLET_RUNAS.
# 0: it is there.  1: it cannot be used, and the one before it stays.  2: likewise, and there is
# none.  3: it wants encryption, which cannot be had.
nutlet_configure() {
	local section main

	NUTLET_LOST=
	NUTLET_MONITORS=
	config_load nut_monitor || {
		nutlet_keep "/etc/config/nut_monitor cannot be read"
		return
	}
	if [ -f "$NUTLET_LINK" ] && [ ! -L "$NUTLET_LINK" ]; then
		nutlet_log notice "$NUTLET_LINK is a file of its own: it is used as it stands"
		section=$(nutlet_main_section)
		main=$(nutlet_name "$section" upsmon)
		nutlet_find_user "$section"
		return 0
	fi
	[ -L "$NUTLET_LINK" ] || ln -s "$NUTLET_CONF" "$NUTLET_LINK"
	nutlet_write || {
		nutlet_keep "$NUTLET_CONF.new cannot be written"
		return
	}
	if [ -z "$NUTLET_MONITORS" ]; then
		nutlet_keep "there is no section monitor in nut_monitor: nothing to watch"
		return
	fi
	nutlet_judge
	case $? in
	0) ;;
	2)
		rm -f "$NUTLET_CONF.new"
		return 3
		;;
	*)
		nutlet_keep "nut_monitor cannot be used"
		return
		;;
	esac
	# At the first start what is left is better than nothing; later it would take a UPS away.
	if [ -n "$NUTLET_LOST" ] && [ -s "$NUTLET_CONF" ]; then
		nutlet_keep "with nut_monitor as it is now, a UPS would not be watched"
		return
	fi
	mv -f "$NUTLET_CONF.new" "$NUTLET_CONF" || nutlet_keep "$NUTLET_CONF cannot be written"
}
