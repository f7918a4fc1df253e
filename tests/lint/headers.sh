#!/bin/bash
# headers.sh - every header compiles alone and guards itself
set -u
rc=0
while read -r h; do
	if ! ${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -I. -fsyntax-only -x c "$h" 2>/tmp/headers.$$; then
		echo "$h does not compile alone:"
		head -3 /tmp/headers.$$
		rc=1
	fi
	grep -q '^#ifndef [A-Z0-9_]*_H$' "$h" || { echo "$h: no include guard"; rc=1; }
done < <(git ls-files 'stack/*.h' 'shim/*.h' 'tools/*.h')
rm -f /tmp/headers.$$
exit $rc
