#!/bin/sh
# install.sh systemd|s6|runit|openrc|busybox|sysv - puts what starts upsmon where it belongs.
#
# Called by `make install INIT=...`; DESTDIR, PREFIX and SYSCONFDIR are in the environment and are
# written into the files. Starts and enables nothing: it says what does.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
: "${DESTDIR=}" "${PREFIX=/usr}" "${SYSCONFDIR=/etc}"
here=$top/board/init

# what the files name, as it is here
places="s,/usr/sbin/upsmon,$PREFIX/sbin/upsmon,g
s,/etc/\(default/upsmon\|nut/nut\.conf\|init\.d/\|inittab\),$SYSCONFDIR/\1,g"

put() { # MODE FILE TARGET
	mkdir -p "$DESTDIR$(dirname "$3")"
	sed "$places" "$2" >"$DESTDIR$3.new"
	chmod "$1" "$DESTDIR$3.new"
	mv "$DESTDIR$3.new" "$DESTDIR$3"
}

put_settings() { # MODE FILE TARGET: once; then they are the machine's own
	[ -e "$DESTDIR$3" ] || put "$@"
}

put_folder() { # FOLDER TARGET: of a supervisor; what is a script there stays one
	(cd "$1" && find . -type f) | sort | while read -r file; do
		mode=644
		[ -x "$1/$file" ] && mode=755
		case $file in
		./conf) put_settings "$mode" "$1/$file" "$2/${file#./}" ;;
		*) put "$mode" "$1/$file" "$2/${file#./}" ;;
		esac
	done
}

systemd() {
	put 644 "$here/systemd/nut-monitor.service" "$PREFIX/lib/systemd/system/nut-monitor.service"
	# drop-ins, for who wants them
	for name in hardened notify-reload; do
		put 644 "$here/systemd/$name.conf" "$PREFIX/share/nutlet/systemd/$name.conf"
	done
	# an upsmon of NUT is two processes, and only its own unit ends both
	echo "start it: systemctl stop nut-monitor; systemctl daemon-reload;" \
		"systemctl enable --now nut-monitor"
}

s6() {
	put_folder "$here/s6/upsmon" "$SYSCONFDIR/s6/sv/upsmon"
	echo "start it: cp -a $SYSCONFDIR/s6/sv/upsmon SCANDIR/; s6-svscanctl -a SCANDIR"
}

runit() {
	put_folder "$here/runit/upsmon" "$SYSCONFDIR/sv/upsmon"
	echo "start it: ln -s $SYSCONFDIR/sv/upsmon into the folder of runsvdir (/etc/service, /var/service)"
}

openrc() {
	put 755 "$here/openrc/upsmon" "$SYSCONFDIR/init.d/upsmon"
	put_settings 644 "$here/openrc/upsmon.confd" "$SYSCONFDIR/conf.d/upsmon"
	echo "start it: rc-update add upsmon default; rc-service upsmon start"
}

busybox() {
	inittab=$DESTDIR$SYSCONFDIR/inittab
	put 755 "$top/rootfs-overlay/etc/init.d/S60upsmon" "$SYSCONFDIR/init.d/S60upsmon"
	if [ ! -f "$inittab" ]; then
		# an inittab with this line alone would take away the console that init gives without one
		echo "there is no $inittab; this belongs into it:"
		sed "$places" "$here/busybox/inittab"
	elif ! grep -q '^[^#]*respawn:.*/S60upsmon supervise' "$inittab"; then
		# the last line may have no end
		[ -z "$(tail -c 1 "$inittab")" ] || echo >>"$inittab"
		sed "$places" "$here/busybox/inittab" >>"$inittab"
		echo "$inittab has the line of upsmon now"
	fi
	echo "start it: kill -HUP 1; $SYSCONFDIR/init.d/S60upsmon start"
	echo "where rcS does not start $SYSCONFDIR/init.d/S??*: $here/busybox/rcS"
}

sysv() {
	put 755 "$here/sysv/upsmon" "$SYSCONFDIR/init.d/upsmon"
	echo "start it: update-rc.d upsmon defaults; service upsmon start"
}

case ${1:-} in
systemd | s6 | runit | openrc | busybox | sysv) "$1" ;;
*)
	echo "INIT=${1:-}: there is systemd, s6, runit, openrc, busybox and sysv" >&2
	exit 2
	;;
esac
