#!/bin/sh
# init_boot.sh ROOT LOWER INIT... - a small machine of its own in namespaces, whose pid 1 is INIT.
#
# The file system is LOWER (overlay folders, the uppermost first) below a tmpfs: nothing that is
# written there stays. The network is the machine's around it, for an upsd on loopback. Whatever
# would reach further than the namespaces is taken away: modules, clock, sysctls, raw I/O.
# ROOT is an empty folder. Everything in it ends with its pid 1, or with the caller.
set -eu

if [ "$1" != inside ]; then
	# a cgroup of its own, as root of what it sees: systemd sorts its services by them
	groups=$1.cgroup
	mkdir -p "$groups"
	mount -t cgroup2 none "$groups"
	group=$groups/nutlet-init-$$
	mkdir "$group"
	# shellcheck disable=SC2016
	sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$group" \
		setpriv --pdeathsig KILL --bounding-set -sys_module,-sys_time,-sys_rawio \
		unshare --cgroup --pid --uts --ipc --mount --fork --kill-child "$0" inside "$@" ||
		true
	find "$group" -depth -type d -exec rmdir {} +
	umount "$groups"
	rmdir "$groups"
	exit
fi

shift
root=$1 lower=$2
shift 2

mount -t tmpfs -o mode=755 tmpfs "$root"
mkdir "$root/upper" "$root/work" "$root/new"
new=$root/new
mount -t overlay -o "lowerdir=$lower,upperdir=$root/upper,workdir=$root/work" overlay "$new"
mount -t proc proc "$new/proc"
mount --bind "$new/proc/sys" "$new/proc/sys"
mount -o remount,bind,ro "$new/proc/sys"
mount -t sysfs -o ro sysfs "$new/sys"
mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$new/dev"
# Nodes of its own: whoever takes the console for his own gives it another owner and mode, and the
# console is /dev/null here, which must not be the one of the machine around it.
for device in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
	# shellcheck disable=SC2086
	mknod -m 666 "$new/dev/${device%% *}" c ${device#* }
done
ln -s null "$new/dev/console"
ln -s /proc/self/fd "$new/dev/fd"
mkdir "$new/dev/pts" "$new/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$new/dev/pts"
ln -s pts/ptmx "$new/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$new/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$new/run"
mount -t tmpfs -o mode=1777 tmpfs "$new/tmp"
mkdir -p "$new/.old"
pivot_root "$new" "$new/.old"
cd /
umount -l /.old
hostname machine
: >/run/up
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=nutlet-test "$@"
