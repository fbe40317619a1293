#!/bin/sh
# busybox.sh ARCH - builds build/busybox/ARCH/busybox, static, with ARCH's uClibc toolchain.
#
# Promises: the source is Debian's with Debian's patches; every option of busybox.config
# is in the result, or the build fails and names the ones that are not. The file appears
# when it is done. busybox.links beside it lists its applets' places, one a line.
set -eu

arch=$1
common=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$common/../.." && pwd)
suite=bookworm

# shellcheck disable=SC1090,SC1091
. "$common/arch/$arch.conf"
toolchain=$top/build/toolchain/$arch
out=$top/build/busybox/$arch
part=$top/build/busybox/.$arch.part
source=$part/source

"$common/setup.sh" make gcc libc6-dev dpkg-dev
dsc=$("$common/apt.sh" $suite source busybox "$top/build/download")
echo "busybox from ${dsc##*/} of $suite"
rm -rf "$part"
mkdir -p "$part" "$out"
# apt checked the files against the signed list; dpkg-source would ask for its own keyring.
dpkg-source --no-check -x "$dsc" "$source"

# An environment of our own: CC, CFLAGS or ARCH of the caller's make would leak in.
# The build date goes into the binary: give it one that depends on the source alone.
make_busybox() {
	env -i PATH="$PATH" LC_ALL=C KCONFIG_NOTIMESTAMP=1 "SOURCE_DATE_EPOCH=$epoch" \
		make -C "$source" -j"$(nproc)" V=1 "ARCH=$BUSYBOX_ARCH" "CC=$toolchain/cc" \
		"AR=$TRIPLET-ar" "NM=$TRIPLET-nm" "LD=$TRIPLET-ld" "STRIP=$TRIPLET-strip" \
		"OBJCOPY=$TRIPLET-objcopy" "OBJDUMP=$TRIPLET-objdump" "$@"
}
epoch=$(dpkg-parsechangelog -l "$source/debian/changelog" -S Timestamp)

# busybox knows no KCONFIG_ALLCONFIG: nothing first, then the wanted lines take the place
# of the "is not set" ones, and oldconfig settles what depends on them.
sed 's/^#.*//' "$common/busybox.config" | tr -s '[:blank:]' '\n' |
	awk 'NF { print "CONFIG_" (/=/ ? $0 : $0 "=y") }' >"$part/wanted"
make_busybox allnoconfig
awk -F '[ =]' 'FNR == NR { wanted[$1] = 1; print; next }
	!((/^#/ ? $2 : $1) in wanted)' "$part/wanted" "$source/.config" >"$part/config"
mv "$part/config" "$source/.config"
yes '' | make_busybox oldconfig
"$common/config-check.sh" "$part/wanted" "$source/.config"
make_busybox busybox busybox.links

echo "${dsc##*/}" >"$out/package" # for sbom.py
mv "$source/busybox.links" "$out/busybox.links"
mv "$source/busybox" "$out/busybox"
rm -rf "$part"
ls -l "$out/busybox"
