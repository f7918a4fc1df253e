#!/bin/bash
# unit.sh PROGRAM... - runs cmocka programs, one after the other, and counts
#
# A program that skips says so by cmocka's own SKIPPED; STRICT=1 makes it fail.
set -u
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0
for t in "$@"; do
	timeout 300 "$t" >"$log" 2>&1
	rc=$?
	p=$(grep -c '^\[       OK \]' "$log")
	f=$(grep -c '^\[  FAILED  \] [a-z_0-9]*$' "$log")
	s=$(grep -c '^\[  SKIPPED \] [a-z_0-9]*$' "$log")
	[ $rc = 0 ] || { [ "$f" -gt 0 ] || f=1; }
	[ "$s" = 0 ] || [ "${STRICT:-0}" != 1 ] || f=$((f + s))
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
[ $failed = 0 ] && [ $passed -gt 0 ]
