#!/bin/bash
# malformed packets of every kind on the device: each is counted under a named
# reason and dropped, and a connection still works afterwards
. tests/lib/e2e.sh
e2e_start
mkdir -p "$tmp/srv"
make_file "$tmp/srv/file" 2
# shellcheck disable=SC2086
(cd "$tmp/srv" && exec ip netns exec "$topo_c" "$run" ${tun_c4%% --tun mp2*} ${tun_c6%% --tun mp2*} --stats-json "$tmp/stats.json" -- python3 -m http.server 8080 --bind :: >/dev/null 2>&1) &
wait_for 8 in_c curl -s -o /dev/null --max-time 2 http://10.7.1.2:8080/ || fail "our server does not answer"
in_c python3 tests/e2e/bad_packets.py mp1 10.7.1.1 10.7.1.2 8080 || fail "cannot inject"
in_c curl -sS --max-time 10 -o "$tmp/got" http://10.7.1.2:8080/file || fail "no answer after malformed packets: $?"
same "$tmp/got" || fail "differs"
in_c curl -sS --max-time 10 -o "$tmp/got" "http://[fd07:1::2]:8080/file" || fail "no answer by IPv6 after malformed packets: $?"
same "$tmp/got" || fail "differs by IPv6"
ip netns pids "$topo_c" | xargs -r ps -o pid=,comm= -p | awk '/python3/ { print $1 }' | xargs -r kill
wait_for 15 grep -q '"final": *true' "$tmp/stats.json" || fail "no final statistics"
for n in IpDropShort IpDropVersion IpDropLength IpDropCsum IpReasmReqds IpReasmFails IpReasmOKs IpExtReasmOverlaps IpDropExtHdr IcmpOutErrors \
	IpDropAddr IpDropSource IpDropProto IpDropIcmp IpDropIcmpQuote \
	TcpDropShort TcpDropDoff TcpInCsumErrors TcpDropNoConn; do
	v=$(js "d['counters']['$n']")
	[ "${v:-0}" -gt 0 ] || fail "$n was not counted: $v"
done
