#!/bin/bash
# routes with a smaller MTU in the middle, another on each path: the routers'
# ICMP is believed, every upload completes, and nothing is taken for a black hole
# also over IPv6
. tests/lib/e2e.sh
e2e_start
kernel_server mptcp
make_file "$tmp/www/file" 3
for i in 1 2; do
	# the router has to see segments as a wire has them
	ip -n "$topo_c" link set "c$i" gso_max_size 1000 || fail "gso_max_size"
	for to in "$MPTCP_PEER/32" "10.8.$i.0/24"; do
		ip -n "$TOPO-r$i" route replace "$to" via "10.2.$i.2" mtu lock $((1500 - 100 * i)) || fail "route"
	done
	for to in "$MPTCP_PEER6/128" "fd08:$i::/64"; do
		ip -n "$TOPO-r$i" -6 route replace "$to" via "fd02:$i::2" mtu lock $((1500 - 100 * i)) || fail "route"
	done
done
# told N: what the stack counted
told()
{
	local got
	got=$(js "d['counters']['TcpPmtuLowered'], d['counters']['TcpMtuBlackHoles']")
	[ "$got" = "$1 0" ] || fail "$2: lowered, holes: $got, $1 0 expected"
}
upload() # N OPTION...
{
	local n=$1
	shift
	rm -f "$tmp/www/up/f"
	in_c "$run" "$@" --stats-json "$tmp/stats.json" -- \
		curl -sS --max-time 60 -T "$tmp/www/file" "$kernel_url/up/f" || fail "$*: curl $?"
	same "$tmp/www/up/f" || fail "$*: upload differs"
	told "$n" "$*"
}
counting_server ours
# shellcheck disable=SC2086
{
	upload 1 $tun_c --mptcp off
	upload 2 $tun_c --mptcp require
	count_client "$ours" 3000000 $tun_c --crypt require --crypt-memory off --stats-json "$tmp/stats.json" ||
		fail "sealed: $? $(cat "$tmp/srv.err")"
	told 2 sealed
}
