#!/bin/bash
# run.sh - every convention that is a program; one that exits with 77 could not
# run here and has said why
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build} failed=0 passed=0 skipped=0
one()
{
	local name=$1 out rc
	shift
	out=$("$@" 2>&1)
	rc=$?
	case $rc in
	0) passed=$((passed + 1)) ;;
	77) echo "SKIP lint $name: $out"; skipped=$((skipped + 1)) ;;
	*) echo "$out"
		echo "lint: $name FAILED"
		failed=$((failed + 1)) ;;
	esac
}

shell()
{
	command -v shellcheck >/dev/null || { echo "no shellcheck"; return 77; }
	find .ci/run tests -type f \( -name '*.sh' -o -name run \) -print0 |
		xargs -0 shellcheck -S warning -e SC1091,SC2034,SC2154
}

one tree tests/lint/tree.sh
one layers tests/lint/layers.sh
one sansio tests/lint/sansio.sh "$B/libcore.a"
one sansio-chan tests/lint/sansio.sh "$B/libchan.a"
one prefix tests/lint/prefix.sh "$B/libcore.a"
one headers tests/lint/headers.sh
one size tests/lint/size.sh
one man tests/lint/man.sh
one statements tests/lint/statements.sh
one shellcheck shell
echo "lint: $passed passed, $failed failed, $skipped skipped"
[ "${STRICT:-0}" != 1 ] || failed=$((failed + skipped))
[ $failed = 0 ]
