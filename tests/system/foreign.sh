#!/bin/sh
# Runs a command where programs of big-endian MIPS run like any other:  foreign.sh command ...
#
# qemu-user is their interpreter by binfmt_misc, in a user namespace of its own, where every
# user and group is who he is outside: nothing of the machine is changed, and all is gone with
# the command.  Needs root, and a kernel from 6.7 on.
set -e
if [ "$1" != --inside ]; then
	unshare --user --mount "$0" --inside "$@" &
	until [ "$(readlink /proc/$!/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
	echo 0 0 65536 >/proc/$!/uid_map
	echo 0 0 65536 >/proc/$!/gid_map
	trap 'kill $!' INT TERM
	wait $!
	exit
fi
until [ "$(cat /proc/self/uid_map /proc/self/gid_map | wc -l)" -eq 2 ]; do sleep 0.01; done
# whoever has become root by the map has root's rights from the next program on
if [ "$2" != --root ]; then
	shift
	exec "$0" --inside --root "$@"
fi
shift 2
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc || {
	echo "$0: no binfmt_misc of a namespace's own (Linux 6.7)" >&2
	exit 1
}
# ELF, 32 bit, big-endian, an executable (2 or 3), for MIPS (8)
magic='\x7fELF\x01\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x08'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff'
echo ":mips:M::$magic:$mask:$(command -v qemu-mips-static):F" >/proc/sys/fs/binfmt_misc/register
exec "$@"
