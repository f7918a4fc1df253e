#!/bin/bash
# small.sh - what has a long run of its own, once in small, so that it does not
# rot: fuzz targets over the corpus in the tree (make fuzz), the core's figures
# (make bench), whether every bug can still be planted (make mutants)
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
passed=0 failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

is_right() { passed=$((passed + 1)); }

is_wrong()
{
	failed=$((failed + 1))
	echo "$*"
	tail -5 "$log"
}

corpus()
{
	local t=$1
	if "$B/replay/$t" "tests/fuzz/corpus/$t"/* >"$log" 2>&1; then
		echo "corpus $t: $(tail -1 "$log")"
	else
		is_wrong "corpus $t: the last file named is one that fails"
	fi
}

# figure PATTERN PROGRAM ARGUMENT...: prints JSON with that in it
figure()
{
	local pattern=$1 program=$2
	shift 2
	if timeout 60 "$B/bench/$program" "$@" >"$log" 2>&1 && grep -qE "$pattern" "$log"; then
		is_right
	else
		is_wrong "bench/$program $*: failed, or without $pattern"
	fi
}

# a plain connection at rest in 4 KiB, and nothing that moves for ten minutes
at_rest()
{
	local octets
	figure '"timers": 0, "packets": 0\}$' idle 64 "$1"
	octets=$(sed -nE 's/.*"accepted": ([0-9]+),.*/\1/p' "$log")
	[ "$1" = plain ] || return
	if [ "${octets:-4097}" -le 4096 ]; then
		is_right
	else
		is_wrong "a connection at rest has ${octets:-?} octets, more than 4,096"
	fi
}

for t in tests/fuzz/fuzz_*.c; do
	t=${t#tests/fuzz/fuzz_}
	corpus "${t%.c}"
done
for mode in plain mptcp sealed; do
	at_rest $mode
done
for mode in plain mptcp sealed fresh; do
	figure '"connections": 32,' turnover 32 $mode
done
figure '"100000": \{.*\}\}$' scale 1000
if tests/mutants/run.sh -n >"$log" 2>&1; then
	is_right
else
	is_wrong "planted bugs that no longer apply (tests/mutants/list.txt)"
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
