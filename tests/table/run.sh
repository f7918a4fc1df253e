#!/bin/bash
# run.sh [NAME..] - makes the scripts of the tables and runs them, all or those
# whose names begin so; they stay in build/table
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
[ $# -gt 0 ] || set -- ''
tests/table/gen.py "$B/table" || exit 1
find "$B/table" -name '*.pkt' | sort >"$B/table/list"
for t in "$@"; do
	grep "/table/$t" "$B/table/list"
done >"$B/table/wanted"
xargs -n 400 "$B/pkt-run" -m <"$B/table/wanted" >"$B/table/log" 2>&1
awk -v list="$B/table/wanted" '
	/ passed, .* failed$/ { p += $1; f += $3; next }
	lines++ < 200
	END {
		while ((getline line < list) > 0) { n++ }
		if (p + f != n) { print n - p - f " did not run"; f += n - p - f }
		print p + 0 " passed, " f + 0 " failed"
		exit f > 0 || p == 0
	}' "$B/table/log"
