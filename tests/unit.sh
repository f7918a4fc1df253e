#!/bin/bash
# unit.sh PROGRAM... - runs cmocka programs, one after the other, and counts
#
# A test that skips says so by cmocka's own SKIPPED; STRICT=1 makes it fail.
set -u
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0
# some tests hold a table's worth of sockets
n=$(ulimit -Hn)
[ "$n" != unlimited ] && [ "$n" -lt 20000 ] || n=20000
ulimit -n "$n"

# what a program printed before it skipped
why()
{
	grep -B1 -m1 '^\[  SKIPPED' "$1" | grep -v '^\[' | tr -d ',&' | grep . || echo "not possible here"
}

for t in "$@"; do
	timeout 300 "$t" >"$log" 2>&1
	rc=$?
	p=$(grep -c '^\[       OK \]' "$log")
	f=$(grep '^\[  FAILED  \] [a-z_0-9]*$' "$log" | sort -u | wc -l)
	s=$(grep '^\[  SKIPPED \] [a-z_0-9]*$' "$log" | sort -u | wc -l)
	[ $rc = 0 ] || { [ "$f" -gt 0 ] || f=1; }
	[ "$s" = 0 ] || [ "${STRICT:-0}" != 1 ] || f=$((f + s))
	sed -nE "s,^\[  SKIPPED \] ([a-z_0-9]+)\$,SKIP unit ${t#*unit/} \1: $(why "$log"),p" "$log" | sort -u
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-44s %3d passed' "${t#*unit/}" "$p"
	[ "$s" = 0 ] || printf ', %d skipped' "$s"
	if [ "$f" != 0 ]; then
		printf ', %d FAILED (exit %d)\n' "$f" $rc
		tail -40 "$log"
	else
		echo
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
