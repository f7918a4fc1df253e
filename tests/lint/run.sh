#!/bin/bash
# run.sh - every convention that is a program
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build} failed=0 passed=0
one()
{
	local name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		echo "lint: $name FAILED"
		failed=$((failed + 1))
	fi
}
one layers tests/lint/layers.sh
one sansio tests/lint/sansio.sh "$B/libcore.a"
one prefix tests/lint/prefix.sh "$B/libcore.a"
one headers tests/lint/headers.sh
one size tests/lint/size.sh
one man tests/lint/man.sh
one shellcheck sh -c 'git ls-files "*.sh" .ci/run | xargs shellcheck -S warning -e SC1091,SC2034,SC2154'
echo "lint: $passed passed, $failed failed"
[ $failed = 0 ]
