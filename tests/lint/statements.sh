#!/bin/bash
# statements.sh - each sentence of tests/pkt/STATEMENTS is named by a packet
# script or a unit test that shows it
set -u
rc=0 n=0
while read -r no _; do
	n=$((n + 1))
	grep -rqE --include='*.pkt' --include='*.c' "statement $no\b" \
		tests/pkt tests/unit ||
		{ echo "tests/pkt/STATEMENTS: no test names statement $no"; rc=1; }
done < <(grep -E '^[0-9]+ ' tests/pkt/STATEMENTS)
while read -r no; do
	grep -q "^$no " tests/pkt/STATEMENTS ||
		{ echo "statement $no is named by a test, and is not in tests/pkt/STATEMENTS"; rc=1; }
done < <(grep -rhoE --include='*.pkt' 'statement [0-9]+' tests/pkt | cut -d' ' -f2 | sort -u)
[ "$n" -gt 0 ] || { echo "tests/pkt/STATEMENTS: nothing in it"; rc=1; }
exit $rc
