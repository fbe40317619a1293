#!/bin/sh
# soak.sh - the part of the soak tests that runs on the board, where it is /usr/bin/soak.
#
#   soak boot                     by init, once: says on the console when upsmon is ready and alone
#   soak wait SECONDS             waits for that
#   soak kill VICTIM MS ...       kill -9, MS milliseconds later: guard, monitor or any
#   soak reuse STRANGER ROUNDS    the pid of a dead daemon is given to somebody else
#   soak upgrade ROUNDS           a new binary, and `upsmon -c upgrade`, again and again
#   soak broken BYTES             the same with a binary that is cut off
#   soak recycle STRANGER         at boot, before upsmon: its old pid goes to somebody else
#
# Ready and alone: -c status says so, names the pid that is in the pidfile, and there is one guard
# with one monitor and nothing else called upsmon.  Exit code 1: it is not so, and the output says
# what is there.

# shellcheck disable=SC1091
[ -r /etc/default/upsmon ] && . /etc/default/upsmon
export NUT_PIDPATH="${NUT_PIDPATH:-/run/nut}"
PIDFILE=$NUT_PIDPATH/upsmon.pid
STRANGER=/run/soak.stranger	# the pid of an upsmon that is not meant
OTHER=/run/other		# its directory

fail() {
	echo "SOAK FAILED: $*"
	look
	echo "guards:$guards monitors:$monitors others:$others pidfile: $(cat "$PIDFILE" 2>&1)"
	upsmon -c status
	tail -n 5 /run/soak.log 2>/dev/null
	logread | tail -n 15
	exit 1
}

