#!/bin/sh
# pack.sh TREE OUT EPOCH - packs a tree into an archive that the kernel unpacks into memory.
#
# Promises: all is owned by 0:0 and of the time EPOCH, names are sorted: the same tree gives
# the same bytes. OUT appears when it is complete.
set -eu

out=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
cd "$1"
find . -exec touch -h -d "@$3" {} +
find . -print0 | LC_ALL=C sort -z |
	cpio --quiet -0 -o -H newc --reproducible --owner 0:0 | gzip -9n >"$out.part"
mv "$out.part" "$out"
