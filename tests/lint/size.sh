#!/bin/bash
# size.sh - no file over 800 lines, no function over 100 (where two jobs hide)
set -u
rc=0
while read -r f; do
	n=$(wc -l <"$f")
	[ "$n" -le 800 ] || { echo "$f: $n lines"; rc=1; }
	awk -v f="$f" '
		/^[a-zA-Z].*\)$|^[a-zA-Z].*,$|^\t+.*\)$/ { }
		/^{/ { start = NR }
		/^}/ { if (start && NR - start > 100) { print f ":" start ": function of " NR - start " lines"; bad = 1 } start = 0 }
		END { exit bad }' "$f" || rc=1
done < <(find stack shim tools -name '*.[ch]')
exit $rc
