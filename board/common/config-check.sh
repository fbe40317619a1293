#!/bin/sh
# config-check.sh WANTED RESULT - checks that a kconfig kept every option that was asked for.
#
# Promises: exits 1 and names each line of WANTED (NAME=value) that RESULT does not have,
# because a kconfig drops what it does not know, or what a dependency forbids, in silence.
set -eu

awk '
	/^#/ || !/=/ { if (FNR == NR || !/ is not set$/) next }
	FNR == NR { wanted[$0] = 1; next }
	/ is not set$/ { $0 = $2 "=n" }
	{ sub(/^CONFIG_/, ""); have[$0] = 1; name[substr($0, 1, index($0, "=") - 1)] = 1 }
	END {
		for (line in wanted) {
			key = line; sub(/^CONFIG_/, "", key)
			# An option that is off because what it belongs to is off does not appear.
			off = key ~ /=n$/ && !(substr(key, 1, length(key) - 2) in name)
			if (!(key in have) && !off) { print "did not stick: " line; bad = 1 }
		}
		exit bad
	}' "$1" "$2" >&2
