#!/bin/sh
# Runs fuzz targets, two at a time:  run.sh directory-of-the-targets minutes-each [target ...]
#
# 0 minutes: only what is in the corpus, which takes a second.  New inputs that reach new code stay
# in build/fuzz/corpus; what fails is in build/fuzz/findings, and the target's line says which.
here=$(cd "$(dirname "$0")" && pwd)
bin=$1 minutes=$2
shift 2
[ $# -gt 0 ] || set -- words conf reply message handover proc policy libc tls
mkdir -p "$bin/findings"
failed=$bin/failed
rm -f "$failed"

one() {
	if [ "$minutes" = 0 ]; then
		set -- "$1" -runs=0
	else
		mkdir -p "$bin/corpus/$1"
		set -- "$1" "-max_total_time=$((minutes * 60))" "$bin/corpus/$1"
	fi
	target=$1
	shift
	"$bin/fuzz_$target" -artifact_prefix="$bin/findings/$target-" -print_final_stats=1 \
		-max_len=1024 -timeout=20 "$@" "$here/corpus/$target" >"$bin/$target.log" 2>&1 || {
		tail -n 40 "$bin/$target.log"
		echo "fuzz: $target has a finding; its log: $bin/$target.log"
		: >"$failed"
		return
	}
	files=$(find "$here/corpus/$target" -type f | wc -l)
	echo "fuzz: $target: $files files of the corpus, $(
		sed -n 's/^stat::number_of_executed_units: *//p' "$bin/$target.log") runs, no finding"
}

while [ $# -gt 0 ]; do
	one "$1" &
	[ $# -eq 1 ] || one "$2"
	wait
	shift
	[ $# -eq 0 ] || shift
done
[ ! -e "$failed" ]
