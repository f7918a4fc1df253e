#!/bin/bash
# run.sh [NAME...] - attacks on live connections, and what came of them
#
# tests/threats/tNAME.sh is one threat.  Each is first carried out against plain
# Multipath TCP, ours and the kernel's, where it must succeed (control), and then
# against two of our stacks as they are by default.  Everything is in namespaces
# that end with this script.  A control that does not succeed, or cannot run, is
# a failure, as is a defence that does not hold; what programs and stacks said
# then is in build/threats.  J=4 threats at a time.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/enter.sh
[ -n "${CHECK_NO_NET:-}" ] || enter_again tests/threats/run.sh "$@" ||
	CHECK_NO_NET=$enter_why
export B=${B:-build}
J=${J:-4}
out=$B/threats
mkdir -p "$out"

title()
{
	sed -n '2,/^[^#]/s/^# \{0,1\}//p' "tests/threats/t$1.sh"
}

# one NAME: its rows to a file; a script that fails leaves a row that says so
one()
{
	local rows=$out/$1.rows log=$out/$1.log rc
	rm -f "$rows"
	E2E_NAME=threats-$1 THREAT_ROWS=$rows timeout -k 20 "${THREAT_TIMEOUT:-100}" \
		bash "tests/threats/t$1.sh" >"$log" 2>&1 </dev/null &
	trap 'kill -TERM $!; wait $!; exit 130' TERM
	wait $!
	rc=$?
	trap - TERM
	[ $rc = 0 ] || printf 'T%s\tscript\tFAILED\texit %d: %s\n' "$1" $rc "$(tail -n 1 "$log")" >>"$rows"
	[ -s "$rows" ] || printf 'T%s\tscript\tFAILED\tsaid nothing\n' "$1" >"$rows"
}

# table NAME...: who, what came of it, and the evidence
table()
{
	local name who verdict text
	for name; do
		echo
		title "$name"
		while IFS=$'\t' read -r _ who verdict text; do
			printf '  %-28s %-6s  ' "$who" "$verdict"
			fold -s -w 76 <<<"$text" | sed 's/ *$//; 2,$s/^/                                       /'
		done <"$out/$name.rows"
	done
}

names()
{
	local f
	for f in tests/threats/t[0-9]*.sh; do
		f=${f##*/t}
		echo "${f%.sh}"
	done
}

interrupted()
{
	trap '' INT TERM HUP
	# shellcheck disable=SC2046
	kill -TERM $(jobs -p) 2>/dev/null
	wait
	exit 130
}

if [ -n "${CHECK_NO_NET:-}" ]; then
	echo "SKIP threats: $CHECK_NO_NET"
	echo "threats: 0 passed, 0 failed, 1 skipped"
	exit 1
fi
trap interrupted INT TERM HUP
# shellcheck disable=SC2046 # names have no spaces
[ $# -gt 0 ] || set -- $(names)
# the long ones first
for name in $(printf '%s\n' "$@" | sort -r); do
	while [ "$(jobs -pr | wc -l)" -ge "$J" ]; do
		wait -n
	done
	one "$name" &
done
wait
table "$@"
rows=$(for name; do cat "$out/$name.rows"; done)
failed=$(cut -f 3 <<<"$rows" | grep -cx FAILED)
passed=$(cut -f 3 <<<"$rows" | grep -cxE 'fell|held')
echo
echo "fell: the attack succeeded, as a control must; held: it did not"
echo "threats: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
