#!/bin/bash
# both ends ours: python http.server and curl, IPv4 and IPv6, two subflows, sealed;
# and one path, sealed, too
. tests/lib/e2e.sh
e2e_start
mkdir -p "$tmp/srv"
make_file "$tmp/srv/file" 20
# shellcheck disable=SC2086
(cd "$tmp/srv" && exec ip netns exec "$topo_s" "$run" $tun_s4 $tun_s6 --stats-json "$tmp/server.json" -- python3 -m http.server 80 --bind :: >/dev/null 2>"$tmp/srv.err") &
sleep 1
for v in 4 6; do
	topo_family $v
	# shellcheck disable=SC2086
	in_c "$run" $tun_c --mptcp require --stats-json "$tmp/stats.json" -- \
		curl -sS --retry 5 --retry-connrefused --limit-rate 15M -o "$tmp/got" "$ours_url/file" || fail "curl: $? $(cat "$tmp/srv.err")"
	same "$tmp/got" || fail "download differs"
	n=$(js "sum(1 for s in d['connections'][-1]['subflows'] if s['established'])")
	[ "$(js "d['connections'][-1]['mode']")" = smtcp ] || fail "IPv$v: $(js "d['connections'][-1]['mode']")"
	[ "$n" -ge 2 ] || fail "IPv$v: $n subflows: $(js "d['connections'][-1]")"
	# shellcheck disable=SC2086
	in_c "$run" $tun_c1 --mptcp off --stats-json "$tmp/stats.json" -- curl -sS -o "$tmp/got" "$ours_url/file" || fail "one path: curl $?"
	same "$tmp/got" || fail "one path: download differs"
	[ "$(js "d['connections'][-1]['mode']")" = tcpcrypt ] || fail "IPv$v, one path: $(js "d['connections'][-1]['mode']")"
done
