#!/bin/sh
# mbedtls.sh ARCH        - builds build/mbedtls/ARCH/: libmbedtls.a, and include/ beside it
# mbedtls.sh ARCH-tls12  - the same, which knows TLS 1.2 only
#
# Promises: the source is Debian's; the options are those of src/tls/mbedtls_config.h, and
# nothing else of the library is compiled in. One archive holds all of it. The folder
# appears when all of it is done.
set -eu

name=$1
arch=${name%-tls12}
common=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$common/../.." && pwd)
# The one place that names the suite: 3.6, which is supported for long.
suite=forky

toolchain=$top/build/toolchain/$arch
out=$top/build/mbedtls/$name
part=$top/build/mbedtls/.$name.part

"$common/setup.sh" dpkg-dev
dsc=$("$common/apt.sh" $suite source mbedtls "$top/build/download")
echo "mbedTLS from ${dsc##*/} of $suite"
rm -rf "$part" "$out"
mkdir -p "$part/objects" "$part/result"
# apt checked the files against the signed list; dpkg-source would ask for its own keyring.
dpkg-source --no-check -x "$dsc" "$part/source"

if [ "$name" = "$arch" ]; then tls13=1; else tls13=0; fi
# as the daemon itself: see SMALL in the Makefile
(cd "$part/objects" && printf '%s\n' "$part"/source/library/*.c | xargs -P "$(nproc)" -n 16 \
	"$toolchain/cc" -c -Os -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables \
	-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 "-DNUTLET_TLS13=$tls13" \
	'-DMBEDTLS_CONFIG_FILE="tls/mbedtls_config.h"' "-I$top/src" "-I$part/source/include" \
	"-I$part/source/library")
"$toolchain/ar" rcs "$part/result/libmbedtls.a" "$part"/objects/*.o
cp -R "$part/source/include" "$part/result/include"
mv "$part/result" "$out"
rm -rf "$part"
