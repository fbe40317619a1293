#!/bin/sh
# Each feature of options.h left out by itself compiles without a warning: features.sh compiler and flags
#
# All of them left out at once is built and run by tests/system/test_minimal.py.
cd "$(dirname "$0")/../.." || exit 1
features=$(sed -n 's/^#define \(WITH_[A-Z0-9]*\) .*/\1/p' src/options.h)
[ -n "$features" ] || { echo "features.sh: options.h has no feature" >&2; exit 1; }
for feature in $features; do
	make -s -n "${feature#WITH_}=no" all >/dev/null ||
		{ echo "features.sh: make does not know ${feature#WITH_}=no" >&2; exit 1; }
	for file in $(grep -l "$feature" src/*/*.[ch]); do
		# a header by itself; not -fsyntax-only, which does not see what is unused
		"$@" -O1 -S -o /dev/null -x c "-D$feature=0" "$file" || exit 1
	done
done
