#!/bin/sh
# kernel.sh BOARD - fetches the board's kernel: build/BOARD/vmlinux and build/BOARD/modules/,
# and, where board.conf names device trees, build/BOARD/dtb/.
#
# Promises: the kernel is what the board's metapackage stands for in its suite today. The
# modules are those which board.conf names and what they need; modules/list has their
# file names in the order in which insmod takes them, and is written last of all.
set -eu

board=$1
common=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$common/../.." && pwd)

# shellcheck disable=SC1090,SC1091
. "$top/board/$board/board.conf"
out=$top/build/$board
part=$out/.kernel.part

# Twice: the mirror keeps only the newest build of a kernel, and apt.sh notices lists that
# are out of date when the download of what they name fails.
for try in first second; do
	package=$("$common/apt.sh" "$KERNEL_SUITE" "depends:$KERNEL_ARCH" "$KERNEL_PACKAGE" |
		grep '^linux-image-')
	deb=$("$common/apt.sh" "$KERNEL_SUITE" "deb:$KERNEL_ARCH" "$package" \
		"$top/build/download") && break
	[ $try = first ] || exit 1
done
echo "kernel: ${deb##*/} of $KERNEL_SUITE"

rm -rf "$part"
mkdir -p "$part/package" "$part/modules"
dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$part/package" --wildcards \
	'./boot/vmlinuz-*' './lib/modules/*.ko' './lib/modules/*/modules.builtin' \
	${DTBS:+'./usr/lib/linux-image-*.dtb'}

builtin=$(echo "$part"/package/lib/modules/*/modules.builtin)
file_of() { # a module's name has _ where its file's may have -
	find "$part/package/lib/modules" -name "$(echo "$1" | tr '_-' '??').ko"
}
needs() { # the .modinfo section holds NUL-ended strings
	tr '\0' '\n' <"$1" | LC_ALL=C sed -n 's/^depends=//p' | tr ',' ' '
}
add() {
	file=$(file_of "$1")
	if [ -z "$file" ]; then
		if grep -q "/$(echo "$1" | tr '_-' '..')\.ko\$" "$builtin"; then return 0; fi
		echo "kernel.sh: no module $1 in ${deb##*/}" >&2
		exit 1
	fi
	[ ! -f "$part/modules/${file##*/}" ] || return 0
	# What it needs comes first. A subshell each, as sh's variables are global.
	for module in $(needs "$file"); do
		(add "$module")
	done
	cp "$file" "$part/modules/"
	echo "${file##*/}" >>"$part/list"
}
: >"$part/list"
for wanted in $MODULES; do
	(add "$wanted")
done

rm -rf "$out/modules" "$out/dtb"
if [ -n "${DTBS:-}" ]; then
	mkdir "$out/dtb"
	for dtb in $DTBS; do
		mv "$part"/package/usr/lib/linux-image-*/"$dtb.dtb" "$out/dtb/"
	done
fi
mv "$part/package/boot"/vmlinuz-* "$out/vmlinux"
mv "$part/modules" "$out/modules"
echo "${deb##*/}" >"$out/kernel.package" # for sbom.py
touch "$out/vmlinux"
mv "$part/list" "$out/modules/list"
rm -rf "$part"
cat "$out/modules/list"
