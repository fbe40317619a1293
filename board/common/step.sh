#!/bin/sh
# step.sh NAME WHAT COMMAND... - runs one long step of a build, with its output in a log.
#
# Promises: one line at the start, a sign of life while it runs (rewritten in place on
# a terminal, else a line every 20 s), one line with the seconds at the end. When COMMAND
# fails: the log's last 20 lines, where the rest is, and COMMAND's exit code.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
name=$1 what=$2
shift 2
log=build/log/$name.log
mkdir -p "$top/build/log"
start=$(date +%s)
if [ -t 1 ]; then rewind=$(printf '\r\033[K') every=1; else rewind='' every=20; fi

seconds() { echo $(($(date +%s) - start)); }

ticker() {
	# Ends by itself should this shell be killed without a chance to end it.
	while sleep "$every" && kill -0 $$ 2>/dev/null; do
		lines=$(wc -l <"$top/$log")
		if [ -n "$rewind" ]; then
			printf '%s[%s] %s s, %s lines of log' "$rewind" "$name" "$(seconds)" "$lines"
		else
			echo "[$name] still at it: $(seconds) s, $lines lines of log"
		fi
	done
}

echo "[$name] $what, log: $log"
: >"$top/$log"
# The ticker goes to the background and the command stays in front, so that an
# interrupt from the keyboard reaches the command, which a shell shields its
# background jobs from.
ticker &
ticker=$!
trap 'kill $ticker 2>/dev/null || true' EXIT

code=0
"$@" >"$top/$log" 2>&1 </dev/null || code=$?
kill $ticker 2>/dev/null || true
wait $ticker 2>/dev/null || true

if [ $code -ne 0 ]; then
	echo "${rewind}[$name] FAILED with code $code after $(seconds) s; the end of $log:"
	tail -n 20 "$top/$log" | sed 's/^/    /'
	exit $code
fi >&2
echo "${rewind}[$name] done in $(seconds) s"
