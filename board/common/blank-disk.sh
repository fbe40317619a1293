#!/bin/sh
# blank-disk.sh FILE - makes a disk for a board that runs from memory: 16 MiB of ext4.
set -eu

truncate -s 16M "$1.part"
mke2fs -q -t ext4 "$1.part"
mv "$1.part" "$1"
