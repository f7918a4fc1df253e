#!/bin/bash
# run.sh [NAME...] - end-to-end tests, each in network namespaces of its own
#
# tests/e2e/t_NAME.sh is one test; exit 0 passed, 77 could not run here (its
# last line says why), anything else failed.  STRICT=1: could not run is failed.
# NAME.6 is NAME over IPv6.  J=2 run at a time, in namespaces that end with them; `bash tests/e2e/t_NAME.sh`
# runs one outside.  Small files of one that failed are in build/e2e/NAME.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/enter.sh
[ -n "${CHECK_NO_NET:-}" ] || enter_again tests/e2e/run.sh "$@" ||
	CHECK_NO_NET=$enter_why
export B=${B:-build}
J=${J:-2}
out=build/e2e
results=$out/results
mkdir -p $out
: >$results

# the one that takes as long as five others first, so that it is not alone at
# the end
all()
{
	local f
	echo witness
	for f in tests/e2e/t_*.sh; do
		grep -q '^# also over IPv6' "$f" && set -- "$f" .6 || set -- "$f" ''
		f=${f##*/t_}
		[ "$f" != witness.sh ] || continue
		echo "${f%.sh}"
		[ -z "$2" ] || echo "${f%.sh}$2"
	done
}

# one NAME: its line, with what it said when it failed, to $results and stdout
one()
{
	local name=$1 log=$out/$1.log rc secs t0 family=4
	[ "${name%.6}" = "$name" ] || family=6
	t0=$(date +%s%N)
	if [ -n "${CHECK_NO_NET:-}" ]; then
		echo "$CHECK_NO_NET" >"$log"
		rc=77
	else
		E2E_NAME=$name E2E_FAMILY=$family timeout -k 20 "${E2E_TIMEOUT:-120}" \
			bash "tests/e2e/t_${name%.6}.sh" >"$log" 2>&1 </dev/null &
		trap 'kill -TERM $!; wait $!; exit 130' TERM
		wait $!
		rc=$?
		trap - TERM
	fi
	secs=$(awk -v a="$t0" -v b="$(date +%s%N)" 'BEGIN { printf "%.1f", (b - a) / 1e9 }')
	case $rc in
	0) printf '%-32s passed  %5s s\n' "$name" "$secs" ;;
	77) printf 'SKIP e2e %s: %s\n' "$name" "$(tail -1 "$log")" ;;
	*) printf '%-32s FAILED (exit %d, %s s); %s:\n%s\n' "$name" $rc "$secs" \
		"$log" "$(tail -25 "$log")" ;;
	esac >"$log.line"
	cat "$log.line" >>$results
	cat "$log.line"
	rm -f "$log.line"
}

interrupted()
{
	trap '' INT TERM HUP
	# shellcheck disable=SC2046
	kill -TERM $(jobs -p) 2>/dev/null
	for n in $(seq 50); do
		[ -n "$(jobs -pr)" ] || break
		sleep 0.1
	done
	exit 130
}

trap interrupted INT TERM HUP
# shellcheck disable=SC2046 # names have no spaces
[ $# -gt 0 ] || set -- $(all)
for name; do
	while [ "$(jobs -pr | wc -l)" -ge "$J" ]; do
		wait -n
	done
	one "$name" &
done
while [ -n "$(jobs -pr)" ]; do
	wait -n
done
passed=$(grep -cE '^[^ ]+ +passed ' $results)
failed=$(grep -cE '^[^ ]+ +FAILED ' $results)
skipped=$(grep -c '^SKIP ' $results)
echo "e2e: $passed passed, $failed failed, $skipped skipped"
[ "${STRICT:-0}" != 1 ] || failed=$((failed + skipped))
[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
