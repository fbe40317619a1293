#!/bin/sh
# No static build is larger than its line in size-budget:  size.sh build-directory
#
# Whoever needs more bytes raises the line in the same commit, and says what for.
cd "$(dirname "$0")/../.." || exit 1
failed=0
while read -r name budget; do
	case $name in "#"* | "") continue ;; esac
	file=$1/$name/upsmon
	[ -f "$file" ] || continue
	size=$(stat -c %s "$file")
	if [ "$size" -gt "$budget" ]; then
		echo "size: $file has $size bytes, $((size - budget)) more than tests/lint/size-budget grants" >&2
		failed=1
	fi
done <tests/lint/size-budget
exit $failed
