#!/bin/bash
# headers.sh - every header compiles alone and guards itself
set -u
rc=0
while read -r h; do
	if ! out=$(${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -I. -fsyntax-only -x c "$h" 2>&1); then
		echo "$h does not compile alone:"
		head -3 <<<"$out"
		rc=1
	fi
	grep -q '^#ifndef [A-Z0-9_]*_H$' "$h" || { echo "$h: no include guard"; rc=1; }
done < <(find stack shim tools -name '*.h')
exit $rc
