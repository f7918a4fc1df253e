#!/bin/bash
# both ends ours: python http.server and curl, IPv4 and IPv6, two subflows
. tests/lib/e2e.sh
e2e_start
mkdir -p "$tmp/srv"
make_file "$tmp/srv/file" 20
# shellcheck disable=SC2086
(cd "$tmp/srv" && exec ip netns exec "$topo_s" "$run" $tun_s4 $tun_s6 --mptcp require --stats-json "$tmp/server.json" -- python3 -m http.server 80 --bind :: >/dev/null 2>"$tmp/srv.err") &
sleep 1
for v in 4 6; do
	[ $v = 4 ] && tuns=$tun_c4 url=http://10.8.1.2 || { tuns=$tun_c6 url="http://[fd08:1::2]"; }
	# shellcheck disable=SC2086
	in_c "$run" $tuns --mptcp require --stats-json "$tmp/stats.json" -- \
		curl -sS --retry 5 --retry-connrefused --limit-rate 15M -o "$tmp/got" $url/file || fail "curl: $? $(cat "$tmp/srv.err")"
	same "$tmp/got" || fail "download differs"
	n=$(js "sum(1 for s in d['connections'][-1]['subflows'] if s['established'])")
	[ "$n" -ge 2 ] || fail "IPv$v: $n subflows: $(js "d['connections'][-1]")"
done
