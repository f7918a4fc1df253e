#!/bin/bash
# run.sh TARGET... - runs fuzz targets that are built, SECS seconds of processor
# time each, or with 0 once over the corpus in the tree; usually by make fuzz.  A
# finding is a file in $B/found/TARGET and fails the run.
set -u
B=${B:-build/fuzz} SECS=${SECS:-60} passed=0 failed=0
ticks=$(getconf CLK_TCK)
# memory that was freed comes back after a run or two: fewer fresh pages
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=16}

# cpu PID: seconds it has used
cpu()
{
	local s
	s=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) || return 1
	# shellcheck disable=SC2086 # fields
	set -- $s
	echo $(((${12} + ${13}) / ticks))
}

# until TARGET PID: asks it to end when it has had its time
until_spent()
{
	local used shown=$SECONDS
	[ "$SECS" != 0 ] || return
	while used=$(cpu "$2") && kill -0 "$2" 2>/dev/null; do
		[ "$used" -lt "$SECS" ] || { kill -USR1 "$2" 2>/dev/null; return; }
		[ $((SECONDS - shown)) -lt 30 ] || {
			shown=$SECONDS
			[ ! -t 1 ] || printf '\r%-8s%d of %d s ' "$1" "$used" "$SECS"
		}
		sleep 0.2
	done
}

for t in "$@"; do
	seeds=tests/fuzz/corpus/$t
	corpus=$B/corpus/$t found=$B/found/$t
	mkdir -p "$corpus" "$found"
	# the weights of inputs cost as much as the runs of a large target
	[ "$t" = core ] && how=-entropic=0 || how=-entropic=1
	set -- "-max_total_time=$((SECS * 50))" "$corpus" "$seeds"
	[ "$SECS" != 0 ] || set -- -runs=0 "$seeds"
	"$B/fuzz-$t" $how -timeout=10 -rss_limit_mb=1024 -max_len=4096 \
		-print_final_stats=1 -artifact_prefix="$found/" "$@" \
		>"$B/$t.log" 2>&1 &
	pid=$!
	trap 'kill $pid 2>/dev/null; exit 130' INT TERM HUP
	until_spent "$t" $pid
	wait $pid
	rc=$?
	[ ! -t 1 ] || printf '\r'
	printf '%-8s' "$t"
	if [ $rc = 0 ]; then
		passed=$((passed + 1))
		cov=$(grep -o 'cov: [0-9]*' "$B/$t.log" | tail -1)
		sed -n "s/^stat::number_of_executed_units: *\([0-9]*\)/\1 runs, $cov/p" "$B/$t.log"
	else
		failed=$((failed + 1))
		echo "FAILED, see $B/$t.log"
		grep -m1 -E 'ERROR|must|SUMMARY' "$B/$t.log"
		ls -t "$found" | head -1 | sed "s,^,replay: $B/fuzz-$t $found/,"
	fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
