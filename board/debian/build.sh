#!/bin/sh
# build.sh ARCH - builds the Debian package of one architecture: build/deb/nutlet_*_ARCH.deb
#
# Promises: builds a copy of the sources, with this machine's own compiler or with Debian's cross
# compiler. Two builds of the same sources are the same, byte for byte. DEB_VERSION is the
# version; it is NUTLET_VERSION of src/options.h if not set.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
arch=$1
out=$top/build/deb
work=$out/work/$arch

version=${DEB_VERSION:-$(sed -n 's/^#define NUTLET_VERSION "\(.*\)"$/\1/p' "$top/src/options.h")}
[ -n "$version" ] || { echo "build.sh: no NUTLET_VERSION in src/options.h" >&2; exit 1; }

# The time that goes into the package: of the last commit, else of the change log.
: "${SOURCE_DATE_EPOCH:=$(git -C "$top" log -1 --format=%ct 2>/dev/null ||
	stat -c %Y "$top/CHANGES.md")}"
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC

tree=$work/nutlet-$version
rm -rf "$work"
mkdir -p "$tree"
(cd "$top" && tar -cf - Makefile LICENSE README.md CHANGES.md src board rootfs-overlay) |
	tar -xf - -C "$tree"
cp -R "$top/board/debian/debian" "$tree/debian"

maintainer=$(sed -n 's/^Maintainer: //p' "$tree/debian/control")
cat >"$tree/debian/changelog" <<END
nutlet ($version) unstable; urgency=medium

  * CHANGES.md.gz beside this file says what is new.

 -- $maintainer  $(date -R -d "@$SOURCE_DATE_EPOCH")
END

# -d: setup.sh has installed what Build-Depends names, and the cross compilers, which it does not.
cd "$tree"
DEB_BUILD_OPTIONS="nocheck noautodbgsym${DEB_BUILD_OPTIONS:+ $DEB_BUILD_OPTIONS}" \
	dpkg-buildpackage --host-arch "$arch" -b -d -us -uc
# the only one, so that nutlet_*_ARCH.deb is its name
rm -f "$out/nutlet_"*"_$arch.deb"
mv "$work/nutlet_${version}_$arch.deb" "$out/"
rm -rf "$work"
