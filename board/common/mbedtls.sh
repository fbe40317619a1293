#!/bin/sh
# mbedtls.sh ARCH        - builds build/mbedtls/ARCH/: libmbedtls.a, and include/ beside it
# mbedtls.sh ARCH-tls12  - the same, which knows TLS 1.2 only
#
# and for tests, with this machine's gcc:
# mbedtls.sh test-default - the library's own configuration, as distributions share it
# mbedtls.sh test-pool    - ours, with a pool that knows its peak
# mbedtls.sh test-asan    - ours, without the pool, under ASan and UBSan
#
# Promises: the source is Debian's; the options are those of src/tls/mbedtls_config.h, and
# nothing else of the library is compiled in. One archive holds all of it. The folder
# appears when all of it is done.
set -eu

name=$1
common=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$common/../.." && pwd)
# The one place that names the suite: 3.6, which is supported for long.
suite=forky

tools=$top/build/toolchain/${name%-tls12}/
case $name in *-tls12) tls13=0 ;; *) tls13=1 ;; esac
set -- '-DMBEDTLS_CONFIG_FILE="tls/mbedtls_config.h"' "-DNUTLET_TLS13=$tls13"
case $name in
test-default) set -- -O2 ;;
test-pool) set -- "$@" -O1 -g -DMBEDTLS_MEMORY_DEBUG ;;
test-asan) set -- "$@" -O1 -g -DNUTLET_TLS_POOL=0 -fsanitize=address,undefined ;;
# as the daemon itself: see SMALL in the Makefile
*) set -- "$@" -Os -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables \
	-fno-unwind-tables -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 ;;
esac
case $name in
test-*) cc=gcc ar=ar ;;
*) cc=${tools}cc ar=${tools}ar ;;
esac
out=$top/build/mbedtls/$name
part=$top/build/mbedtls/.$name.part

"$common/setup.sh" dpkg-dev
dsc=$("$common/apt.sh" $suite source mbedtls "$top/build/download")
echo "mbedTLS from ${dsc##*/} of $suite"
rm -rf "$part" "$out"
mkdir -p "$part/objects" "$part/result"
# apt checked the files against the signed list; dpkg-source would ask for its own keyring.
dpkg-source --no-check -x "$dsc" "$part/source"

(cd "$part/objects" && printf '%s\n' "$part"/source/library/*.c | xargs -P "$(nproc)" -n 16 \
	"$cc" -c "$@" "-I$top/src" "-I$part/source/include" "-I$part/source/library")
"$ar" rcs "$part/result/libmbedtls.a" "$part"/objects/*.o
cp -R "$part/source/include" "$part/result/include"
mv "$part/result" "$out"
rm -rf "$part"
