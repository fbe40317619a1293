#!/bin/sh
# disk-image.sh BOARD - from build/BOARD/rootfs/ to build/BOARD/nutlet-BOARD.img, which
# nutlet-flash takes, and build/BOARD/disk.img, the whole disk with both slots filled.
#
# The disk: 1 MiB for the boot loader; 1: FAT, what the boot loader reads, and first of all
# the file slots, at a place that nutlet-flash and U-Boot know: which slot is active; 2 and
# 3: slots A and B; 4: ext4, what persists.
# A slot: the root, a squashfs, and at 16 MiB what U-Boot loads; GRUB finds its kernel in
# the squashfs. An update is a description of 4 KiB (nutlet-flash checks it), the root and
# that, each filled up to 4 KiB.
#
# Promises: needs no root; the same inputs give the same bytes (SOURCE_DATE_EPOCH, else the
# last commit's). The files appear when they are complete.
set -eu

board=$1
common=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$common/../.." && pwd)

# shellcheck disable=SC1090,SC1091
. "$top/board/$board/board.conf"
out=${OUT:-$top/build/$board}
built=$top/build/$board
busybox=$top/build/busybox/$ARCH/busybox
part=$out/.disk.part
root=$part/root
version=$(sed -n 's/^#define NUTLET_VERSION "\(.*\)"/\1/p' "$top/src/options.h")
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct 2>/dev/null || echo 0)}
commit=$(git -C "$top" log -1 --format=%h 2>/dev/null || echo none)
# Each of the tools below has its own way to be told, and some don't take two.
unset SOURCE_DATE_EPOCH
# FAT has local times
export TZ=UTC
block=4096

"$common/setup.sh" cpio squashfs-tools genimage dosfstools mtools e2fsprogs
umask 022
rm -rf "$part"
mkdir -p "$part/initrd" "$part/fat"

# ---- what the boot loader loads

make_initrd() {
	tree=$part/initrd
	mkdir -p "$tree/bin" "$tree/dev" "$tree/etc" "$tree/lib" "$tree/mnt" "$tree/proc" "$tree/sys"
	cp "$busybox" "$tree/bin/busybox"
	for applet in sh cat insmod mkdir mount reboot sleep switch_root usleep; do
		ln -s busybox "$tree/bin/$applet"
	done
	cp -R "$out/rootfs/lib/modules" "$tree/lib/"
	cp "$out/rootfs/etc/modules" "$tree/etc/"
	cp "$out/rootfs/usr/lib/nutlet/board" "$tree/etc/board"
	cp "$common/initrd/init" "$tree/init"
	chmod 755 "$tree/init" "$tree/bin/busybox"
	"$common/pack.sh" "$tree" "$part/initrd.cpio.gz" "$epoch"
}

make_squashfs() {
	mksquashfs "$root" "$part/root.squashfs" -comp xz -all-root -noappend -no-xattrs -no-progress \
		-quiet -mkfs-time "$epoch" -all-time "$epoch"
}

cp -R -P "$out/rootfs" "$root"
make_initrd
case $BOOT in
grub)
	"$common/setup.sh" grub-pc-bin grub-common
	mkdir "$root/boot"
	cp "$built/vmlinux" "$root/boot/vmlinuz"
	cp "$part/initrd.cpio.gz" "$root/boot/initrd"
	: >"$part/boot"
	cp "$top/board/$board/grub.cfg" "$part/fat/"
	# shellcheck disable=SC2016
	echo 'configfile (hd0,msdos1)/grub.cfg' >"$part/early.cfg"
	grub-mkimage -O i386-pc -p '(hd0,msdos1)/' -c "$part/early.cfg" -o "$part/grub.img" \
		biosdisk part_msdos fat squash4 xzio linux loadenv test serial terminal normal \
		configfile echo sleep reboot
	cp /usr/lib/grub/i386-pc/boot.img "$part/mbr.img"
	;;
u-boot)
	"$common/setup.sh" u-boot-tools device-tree-compiler
	cp "$built/vmlinux" "$part/kernel"
	cp "$top/board/$board/boot.its" "$part/"
	(cd "$part" && SOURCE_DATE_EPOCH=$epoch mkimage -f boot.its boot >/dev/null)
	SOURCE_DATE_EPOCH=$epoch mkimage -A "$BOOT_ARCH" -T script -C none -d \
		"$top/board/$board/boot.cmd" "$part/fat/boot.scr" >/dev/null
	;;
