#!/bin/sh
# image.sh BOARD UPSMON - assembles build/BOARD/rootfs/ and packs build/BOARD/rootfs.cpio.gz.
#
# Promises: needs no root; all is owned by 0:0, and the same inputs give the same bytes
# (names sorted, times set to SOURCE_DATE_EPOCH, else the last commit's). Modes come from
# the executable bit alone, whatever the umask of a checkout was. The image appears when
# it is complete. OVERLAY=DIR takes another tree than rootfs-overlay/, OUT=DIR puts rootfs/
# and the image elsewhere.
set -eu

board=$1 upsmon=$2
common=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$common/../.." && pwd)

DISK='' PARTITION='' OVERLAYS=''
# shellcheck disable=SC1090,SC1091
. "$top/board/$board/board.conf"
built=$top/build/$board
busybox=$top/build/busybox/$ARCH/busybox
overlay=${OVERLAY:-$top/rootfs-overlay}
out=${OUT:-$built}
mkdir -p "$out"
out=$(cd "$out" && pwd)
root=$out/rootfs
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct 2>/dev/null || echo 0)}

"$common/setup.sh" cpio python3
# What was read-only in an overlay must not keep us from replacing it.
[ ! -d "$root" ] || chmod -R u+w "$root"
rm -rf "$root"
umask 022
for dir in bin sbin etc usr/bin usr/sbin lib/modules proc sys dev run tmp data root var/spool; do
	mkdir -p "$root/$dir"
done
# What is written at run time goes to tmpfs, so that the root may be read-only.
ln -s ../run "$root/var/run"
ln -s ../run/lock "$root/var/lock"
ln -s ../run/log "$root/var/log"
ln -s ../tmp "$root/var/tmp"
# The kernel starts /init of an initramfs, and /sbin/init of any other root.
ln -s sbin/init "$root/init"

cp "$busybox" "$root/bin/busybox"
while read -r link; do
	ln -s /bin/busybox "$root$link"
done <"$busybox.links"

while read -r module; do
	cp "$built/modules/$module" "$root/lib/modules/"
	echo "/lib/modules/$module"
done <"$built/modules/list" >"$root/etc/modules"

# The overlays come last, so that they can replace anything; the board's own after all.
set -- "$overlay"
for name in $OVERLAYS; do
	set -- "$@" "$top/board/$name"
done
for tree in "$@" "$top/board/$board/rootfs-overlay"; do
	[ ! -d "$tree" ] || cp -R -P "$tree/." "$root/"
done
# A folder that is empty but for this file is how git keeps one.
find "$root" -name .gitkeep -delete
cp "$upsmon" "$root/usr/sbin/upsmon"
mkdir -p "$root/usr/lib/nutlet"
printf '%s\n' "BOARD=$board" "DISK=$DISK" "PARTITION=${PARTITION:-$DISK}" \
	>"$root/usr/lib/nutlet/board"

find "$root" -type d -exec chmod 755 {} +
find "$root" -type f -perm -u+x -exec chmod 755 {} +
find "$root" -type f ! -perm -u+x -exec chmod 644 {} +
chmod 755 "$root/bin/busybox" "$root/usr/sbin/upsmon"
chmod 1777 "$root/tmp"
chmod 700 "$root/root"
"$common/pack.sh" "$root" "$out/rootfs.cpio.gz" "$epoch"

# it asks the machine which GRUB goes onto the disk
[ "${BOOT:-}" != grub ] || "$common/setup.sh" grub-pc-bin
"$common/sbom.py" "$board" "$out/sbom.cdx.json"

for file in "$upsmon" "$busybox" "$built/vmlinux" "$out/rootfs.cpio.gz"; do
	printf '%9d bytes  %s\n' "$(wc -c <"$file")" "${file##*/}"
done
