#!/bin/sh
# disk.sh FILE - makes the blank flash of the board: 8 MiB in erase blocks of 64 KiB.
#
# Promises: what flash_erase -j leaves behind: all ones, and JFFS2's clean marker at the
# start of each block. Without the markers JFFS2 erases every block again after the first
# mount, and an unmount in that time fills the console with "erase failed".
set -eu

# A JFFS2 node header, little-endian: magic 1985, type 2003, length 12, their CRC.
marker='\205\031\003\040\014\000\000\000\261\260\036\344'
block=0
while [ $block -lt 128 ]; do
	# shellcheck disable=SC2059
	printf "$marker"
	head -c 65524 /dev/zero | LC_ALL=C tr '\0' '\377'
	block=$((block + 1))
done >"$1.part"
mv "$1.part" "$1"
