#!/bin/bash
# the kernel's server announces its second address; our client joins it
# also over IPv6
. tests/lib/e2e.sh
e2e_start
mkdir -p "$tmp/www"
make_file "$tmp/www/file" 12
[ "$family" = 4 ] && here=10.2.1.2 there=10.2.2.2 || { here="[fd02:1::2]" there=fd02:2::2; }
in_s ip mptcp endpoint add $there dev s2 signal
(cd "$tmp/www" && in_s mptcpize run python3 -m http.server 80 --bind :: >/dev/null 2>&1) &
wait_for 5 listens_s 80 || fail "no server"
# the far address of path 1 is reached through router 1 only
# shellcheck disable=SC2086
in_c "$run" $tun_c --mptcp require --stats-json "$tmp/stats.json" -- \
	curl -sS --limit-rate 4M -o "$tmp/got" "http://$here/file" || fail "curl: $?"
same "$tmp/got" || fail "download differs"
[ "$(counter "$topo_s" MPTcpExtEchoAdd)" -ge 1 ] || fail "the kernel saw no echo"
[ "$(counter "$topo_s" MPTcpExtMPJoinAckRx)" -ge 1 ] || fail "no join reached the kernel"
js "[s['remote'] for s in d['connections'][0]['subflows'] if s['established']]" | grep -qF $there || fail "no subflow to the announced address: $(js "d['connections']")"
no_errors "$topo_s"
