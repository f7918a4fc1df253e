#!/bin/bash
# run.sh [NAME...] - end-to-end tests, each in network namespaces of its own
#
# tests/e2e/t_NAME.sh is one test; exit 0 passed, 77 could not run here (it says
# why), anything else failed.  STRICT=1: could not run is failed.
set -u
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0 skipped=0
want="$*"
[ -n "$want" ] || want=$(for f in tests/e2e/t_*.sh; do f=${f##*/t_}; echo "${f%.sh}"; done)
mkdir -p build/e2e
for name in $want; do
	log=build/e2e/$name.log
	t0=$(date +%s%N)
	timeout "${E2E_TIMEOUT:-120}" bash "tests/e2e/t_$name.sh" >"$log" 2>&1
	rc=$?
	secs=$(awk -v a="$t0" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }')
	case $rc in
	0) printf '%-32s passed  %5s s\n' "$name" "$secs"; passed=$((passed + 1)) ;;
	77) printf '%-32s skipped: %s\n' "$name" "$(tail -1 "$log")"; skipped=$((skipped + 1)) ;;
	*) printf '%-32s FAILED (exit %d, %s s); %s:\n' "$name" $rc "$secs" "$log"
		tail -25 "$log"; failed=$((failed + 1)) ;;
	esac
done
echo "e2e: $passed passed, $failed failed, $skipped skipped"
[ "${STRICT:-0}" != 1 ] || failed=$((failed + skipped))
[ $failed = 0 ]
