#!/bin/sh
# No static build is larger than its line in size-budget:  size.sh build-directory [table]
#
# Whoever needs more bytes raises the line in the same commit, and says what for.  table: shows each
# build that is there, packed as a squashfs packs it, too, and how much it is above what was aimed at.
cd "$(dirname "$0")/../.." || exit 1
failed=0
[ "$2" != table ] || printf '\n| build | bytes | xz | aim | above it |\n|---|---|---|---|---|\n'
while read -r name budget aim; do
	case $name in "#"* | "") continue ;; esac
	file=$1/$name/upsmon
	[ -f "$file" ] || continue
	size=$(stat -c %s "$file")
	[ "$2" != table ] ||
		echo "| $name | $size | $(xz -9e -c "$file" | wc -c) | ${aim:--} | ${aim:+$((size - aim))} |"
	if [ "$size" -gt "$budget" ]; then
		echo "size: $file has $size bytes, $((size - budget)) more than tests/lint/size-budget grants" >&2
		failed=1
	fi
done <tests/lint/size-budget
exit $failed