# $field is field N of /proc/PID/stat, where the name has no spaces; 4: the parent, 22: the start
stat_field() {
	{ read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
	skip=$(($2 - 1))
	# shellcheck disable=SC2086
	set -- $line
	state=$3
	shift $skip
	field=$1
}

# Whoever is called upsmon: a guard is root's and init's child, a monitor is a guard's child.
look() {
	guards='' monitors='' others='' except=
	{ read -r except <$STRANGER; } 2>/dev/null
	for pid in $(pidof upsmon); do
		stat_field "$pid" 4 || continue
		# it is dead, and init has not looked yet
		[ "$state" = Z ] && continue
		[ "$pid" = "$except" ] || [ "$field" = "$except" ] && continue
		if [ "$field" = 1 ] && [ -O "/proc/$pid" ]; then
			guards="$guards $pid"
		elif [ ! -O "/proc/$pid" ]; then
			monitors="$monitors $pid"
		else
			others="$others $pid"
		fi
	done
}

is_ready() {
	verdict=$(upsmon -c status 2>&1) || return 1
	holder=${verdict#upsmon is running: pid }
	holder=${holder%% holds the lock*}
	{ read -r file <"$PIDFILE"; } 2>/dev/null || return 1
	look
	[ "$file" = "$holder" ] && [ "$guards" = " $holder" ] && [ -z "$others" ] || return 1
	# shellcheck disable=SC2086
	set -- $monitors
	[ $# = 1 ] && stat_field "$1" 4 && [ "$field" = "$holder" ]
}

wait_ready() {
	looks=0
	until is_ready; do
		looks=$((looks + 1))
		[ $looks -lt $(($1 * 8)) ] || fail "not ready and alone after $1 s"
		usleep 50000
	done
}

say_ready() {
	wait_ready "$1"
	read -r up _ </proc/uptime
	echo "SOAK READY uptime=$up pid=$holder."
}

# ---- kill -9 ----

# Somebody of that kind; it is waited for where there is nobody yet.
find_victim() {
	victim=
	looks=0
	until [ "$victim" ]; do
		[ $looks -lt 1000 ] || fail "nobody to kill: $1"
		looks=$((looks + 1))
		look
		# init takes some seconds: long for one that does nothing but look
		[ $looks -lt 20 ] || usleep 20000
		case $1 in
		guard) victim=${guards##* } ;;
		monitor) victim=${monitors##* } ;;
		*) victim=${guards##* } ; [ "$others" ] && victim=${others##* } ;;
		esac
	done
}

kill_all() {
	while [ $# -gt 1 ]; do
		usleep "$2"000
		find_victim "$1"
		kill -9 "$victim" 2>/dev/null && echo "SOAK KILLED $1 $victim"
		shift 2
	done
	echo "SOAK KILLS DONE."
	say_ready 40
}

# ---- a pid for somebody else ----

# Runs a command with that pid, in the background; the kernel may fork in between, so tries again.
at_pid() {
	want=$1
	shift
	tries=0
	while [ $tries -lt 100 ]; do
		echo $((want - 1)) >/proc/sys/kernel/ns_last_pid
		"$@" &
		[ $! = "$want" ] && return 0
		kill -9 $! 2>/dev/null
		wait $! 2>/dev/null
		tries=$((tries + 1))
		[ $tries -lt 10 ] || usleep 20000
	done
	return 1
}

# A shell that takes down each signal, and does not fork: it waits at a pipe.
recorder() {
	rm -f /run/soak.signals /run/soak.pipe
	mkfifo /run/soak.pipe
	cat >/run/soak.recorder <<'END'
for s in TERM HUP USR1 USR2 INT QUIT; do
	trap "echo $s >>/run/soak.signals" $s
done
exec 3<>/run/soak.pipe
echo x >/run/soak.waits
while :; do read -r _ <&3; done
END
	rm -f /run/soak.waits
	at_pid "$1" sh /run/soak.recorder || return 1
	until [ -e /run/soak.waits ]; do usleep 20000; done
}

# Another upsmon, with a directory and a configuration of its own.  It reaches nobody.
elsewhere() {
	mkdir -p $OTHER
	printf '%s\n' 'MONITOR ups@127.0.0.1:1 1 monuser secret secondary' 'MINSUPPLIES 0' \
		'SHUTDOWNCMD "echo down"' 'RUN_AS_USER nut' >$OTHER/upsmon.conf
	at_pid "$1" run_elsewhere || return 1
	echo "$1" >$STRANGER
}
run_elsewhere() {
	NUT_PIDPATH=$OTHER exec upsmon -F -f $OTHER/upsmon.conf 2>/run/soak.other.log
}

asked() {
	upsmon "$@" >/run/soak.log 2>&1
	code=$?
}

# What a dead daemon leaves: its pidfile, its number in the lock file, and nobody.
crash() {
	asked -B
	[ $code = 0 ] || fail "upsmon -B: exit code $code"
	wait_ready 10
	old=$holder
	kill -9 "$old"
	# its number is not free until init has looked at the last of its session
	until [ -z "$(pidof upsmon)" ]; do usleep 20000; done
	[ "$(cat "$PIDFILE")" = "$old" ] || fail "the pidfile of $old is gone"
}

# Every order is refused, status says stale; a start works.  $1: what the verdict must have
refused_and_started() {
	asked -c status
	[ $code = 1 ] || fail "status: exit code $code instead of 1"
	grep -q "^stale pidfile: $1" /run/soak.log || fail "status says something else than: $1"
	sed 's/^/SOAK STATUS /;1q' /run/soak.log
	for order in stop reload fsd upgrade; do
		asked -c $order
		[ $code = 1 ] || fail "$order: exit code $code instead of 1"
		asked -c $order -P "$old"
		[ $code = 1 ] || fail "$order -P $old: exit code $code instead of 1"
	done
	asked -B
	[ $code = 0 ] || fail "not started beside the stranger: exit code $code"
	sed -n 's/^upsmon.*: \(stale .*\)/SOAK START \1/p' /run/soak.log
	wait_ready 10
	[ "$holder" != "$old" ] || fail "the daemon has the stranger's pid $old"
	asked -c reload
	[ $code = 0 ] || fail "reload of the new one: exit code $code"
	asked -c stop -P "$old"
	[ $code = 1 ] || fail "stop -P $old: exit code $code instead of 1"
	stopped
}

stopped() {
	asked -c stop
	[ $code = 0 ] || fail "stop: exit code $code"
	look
	[ -z "$guards$monitors$others" ] || fail "something is left after stop"
}

# The stranger is the one that he was, and was not signalled.
untouched() {
	field=
	stat_field "$old" 22
	[ "$field" = "$born" ] || fail "the stranger $old is gone"
	[ ! -e /run/soak.signals ] || fail "the stranger got $(cat /run/soak.signals)"
}

stranger_leaves() {
	[ "$except" ] && rm -f $STRANGER
	kill -9 "$old" 2>/dev/null
	wait "$old" 2>/dev/null
	until [ -z "$(pidof upsmon)" ]; do usleep 20000; done
}

reuse_stranger() {
	case $1 in
	sleep) at_pid "$old" sleep 100000 ;;
	shell) recorder "$old" ;;
	upsmon)
		elsewhere "$old" && until [ "$(cat $OTHER/upsmon.pid 2>/dev/null)" = "$old" ]; do
			usleep 20000
		done ;;
	esac || fail "$1 did not get pid $old"
	# its name comes with its exec
	name=$1
	[ "$1" = shell ] && name="sh"
	until grep -qx "$name" "/proc/$old/comm"; do usleep 20000; done
	stat_field "$old" 22
	born=$field
	# fsd would switch the board off, and so would this
	case $1 in
	upsmon) refused_and_started "pid $old " ;;
	*) refused_and_started "pid $old belongs to $name and is not upsmon" ;;
	esac
	untouched
	if [ "$1" = upsmon ]; then
		grep -Eq 'stopping|anew|FSD|upgrade' /run/soak.other.log &&
			fail "the other upsmon got a signal: $(cat /run/soak.other.log)"
		NUT_PIDPATH=$OTHER upsmon -c status >/run/soak.log || fail "the other upsmon is ill"
	fi
	stranger_leaves
}

