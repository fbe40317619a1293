#!/bin/sh
# qemu.sh BOARD [options] - becomes the QEMU that runs the board's image.
#
#   --upsd-port PORT  the guest reaches 127.0.0.1:PORT of this machine as 10.0.2.100:3493;
#                     given again, the next is 10.0.2.101:3493, and so on
#   --disk FILE       a raw image as the board's disk or flash; the board's disk.sh, or
#                     blank-disk.sh, makes a blank one when there is none
#   --stick FILE      another disk
#   --boot            starts what is on the disk, by the boot loader that is on it
#   --append WORDS    more words for the kernel's command line
#   --image FILE      another root than build/BOARD/rootfs.cpio.gz
#   --interactive     the keyboard goes to the guest, ctrl-C too; leave with ctrl-A x
#   --dry-run         only shows the command
#
# Promises: it replaces itself by QEMU, so its pid is QEMU's; the serial console is on
# standard input and output; poweroff in the guest ends it, reboot resets the board. The
# guest reaches nothing but the ports named.
set -eu

board=$1
shift
common=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$common/../.." && pwd)
# shellcheck disable=SC1090,SC1091
. "$top/board/$board/board.conf"
if [ -z "${QEMU:-}" ]; then
	echo "qemu.sh: QEMU has no $board; board/$board/README.md tells how it is tried" >&2
	exit 1
fi

image=$top/build/$board/rootfs.cpio.gz
netdev=user,id=net0,restrict=on
host=100 disk='' stick='' boot='' append='' serial='-serial stdio -monitor none' run=exec
while [ $# -gt 0 ]; do
	case $1 in
	--upsd-port)
		# One nc for each connection; the form without a command shares one and hangs.
		# nc's standard input and output are one socket, so the guest sees the server
		# close only when nc ends. The traditional nc does end then (the OpenBSD one
		# waits for its input); -q 1 ends it when the guest has closed. Its complaints
		# would go to the guest as well, as if the server had said them.
		"$common/setup.sh" netcat-traditional >&2
		nc="exec nc.traditional -q 1 127.0.0.1 $2 2>/dev/null"
		netdev="$netdev,guestfwd=tcp:10.0.2.$host:3493-cmd:/bin/sh -c '$nc'"
		host=$((host + 1))
		shift ;;
	--disk) disk=$2; shift ;;
	--stick) stick=$2; shift ;;
	--boot) boot=yes ;;
	--append) append=" $2"; shift ;;
	--image) image=$2; shift ;;
	--interactive) serial='-serial mon:stdio' ;;
	--dry-run) run='echo' ;;
	*) echo "qemu.sh: unknown option $1" >&2; exit 2 ;;
	esac
	shift
done

"$common/setup.sh" "$QEMU_PACKAGE" >&2
if [ -n "$disk" ] && [ ! -e "$disk" ] && [ "$run" = exec ]; then
	blank=$top/board/$board/disk.sh
	[ -e "$blank" ] || blank=$common/blank-disk.sh
	"$blank" "$disk"
fi
drive() { # ID FILE: a comma ends a value for QEMU, two of them are one in it
	echo "if=none,id=$1,format=raw,file=$(echo "$2" | sed 's/,/,,/g')"
}

if [ -n "$boot" ]; then
	# shellcheck disable=SC2086
	"$common/setup.sh" ${BOOT_PACKAGES:-} >&2
	# shellcheck disable=SC2086
	set -- ${QEMU_BOOT:-}
else
	set -- -kernel "$top/build/$board/vmlinux" -initrd "$image" \
		-append "console=$CONSOLE $CMDLINE$append"
fi
# The words of board.conf are meant to be split; the rest is not.
# shellcheck disable=SC2086
$run $QEMU $QEMU_MACHINE -display none $serial "$@" -netdev "$netdev" $QEMU_NET \
	${disk:+-drive "$(drive disk0 "$disk")" ${QEMU_DISK}disk0} \
	${stick:+-drive "$(drive disk1 "$stick")" ${QEMU_DISK}disk1}
