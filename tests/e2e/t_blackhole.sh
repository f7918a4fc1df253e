#!/bin/bash
# routers that swallow large packets without a word: every upload completes all
# the same, plain, Multipath TCP and sealed (RFC 4821 7.7)
# also over IPv6
. tests/lib/e2e.sh
need nft
e2e_start
kernel_server mptcp
make_file "$tmp/www/file" 3
for i in 1 2; do
	# the router has to see segments as a wire has them
	ip -n "$topo_c" link set "c$i" gso_max_size 1000 || fail "gso_max_size"
	in_r "$i" nft "add table inet hole; \
		add chain inet hole f { type filter hook forward priority 0; }; \
		add rule inet hole f iifname c meta length > 1400 drop" || fail "nft"
done
holes() { js "d['counters']['TcpMtuBlackHoles']"; }
upload() # OPTION...
{
	rm -f "$tmp/www/up/f"
	in_c "$run" "$@" --stats-json "$tmp/stats.json" -- \
		curl -sS --max-time 60 -T "$tmp/www/file" "$kernel_url/up/f" || fail "$*: curl $?"
	same "$tmp/www/up/f" || fail "$*: upload differs"
	[ "$(holes)" -ge 1 ] || fail "$*: nothing vanished: $(holes)"
}
# shellcheck disable=SC2086
{
	upload $tun_c --mptcp off
	upload $tun_c
}
# found out at once: nothing stalls
# shellcheck disable=SC2086
in_c "$run" $tun_c --mptcp off --mtu-probing on --stats-json "$tmp/stats.json" -- \
	curl -sS --max-time 60 -T "$tmp/www/file" "$kernel_url/up/g" || fail "probing on: curl $?"
[ "$(holes)" = 0 ] || fail "probing on: $(holes) holes"
[ "$(js "d['counters']['TcpMtuProbes'] > 0")" = True ] || fail "no probes"
# sealed, to a stack of ours
counting_server ours
# shellcheck disable=SC2086
count_client "$ours" 3000000 $tun_c --crypt require --crypt-memory off --stats-json "$tmp/stats.json" ||
	fail "sealed: $? $(cat "$tmp/srv.err")"
[ "$(holes)" -ge 1 ] || fail "sealed: nothing vanished"