# The process that starts is the recorded pid itself: as init's child it is, at every boot.
reuse_self() {
	at_pid "$old" upsmon -F 2>/run/soak.log || fail "the start did not get pid $old"
	# the pidfile says $old already: the log tells when it is the new one's
	until grep -q 'ready, watching' /run/soak.log; do
		[ -d "/proc/$old" ] || fail "upsmon -F with the recorded pid $old ended"
		usleep 20000
	done
	sed -n 's/^upsmon.*: \(stale .*\)/SOAK START \1/p' /run/soak.log
	asked -c status
	[ $code = 0 ] || fail "status: exit code $code"
	head -n 1 /run/soak.log | grep -q "pid $old holds the lock" || fail "$old has no lock"
	asked -c stop
	[ $code = 0 ] || fail "stop: exit code $code"
	wait "$old" || fail "upsmon -F ended with exit code $?"
}

# The recorded pid is the shell that starts it.
reuse_starter() {
	rm -f /run/soak.code
	# shellcheck disable=SC2016
	at_pid "$old" sh -c 'upsmon -B 2>/run/soak.log; echo $? >/run/soak.code' ||
		fail "the starter did not get pid $old"
	until [ -s /run/soak.code ]; do usleep 20000; done
	[ "$(cat /run/soak.code)" = 0 ] || fail "not started by the shell with pid $old"
	sed -n 's/^upsmon.*: \(stale .*\)/SOAK START \1/p' /run/soak.log
	wait_ready 10
	stopped
}

# The recorded pid is the one that asks.
reuse_asker() {
	for order in status stop reload fsd upgrade; do
		at_pid "$old" upsmon -c $order >/run/soak.log 2>&1 || fail "no pid $old for -c $order"
		wait "$old"
		code=$?
		[ $code = 1 ] || fail "-c $order with the recorded pid: exit code $code instead of 1"
		[ $order != status ] || sed 's/^/SOAK STATUS /;1q' /run/soak.log
	done
	asked -B
	[ $code = 0 ] || fail "not started: exit code $code"
	wait_ready 10
	stopped
}

reuse() {
	round=0
	while [ $round -lt "$2" ]; do
		crash
		case $1 in
		self | starter | asker) "reuse_$1" ;;
		*) reuse_stranger "$1" ;;
		esac
		round=$((round + 1))
		echo "SOAK ROUND $round"
	done
}

recycle() {
	{ read -r old <"$PIDFILE"; } 2>/dev/null || { echo "SOAK RECYCLE: no pidfile"; return 0; }
	[ ! -d "/proc/$old" ] || {
		read -r name <"/proc/$old/comm"
		echo "SOAK RECYCLE: pid $old is $name already"
		return 0
	}
	case $1 in
	sleep) at_pid "$old" sleep 100000 ;;
	shell) recorder "$old" ;;
	upsmon) elsewhere "$old" ;;
	esac || { echo "SOAK RECYCLE: $1 did not get $old"; return 0; }
	stat_field "$old" 22
	echo "$old $field" >/run/soak.recycled
	echo "SOAK RECYCLE: $1 has $old"
}

# After the boot: is the one that got the old pid still there, unsignalled?
recycled() {
	{ read -r old born </run/soak.recycled; } 2>/dev/null || return 0
	untouched
}

# ---- upgrades ----

# As a package manager does it; $1: how many bytes of it
put() {
	head -c "$1" /usr/bin/upsmon.good >/usr/sbin/upsmon.new && chmod 755 /usr/sbin/upsmon.new &&
		mv /usr/sbin/upsmon.new /usr/sbin/upsmon
}

keep_good() {
	[ -e /usr/bin/upsmon.good ] || cp /usr/sbin/upsmon /usr/bin/upsmon.good
	bytes=$(stat -c %s /usr/bin/upsmon.good)
}

upgrade() {
	keep_good
	wait_ready 20
	old=$holder
	round=0
	while [ $round -lt "$1" ]; do
		put "$bytes"
		read -r before _ </proc/uptime
		asked -c upgrade
		read -r after _ </proc/uptime
		[ $code = 0 ] || fail "upgrade $round: exit code $code: $(cat /run/soak.log)"
		[ "$(readlink "/proc/$old/exe")" = /usr/sbin/upsmon ] || fail "upgrade $round: the old program runs"
		is_ready || wait_ready 5
		[ "$holder" = "$old" ] || fail "upgrade $round: pid $holder instead of $old"
		round=$((round + 1))
		echo "SOAK UPGRADED $before $after"
	done
}

broken() {
	keep_good
	wait_ready 20
	old=$holder
	put "$1"
	code=0
	/usr/bin/upsmon.good -c upgrade >/run/soak.log 2>&1 || code=$?
	[ $code = 1 ] || fail "upgrade to $1 bytes of $bytes: exit code $code: $(cat /run/soak.log)"
	sed 's/^/SOAK REFUSED /' /run/soak.log
	put "$bytes"
	is_ready || wait_ready 5
	[ "$holder" = "$old" ] || fail "after the broken program: pid $holder instead of $old"
}

command=$1
shift
case $command in
boot) say_ready 60 ;;
wait) say_ready "$1" ;;
kill) kill_all "$@" ;;
reuse | recycle | recycled | upgrade | broken) "$command" "$@" ;;
*) exit 2 ;;
esac
