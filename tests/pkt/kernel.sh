#!/bin/bash
# kernel.sh [NAME..] - the scripts of plain TCP against this machine's kernel,
# each in a network namespace of its own, in real time
#
# table/NAME: cases of tests/table.  What a kernel cannot do is skipped by rule,
# with the reason.  Each difference is in tests/pkt/KERNEL, or tests/table/KERNEL,
# with what decides, or it is a failure.
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build} limit=20 jobs=${JOBS:-16}
[ "${SLOW:-0}" != 1 ] || limit=520
[ $# -gt 0 ] || set -- ''

# why FILE: the reason to skip it, if there is one
why()
{
	awk -v limit=$limit -v slow="${SLOW:-0}" '
	function reason(text) { if (!why) { why = text } }
	function wait_of(t,    ab) {
		split(substr(t, 2), ab, "~")
		return ab[2] != "" ? (ab[1] + ab[2]) / 2 : ab[1]
	}
	function scan(file,    line, w, n, i) {
		while ((getline line < file) > 0) {
			sub(/#.*/, "", line)
			n = split(line, w, " ")
			if (n == 0) { continue }
			if (w[1] == "include") { scan("tests/pkt/inc/" w[2] ".pkt"); continue }
			i = w[1] == "if" ? 5 : 1
			if (w[i] ~ /^[+]/) { total += wait_of(w[i++]) }
			if (w[i] == "urgent") { reason("urgent: it marks an octet and not a place") }
			if (w[i] ~ /^(peer|secret|session|is|subflows)$/) { reason(w[i] ": of this stack alone") }
			if (w[i] == "mode" && w[i + 2] != "tcp") { reason("mode: of this stack alone") }
			if (w[i] == "set") { reason("set: paths are of this stack alone") }
			if (w[i] == "setopt" && w[i + 2] ~ /^(RCVBUF|SNDBUF|WINDOW_CLAMP|NOTSENT_LOWAT)$/) { reason(w[i + 2] ": it counts memory, not octets") }
			if (w[i] == "write" && w[i + 4] > 0) { reason("write: it counts memory, not octets") }
		}
		close(file)
	}
	BEGIN {
		scan(ARGV[1])
		if (total > limit) {
			reason("waits for " int(total) " s" (slow == 1 ? "" : " (SLOW=1 has " (total > 520 ? "not even this" : "it") ")"))
		}
		if (why) { print why }
	}' "$1"
}

# values FILE: what a script with a sweep is run for; without, nothing
values()
{
	local w lo
	for w in $(sed -n 's/#.*//; s/^sweep [A-Za-z]* //p' "$1"); do
		lo=${w%..*}
		seq "$lo" "${w#*..}"
	done
}

# alone FILE [VALUE]: in a namespace of its own
alone()
{
	timeout 600 unshare -n bash -c 'ip link set lo up; exec "$@"' - "$B/pkt-kernel" "$@" 2>&1
}

# all_values FILE: the first value that fails or is skipped decides
all_values()
{
	local v rc some=77
	for v in $(values "$1") ''; do
		[ -n "$v" ] || [ $some = 77 ] || break
		# shellcheck disable=SC2086
		alone "$1" $v
		rc=$?
		[ $rc != 0 ] || some=0
		[ $rc = 0 ] || [ $rc = 77 ] || return $rc
	done
	return $some
}

# known FILE NAME: yes, if its list of differences has it
known()
{
	local list=tests/pkt/KERNEL glob _
	case $1 in */table/*) list=tests/table/KERNEL ;; esac
	while read -r glob _; do
		# shellcheck disable=SC2053
		if [[ $2 == $glob || $2 == tcp_$glob ]]; then
			echo yes
			return
		fi
	done < <(sed -n '/^$/,$p' "$list" | grep '^[^ ]')
}

one()
{
	local f=$1 reason out rc name known
	name=$(basename "$f" .pkt)
	reason=$(why "$f")
	[ -z "$reason" ] || { echo "SKIP $name: $reason"; return; }
	known=$(known "$f" "$name")
	for _ in 1 2 3; do
		out=$(all_values "$f")
		rc=$?
		# a machine that is busy makes differences, but not three times
		[ $rc = 1 ] && [ -z "$known" ] || break
	done
	case $rc$known in
	0) echo "ok   $name" ;;
	0yes) echo "same $name (known to differ)" ;;
	77*) echo "$out" | sed -n "s/^SKIP /SKIP $name: /p" ;;
	*yes) echo "diff $name (known)" ;;
	*) printf 'FAIL %s\n%s\n' "$name" "$(echo "$out" | head -12 | sed 's/^/    /')" ;;
	esac
}

if [ "${1:-}" = --one ]; then
	one "$2"
	exit
fi
if ! unshare -n true 2>/dev/null || [ ! -w /dev/net/tun ]; then
	echo "SKIP pkt-kernel: needs root and /dev/net/tun"
	exit 0
fi
log=$(mktemp "$B/pkt-kernel.XXXXXX") || exit 1
trap 'rm -f "$log"' EXIT
for t in "$@"; do
	case $t in
	table/*) printf '%s\n' "$B/table/tcp_${t#table/}"*.pkt ;;
	*) printf '%s\n' tests/pkt/tcp/"${t#tcp/}"*.pkt ;;
	esac
done | B=$B xargs -P "$jobs" -n 1 tests/pkt/kernel.sh --one >"$log"
grep -v '^ok ' "$log" | sort -s -k1,1 | grep '^SKIP\|^same\|^diff'
grep -v '^ok \|^SKIP\|^same\|^diff' "$log"
awk '$1 == "ok" || $1 == "same" { p++ } $1 == "diff" { d++ } $1 == "FAIL" { f++ } $1 == "SKIP" { s++ }
	END { print p + d + 0 " passed, " f + 0 " failed, " s + 0 " skipped (" d + 0 " known differences)"; exit f > 0 }' "$log"
