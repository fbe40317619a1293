#!/bin/sh
# The folders of src/ are an architecture, and stay one:  architecture.sh compiler and flags
#
# Which folder may include which, that the core asks libc for nothing but memory and text, and that
# no format asks for more than the snprintf() of static builds can.
cd "$(dirname "$0")/../.." || exit 1
failed=0

complain() {
	echo "architecture: $*" >&2
	failed=1
}

# folder: the folders that it may include, beside options.h
may_include() {
	case $1 in
	base) echo base ;;
	libc) echo libc ;;
	core) echo core ;;
	identity) echo base identity ;;
	tls) echo base core tls ;;
	monitor) echo base core tls monitor ;;
	guard) echo base core identity guard ;;
	upgrade) echo base core identity guard upgrade ;;
	command) echo base core identity guard upgrade command ;;
	*) complain "src/$1 is a folder without a rule" ;;
	esac
}

# The one door between two halves each: starting a monitor, what it gets of the files of TLS
# and a child's trial of them, and the guard's way to an upgrade.
is_door() {
	case "$1 $2" in
	"guard/monitor_start.h monitor/monitor.h" | "guard/cert_files.h tls/tls.h" | "guard/guard.c upgrade/"*) true ;;
	*) false ;;
	esac
}

for file in src/*/*.[ch]; do
	from=${file#src/}
	allowed=" $(may_include "${from%%/*}") "
	for to in $(sed -n 's/^#include "\(.*\)"$/\1/p' "$file"); do
		case $allowed in
		*" ${to%%/*} "*) ;;
		*) [ "$to" = options.h ] || is_door "$from" "$to" ||
			complain "$file includes $to; src/${from%%/*} may include:$allowed" ;;
		esac
	done
done

# What libc/format.c cannot write; %n and %e by themselves are places in our own messages.
grep -nE '%[-0-9.*]*[hljzt]*[aAEfFgGoSCm]\b|%[-0-9.*hljzt]+[en]\b|%[-0]*[+#]' src/*/*.c &&
	complain "libc/format.c has no such conversion"

# The core's object files are linked into one: what remains undefined comes from outside.
objects=$(mktemp -d) || exit 1
trap 'rm -rf "$objects"' EXIT
for file in src/core/*.c; do
	"$@" -O1 -fno-pie -c -o "$objects/$(basename "$file" .c).o" "$file" || exit 1
done
ld -r -o "$objects/core" "$objects"/*.o || exit 1
for name in $(nm -u "$objects/core" | sed 's/.* //'); do
	case $name in
	strdup | strndup | strtok* | strerror* | strsignal) complain "the core calls $name" ;;
	mem*|str*|snprintf|vsnprintf|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_) ;;
	*) complain "the core calls $name" ;;
	esac
done
# a table of constants is no state
for name in $(nm "$objects/core" | awk '$2 ~ /^[bBdDC]$/ { print $3 }'); do
	complain "the core has a global variable: $name"
done
exit $failed
