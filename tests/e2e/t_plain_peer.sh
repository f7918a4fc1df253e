#!/bin/bash
# peers without Multipath TCP: plain TCP both ways, the reason said; require
# refuses
. tests/lib/e2e.sh
e2e_start
in_s sysctl -qw net.mptcp.enabled=0
in_c sysctl -qw net.mptcp.enabled=0
kernel_server plain
make_file "$tmp/www/file" 10
for v in 4 6; do
	[ $v = 4 ] && tuns=$tun_c4 url=http://10.9.0.1 || { tuns=$tun_c6 url="http://[fd09::1]"; }
	# shellcheck disable=SC2086
	in_c "$run" $tuns --stats-json "$tmp/stats.json" -- curl -sS -o "$tmp/got" $url/file || fail "curl: $?"
	same "$tmp/got" || fail "download differs"
	[ "$(js "d['connections'][0]['mode'], d['connections'][0]['fallback']")" = "tcp MPTcpExtMPCapableFallbackSYNACK" ] || fail "$(js "d['connections']")"
	# shellcheck disable=SC2086
	in_c "$run" $tuns --wait -- curl -sS -T "$tmp/www/file" $url/up/f || fail "curl -T: $?"
	same "$tmp/www/up/f" || fail "upload differs"
done
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --mptcp require --wait -- curl -sS -o "$tmp/got" http://10.9.0.1/file 2>"$tmp/err" && fail "require let plain TCP through"
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --mptcp off --stats-json "$tmp/stats.json" -- curl -sS -o "$tmp/got" http://10.9.0.1/file || fail "off: $?"
[ "$(js "d['connections'][0]['fallback']")" = MPTcpExtFallbackOff ] || fail "$(js "d['connections']")"
# our server, a plain client
mkdir -p "$tmp/srv"; cp "$tmp/www/file" "$tmp/srv/file"
# shellcheck disable=SC2086
(cd "$tmp/srv" && exec ip netns exec "$topo_s" "$run" $tun_s4 -- python3 -m http.server 8080 >/dev/null 2>&1) &
wait_for 8 in_c curl -s -o "$tmp/got" --max-time 5 http://10.8.1.2:8080/file || fail "our server does not answer a plain client"
same "$tmp/got" || fail "download from our server differs"