esac
make_squashfs

# ---- the update

size_and_sum() {
	echo "$(wc -c <"$1") $(sha256sum <"$1" | cut -d ' ' -f 1)"
}
fill_up() {
	truncate -s "%$block" "$1"
}
{
	echo "nutlet-image 1"
	echo "board $board"
	echo "version $version-$commit"
	echo "root $(size_and_sum "$part/root.squashfs")"
	echo "boot $(size_and_sum "$part/boot")"
} >"$part/header"
echo "header $(sha256sum <"$part/header" | cut -d ' ' -f 1)" >>"$part/header"
fill_up "$part/header"
cp "$part/root.squashfs" "$part/slot"
fill_up "$part/root.squashfs"
fill_up "$part/boot"
cat "$part/header" "$part/root.squashfs" "$part/boot" >"$part/update"

# ---- the disk

fits() { # FILE MIB
	[ "$(wc -c <"$1")" -le $(($2 << 20)) ] || {
		echo "disk-image.sh: ${1##*/} has $(wc -c <"$1") bytes, and room for $2 MiB" >&2
		exit 1
	}
}
fits "$part/slot" 16
fits "$part/boot" 16
truncate -s 16M "$part/slot"
cat "$part/boot" >>"$part/slot"
{
	printf '# GRUB Environment Block\nactive=A\ntry=\n'
	head -c 1024 /dev/zero | tr '\0' '#'
} | head -c 1024 >"$part/fat/slots"
truncate -s 16M "$part/data"
E2FSPROGS_FAKE_TIME=$epoch mke2fs -q -t ext4 -U 6e75746c-6574-4000-8000-646174610000 \
	-E hash_seed=6e75746c-6574-4000-8000-646174610001,lazy_itable_init=0,root_owner=0:0 \
	-L data "$part/data"
cat >"$part/genimage.cfg" <<END
image fat.img {
	# 3 sectors reserved, 6 of the FAT, 7 of the root: the first file is in sector 16
	vfat {
		extraargs = "--invariant -n BOOT -F 12 -a -f 1 -R 3 -r 112 -s 1"
		files = { "slots", $(cd "$part/fat" && echo boot.* grub.* | tr ' ' '\n' | grep -v '[*]') }
	}
	size = 1M
}
image disk.img {
	hdimage { partition-table-type = "mbr" disk-signature = 0x6e75746c align = 1M }
$([ "$BOOT" != grub ] || cat <<END2
	partition mbr { in-partition-table = "no" image = "mbr.img" offset = 0 size = 440 }
	partition grub { in-partition-table = "no" image = "grub.img" offset = 512 }
END2
)
	partition boot { partition-type = 0xc image = "fat.img" offset = 1M size = 1M bootable = "yes" }
	partition a { partition-type = 0x83 image = "slot" offset = 2M size = 32M }
	partition b { partition-type = 0x83 image = "slot" offset = 34M size = 32M }
	partition data { partition-type = 0x83 image = "data" offset = 66M size = 16M }
}
END
[ "$BOOT" != grub ] || truncate -s 440 "$part/mbr.img"
find "$part/fat" -exec touch -d "@$epoch" {} +
cp "$part"/fat/* "$part/"
SOURCE_DATE_EPOCH=$epoch genimage --loglevel 1 --config "$part/genimage.cfg" --rootpath "$part/fat" \
	--inputpath "$part" --outputpath "$part" --tmppath "$part/tmp"

dd if="$part/disk.img" bs=$block skip=258 count=1 2>/dev/null |
	head -n 1 | grep -q '^# GRUB Environment Block$' || {
	echo "disk-image.sh: the state of the slots is not where nutlet-flash looks for it" >&2
	exit 1
}

mv "$part/update" "$out/nutlet-$board.img"
mv "$part/disk.img" "$out/disk.img"
rm -rf "$part"
for file in "nutlet-$board.img" disk.img; do
	printf '%9d bytes  %s\n' "$(wc -c <"$out/$file")" "$file"
done
