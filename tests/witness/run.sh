#!/bin/bash
# run.sh - the witness against the vectors, against itself in memory, and over
# two TUN devices; also whether the vectors are those that gen.py makes.
# Prints "N passed, N failed" per program, "SKIP what: why" for what cannot run.
set -u
cd "$(dirname "$0")/../.." || exit 1
py=/usr/bin/python3
failed=0

skip()
{
	echo "SKIP witness $1: $2"
}

# last NAME COMMAND...: its last line, or all of it when it fails
last()
{
	local name=$1 out rc
	shift
	out=$("$@" 2>&1)
	rc=$?
	[ $rc = 0 ] || { echo "$out" | head -n -1; failed=1; }
	echo "$name: $(echo "$out" | tail -1)"
}

no_net()
{
	[ -z "${CHECK_NO_NET:-}" ] || { echo "$CHECK_NO_NET"; return; }
	[ "$(id -u)" = 0 ] || { echo "needs root"; return; }
	[ -w /dev/net/tun ] || { echo "no access to /dev/net/tun"; return; }
	unshare -n true 2>/dev/null || echo "no network namespaces here"
}

if ! $py -c 'import cryptography' 2>/dev/null; then
	why="no Python package cryptography here (Debian: python3-cryptography)"
	for t in generator vectors self network; do
		skip $t "$why"
	done
	exit 0
fi
export PYTHONDONTWRITEBYTECODE=1
last generator $py tests/vectors/gen.py check
last vectors $py tests/witness/test_vectors.py
last self $py tests/witness/test_self.py
why=$(no_net)
if [ -n "$why" ]; then
	skip network "$why"
else
	last network tests/witness/test_netns.sh
fi
exit $failed
