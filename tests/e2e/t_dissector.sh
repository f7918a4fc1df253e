#!/bin/bash
# tools/tcpcrypt.lua reads a capture of two of our stacks, with the key log: all
# that both sent on two paths, fresh, rekeyed, resumed, and one that is not MPTCP
# also over IPv6
. tests/lib/e2e.sh
need tshark
tshark -v 2>/dev/null | tr '\n' ' ' | grep -qE 'with +Lua 5\.[2-9]' || skip "this tshark has no Lua 5.2 or later"
/usr/bin/python3 -c 'import cryptography' 2>/dev/null || skip "no python3-cryptography here"
e2e_start
crypt="--crypt-memory off --crypt"
mkdir -p "$tmp/srv"
make_file "$tmp/srv/file" 1
# shellcheck disable=SC2086
(cd "$tmp/srv" && exec ip netns exec "$topo_s" "$run" $tun_s $crypt require-any --crypt-rekey 200K --keylog "$tmp/server.keys" --pcapng "$tmp/server.pcapng" --stats-json "$tmp/server.json" -- python3 -m http.server 80 --bind "$ours" >/dev/null 2>"$tmp/srv.err") &
sleep 1
get() { echo curl -sS --retry 5 --retry-connrefused --limit-rate 2M -o "$tmp/got" $ours_url/file; }
# two connections of one stack: the second one is resumed
# shellcheck disable=SC2086
in_c "$run" $tun_c $crypt require --keylog "$tmp/keys" --pcapng "$tmp/c.pcapng" --stats-json "$tmp/stats.json" -- sh -c "$(get) && $(get)" || fail "curl: $? $(cat "$tmp/srv.err")"
same "$tmp/got" || fail "differs"
# shellcheck disable=SC2086
in_c "$run" $tun_c --mptcp off $crypt require-any --crypt-ciphers chacha20 --keylog "$tmp/keys" --pcapng "$tmp/t.pcapng" -- sh -c "$(get)" || fail "curl of plain tcpcrypt: $?"
/usr/bin/python3 -B tests/dissector/live.py "$tmp" || fail "see above"
