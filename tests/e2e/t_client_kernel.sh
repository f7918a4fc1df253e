#!/bin/bash
# our client, the kernel's Multipath TCP server: download and upload, IPv4 and
# IPv6, two subflows; the kernel's counters are the witness
. tests/lib/e2e.sh
e2e_start
kernel_server
make_file "$tmp/www/file" 20
one()
{
	local tuns=$1 url=$2 joins before
	before=$(counter "$topo_s" MPTcpExtMPJoinAckRx)
	rm -f "$tmp/got" "$tmp/www/up/f"
	# shellcheck disable=SC2086
	in_c "$run" $tuns --mptcp require --stats-json "$tmp/stats.json" -- \
		curl -sS -o "$tmp/got" "$url/file" || fail "curl $url: $?"
	same "$tmp/got" || fail "$url: download differs"
	[ "$(js "d['final'], d['connections'][0]['mode']")" = "True mptcp" ] || fail "stats: $(cat "$tmp/stats.json")"
	# shellcheck disable=SC2086
	in_c "$run" $tuns --mptcp require --wait -- curl -sS -T "$tmp/www/file" "$url/up/f" || fail "curl -T: $?"
	same "$tmp/www/up/f" || fail "$url: upload differs"
	joins=$(($(counter "$topo_s" MPTcpExtMPJoinAckRx) - ${before:-0}))
	[ $joins = 2 ] || fail "$url: $joins joins at the kernel, 2 expected"
}
one "$tun_c4" http://10.9.0.1
one "$tun_c6" "http://[fd09::1]"
no_errors "$topo_s"
