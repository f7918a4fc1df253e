#!/bin/bash
# table.sh [-a] - every socket option in every state of a socket: on the kernel's
# TCP, on the kernel's Multipath TCP, and under the shim
#
# Prints where they differ (-a: everything).  Fails when an option that the
# kernel's TCP takes is refused under the shim, or reads differently
# afterwards, and differ.txt has no reason for it.  B=build directory.
set -u
cd "$(dirname "$0")/../../.." || exit 1
B=$(realpath "${B:-build}")
out=$B/tests/shim
if [ -z "${TABLE_IN_NETNS:-}" ]; then
	TABLE_IN_NETNS=1 exec unshare -n "$0" "$@"
fi
ip link set lo up
mkdir -p "$out"
${CC:-gcc} -std=gnu11 -O1 -g -Wall -Wextra -D_GNU_SOURCE -o "$out/table" tests/shim/table/table.c || exit 1
timeout 60 "$out/table" >"$out/table.tcp" || exit 1
timeout 60 "$out/table" mptcp >"$out/table.mptcp" 2>&1 || : >"$out/table.mptcp"
T_PEER=10.78.1.1 T_LOCAL=10.78.1.2 timeout 120 "$B/mptcp-run" --crypt-memory off \
	--tun "shimt,addr=10.78.1.2/24,peer=10.78.1.1" -- "$out/table" >"$out/table.shim" || exit 1
[ -s "$out/table.mptcp" ] || echo "SKIP shim table: this kernel has no Multipath TCP to compare with"
awk -v all="${1:-}" -f tests/shim/table/compare.awk tests/shim/table/differ.txt \
	"$out/table.tcp" "$out/table.mptcp" "$out/table.shim"
