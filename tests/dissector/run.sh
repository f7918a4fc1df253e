#!/bin/bash
# run.sh [TEST...] - the Wireshark dissector in tools/, read by tshark
#
# Its captures and key logs stay in build/dissector.
set -u
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C.UTF-8
dir=${B:-build}/dissector

skip()
{
	echo "SKIP dissector: $*"
	exit 0
}

python=/usr/bin/python3
command -v tshark >/dev/null || skip "no tshark here"
tshark -v 2>/dev/null | tr '\n' ' ' | grep -qE 'with +Lua 5\.[2-9]' ||
	skip "this tshark has no Lua 5.2 or later"
$python -c 'import cryptography' 2>/dev/null ||
	skip "no python3-cryptography here"
mkdir -p "$dir" && dir=$(cd "$dir" && pwd) || exit 1
# no plugins and preferences of this user
export XDG_CONFIG_HOME=$dir/config HOME=$dir/config
unset MPTCP_KEYLOG
$python -B tests/dissector/test_dissector.py "$dir" "$@"
