#!/bin/sh
# uimage.sh BOARD - from build/BOARD/rootfs.cpio.gz to what an old U-Boot loads: build/BOARD/
# uImage-NAME for each of the board's device trees, which is appended to the kernel, and
# uInitrd, the whole system, the same for all of them.
#
# Promises: the same inputs give the same bytes (SOURCE_DATE_EPOCH, else the last commit's).
# The files appear when they are complete.
set -eu

board=$1
common=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$common/../.." && pwd)

# shellcheck disable=SC1090,SC1091
. "$top/board/$board/board.conf"
built=$top/build/$board
out=${OUT:-$built}
part=$out/.uimage.part
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH

"$common/setup.sh" u-boot-tools
rm -rf "$part"
mkdir -p "$part"
for dtb in $DTBS; do
	name=${dtb#kirkwood-}
	cat "$built/vmlinux" "$built/dtb/$dtb.dtb" >"$part/kernel"
	# where these boards' memory begins; the kernel moves itself from there
	mkimage -A arm -O linux -T kernel -C none -a 0x8000 -e 0x8000 -n "nutlet $name" \
		-d "$part/kernel" "$part/uImage-$name" >/dev/null
	mv "$part/uImage-$name" "$out/"
	printf '%9d bytes  uImage-%s\n' "$(wc -c <"$out/uImage-$name")" "$name"
done
mkimage -A arm -O linux -T ramdisk -C none -a 0 -e 0 -n nutlet -d "$out/rootfs.cpio.gz" \
	"$part/uInitrd" >/dev/null
mv "$part/uInitrd" "$out/"
printf '%9d bytes  uInitrd\n' "$(wc -c <"$out/uInitrd")"
rm -rf "$part"
