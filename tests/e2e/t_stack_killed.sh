#!/bin/bash
# kill -9 of the stack: the program gets an error when it has read what is there
# (curl at its own rate) and never hangs, and
# the device is gone
. tests/lib/e2e.sh
e2e_start
kernel_server
make_file "$tmp/www/file" 50
# shellcheck disable=SC2086
in_c "$run" $tun_c4 -- curl -sS --limit-rate 5M -o "$tmp/got" http://10.9.0.1/file 2>"$tmp/err" &
pid=$!
sleep 1.5
ip netns pids "$topo_c" | xargs -r ps -o pid=,comm= -p | awk '/mptcp-stackd/ { print $1 }' >"$tmp/pids"
[ -s "$tmp/pids" ] || fail "no stack process found"
# shellcheck disable=SC2046
kill -9 $(cat "$tmp/pids")
t0=$(date +%s)
wait $pid && fail "curl ended well with its stack killed"
[ $(($(date +%s) - t0)) -lt 5 ] || fail "curl hung"
wait_for 3 sh -c "! ip netns exec $topo_c ip link show mp1" || fail "the device stayed"
# a new start is not disturbed
# shellcheck disable=SC2086
in_c "$run" $tun_c4 -- curl -sS -r 0-99999 -o "$tmp/got" http://10.9.0.1/file || fail "start after a kill: $?"
