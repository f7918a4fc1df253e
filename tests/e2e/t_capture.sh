#!/bin/bash
# --pcapng: one interface for each path, both directions, readable by tshark,
# which finds both subflows of one Multipath TCP connection
# also over IPv6
. tests/lib/e2e.sh
need tshark
e2e_start
kernel_server
make_file "$tmp/www/file" 2
# shellcheck disable=SC2086
in_c "$run" $tun_c --mptcp require --pcapng "$tmp/c.pcapng" --stats-json "$tmp/stats.json" -- curl -sS --limit-rate 2M -o "$tmp/got" "$kernel_url/file" || fail "curl: $?"
same "$tmp/got" || fail "differs"
[ "$family" = 4 ] && ip=ip client=10.7.1.2 || { ip=ipv6 client=fd07:1::2; }
show() { tshark -r "$tmp/c.pcapng" "$@" 2>/dev/null; }
[ "$(show -T fields -e frame.interface_name | sort -u | tr '\n' ' ')" = "mp1 mp2 " ] || fail "interfaces: $(show -T fields -e frame.interface_name | sort | uniq -c)"
[ "$(show -Y 'tcp.flags.syn == 1 && tcp.options.mptcp.subtype == 1' | wc -l)" -ge 2 ] || fail "no MP_JOIN handshake in the capture"
[ "$(show -T fields -e mptcp.stream | grep . | sort -u | wc -l)" = 1 ] || fail "tshark does not see one Multipath TCP connection"
[ "$(show -Y "$ip.src == $client" | wc -l)" -gt 0 ] && [ "$(show -Y "$ip.dst == $client" | wc -l)" -gt 0 ] || fail "not both directions"
n=$(js "d['counters']['IpInReceives'] + d['counters']['IpOutRequests']")
[ "$(show | wc -l)" = "$n" ] || fail "$(show | wc -l) packets in the capture, the stack counted $n"
