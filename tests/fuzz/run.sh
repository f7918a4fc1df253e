#!/bin/bash
# run.sh TARGET... - runs fuzz targets that are built, SECS seconds each; usually
# by make fuzz.  A finding is a file in $B/found/TARGET and fails the run.
set -u
B=${B:-build/fuzz} SECS=${SECS:-60} passed=0 failed=0

for t in "$@"; do
	seeds=tests/fuzz/corpus/$t
	corpus=$B/corpus/$t found=$B/found/$t
	mkdir -p "$corpus" "$found"
	printf '%-8s' "$t"
	if "$B/fuzz-$t" -max_total_time="$SECS" -timeout=10 -rss_limit_mb=1024 \
		-max_len=4096 -print_final_stats=1 -artifact_prefix="$found/" \
		"$corpus" "$seeds" >"$B/$t.log" 2>&1; then
		passed=$((passed + 1))
		sed -n 's/^#\([0-9]*\)[[:space:]]*DONE *\(cov: [0-9]*\).*/\1 runs, \2/p' "$B/$t.log"
	else
		failed=$((failed + 1))
		echo "FAILED, see $B/$t.log"
		grep -m1 -E 'ERROR|must|SUMMARY' "$B/$t.log"
		ls -t "$found" | head -1 | sed "s,^,replay: $B/fuzz-$t $found/,"
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
