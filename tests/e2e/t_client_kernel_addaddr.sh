#!/bin/bash
# the kernel's server announces its second address; our client joins it
. tests/lib/e2e.sh
e2e_start
mkdir -p "$tmp/www"
make_file "$tmp/www/file" 8
in_s ip mptcp endpoint add 10.2.2.2 dev s2 signal
(cd "$tmp/www" && in_s mptcpize run python3 -m http.server 80 >/dev/null 2>&1) &
wait_for 5 listens_s 80 || fail "no server"
# the far address of path 1 is reached through router 1 only
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --mptcp require --stats-json "$tmp/stats.json" -- \
	curl -sS --limit-rate 4M -o "$tmp/got" http://10.2.1.2/file || fail "curl: $?"
same "$tmp/got" || fail "download differs"
[ "$(counter "$topo_s" MPTcpExtEchoAdd)" -ge 1 ] || fail "the kernel saw no echo"
[ "$(counter "$topo_s" MPTcpExtMPJoinAckRx)" -ge 1 ] || fail "no join reached the kernel"
js "[s['remote'] for s in d['connections'][0]['subflows'] if s['established']]" | grep -q 10.2.2.2 || fail "no subflow to the announced address: $(js "d['connections']")"
no_errors "$topo_s"
