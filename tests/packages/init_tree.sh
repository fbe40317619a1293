#!/bin/sh
# init_tree.sh SUITE TREE PACKAGE... - unpacks Debian packages, with all that they need, into TREE.
#
# Promises: nothing is installed into the machine and no package's script is run; the private apt
# of board/common/apt.sh finds and fetches them. What they do not bring of a small system comes
# from busybox, so the scripts under test run under its ash. TREE is complete or not there.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
suite=$1 tree=$2
shift 2

new=$tree.new
rm -rf "$new" "$tree"
mkdir -p "$new/debs/partial" "$new/root"
new=$(cd "$new" && pwd)
apt=$top/build/apt/$suite/$(dpkg --print-architecture)

fetch() {
	# makes the private apt, if it is not there
	"$top/board/common/apt.sh" "$suite" depends busybox >/dev/null &&
		APT_CONFIG=$apt/apt.conf flock "$apt/lock" apt-get -y -q --no-install-recommends \
			--download-only -o Dir::Cache::archives="$new/debs" install busybox "$@"
}
# lists that are out of date name files that are gone: once more from new ones
fetch "$@" || { rm -f "$apt/updated" && fetch "$@"; }

root=$new/root
for name in bin sbin lib lib64; do
	mkdir -p "$root/usr/$name"
	ln -s "usr/$name" "$root/$name"
done
for deb in "$new"/debs/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink
done
rm -r "$new/debs"

mkdir -p "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/tmp" "$root/root" \
	"$root/var/log" "$root/etc/nut"
chmod 1777 "$root/tmp"
[ -e "$root/var/run" ] || ln -s /run "$root/var/run"
cat >"$root/etc/passwd" <<-END
	root:x:0:0:root:/root:/bin/sh
	nut:x:114:114:nut:/:/bin/false
	nobody:x:65534:65534:nobody:/:/bin/false
END
cat >"$root/etc/group" <<-END
	root:x:0:
	tty:x:5:
	uucp:x:10:
	utmp:x:43:
	nut:x:114:
	nogroup:x:65534:
END
# what is there already stays
chroot "$root" /usr/bin/busybox --install -s 2>/dev/null || :
[ -e "$root/bin/sh" ] || { echo "init_tree.sh: no shell in $tree" >&2; exit 1; }
mv "$root" "$tree"
rm -r "$new"
