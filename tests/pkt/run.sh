#!/bin/bash
# run.sh [NAME..] - runs packet scripts, all or those whose names begin so
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build} passed=0 failed=0
[ $# -gt 0 ] || set -- ''
for t in "$@"; do
	for f in tests/pkt/*/"${t#*/}"*.pkt; do
		case $f in tests/pkt/inc/* | *'*'*) continue ;; esac
		case $t in */*) [[ $f == tests/pkt/$t* ]] || continue ;; esac
		if out=$(timeout 60 "$B/pkt-run" "$f" 2>&1); then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "$f FAILED ($(sed -n '1s/^# *//p' "$f"))"
			echo "${out:-crashed}" | tail -15
		fi
	done
done
# every requirement of RFC 9293 has a test that is there
while read -r id file _; do
	case $file in */*) file=tests/$file ;; *) file=tests/pkt/tcp/$file.pkt ;; esac
	[ -f "$file" ] ||
		{ echo "tests/pkt/RFC9293 FAILED: $id: no $file"; failed=$((failed + 1)); }
done < <(grep -E '^(MUST|SHLD|REC)-' tests/pkt/RFC9293)
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
