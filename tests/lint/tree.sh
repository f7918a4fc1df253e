#!/bin/bash
# tree.sh - nothing lies at the top but what README.md names, and whatever is
# built lies in build/
set -u
rc=0
for f in *; do
	case $f in
	shim | stack | tools | tests | man | build | Makefile | README.md | LICENSE) ;;
	*) echo "$f: not a part of the tree"; rc=1 ;;
	esac
done
out=$(find shim stack tools tests man -type f \( -name '*.o' -o -name '*.[ad]' -o \
	-name '*.so' -o -name '*.pyc' -o -name '*.log' -o -perm /111 ! -name '*.sh' \
	! -name '*.py' ! -name run \))
[ -z "$out" ] || { echo "built, or run, outside build/:"; echo "$out"; rc=1; }
exit $rc
