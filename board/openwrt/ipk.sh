#!/bin/sh
# SPDX-License-Identifier: ISC
# ipk.sh ROOT CONTROL OUT.ipk - packs a folder of files and one with control, conffiles as opkg
# takes them.
#
# Promises: the same input gives the same bytes; OUT is there as a whole or not at all.
set -eu

root=$1 control=$2 out=$3
part=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$part"' EXIT

# no names of this machine's users, no times
pack() { # FOLDER OUT NAME...
	folder=$1 to=$2
	shift 2
	tar --format=gnu --numeric-owner --owner=0 --group=0 --sort=name --mtime=@0 -C "$folder" \
		-cf - "$@" | gzip -9n >"$to"
}

# What opkg runs: OpenWrt's own steps make the user, run uci-defaults, enable and start.
script() { # NAME FUNCTION
	cat >"$part/control/$1" <<-END
		#!/bin/sh
		[ "\${IPKG_NO_SCRIPT:-}" = 1 ] && exit 0
		[ -s "\${IPKG_INSTROOT:-}/lib/functions.sh" ] || exit 0
		. "\${IPKG_INSTROOT:-}/lib/functions.sh"
		$2 "\$0" "\$@"
	END
	chmod 755 "$part/control/$1"
}

cp -R "$control" "$part/control"
size=$(find "$root" -type f -exec stat -c %s {} + | awk '{ sum += $1 } END { print sum }')
sed -i "s/^Architecture: .*/&\nInstalled-Size: $size/" "$part/control/control"
script postinst default_postinst
script prerm default_prerm
echo 2.0 >"$part/debian-binary"
pack "$root" "$part/data.tar.gz" .
pack "$part/control" "$part/control.tar.gz" .
pack "$part" "$part/ipk" ./debian-binary ./data.tar.gz ./control.tar.gz
mv "$part/ipk" "$out"
