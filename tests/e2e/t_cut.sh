#!/bin/bash
# a path is cut silently, then a link goes down, mid-transfer: download and
# upload complete, and what was lost was sent again elsewhere
# also over IPv6
. tests/lib/e2e.sh
e2e_start
topo_rate 100mbit
kernel_server
# long enough to be in the middle after a second
[ "$family" = 4 ] && mb=60 || mb=40
make_file "$tmp/www/file" $mb
for cut in topo_cut topo_link_down; do
	for dir in down up; do
		[ "$family$cut$dir" != 6topo_cutdown ] || continue
		rm -f "$tmp/got" "$tmp/www/up/f"
		if [ $dir = down ]; then set -- -o "$tmp/got" "$kernel_url/file"; else set -- -T "$tmp/www/file" "$kernel_url/up/f"; fi
		# shellcheck disable=SC2086
		timeout 40 ip netns exec "$topo_c" "$run" $tun_c --mptcp require --stats-json "$tmp/stats.json" -- curl -sS "$@" &
		pid=$!
		sleep 1
		$cut 2
		wait $pid || fail "$cut, $dir: curl $?"
		if [ $dir = down ]; then same "$tmp/got"; else same "$tmp/www/up/f"; fi || fail "$cut, $dir: differs"
		[ $dir = down ] || [ "$(js "d['connections'][0]['bytes_reinjected']")" -gt 0 ] || fail "$cut: nothing reinjected"
		if [ $cut = topo_cut ]; then topo_heal 2; else topo_link_up 2; fi
	done
done
