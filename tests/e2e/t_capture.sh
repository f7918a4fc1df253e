#!/bin/bash
# --pcapng: one interface for each path, both directions, readable by tshark,
# which finds both subflows of one Multipath TCP connection
. tests/lib/e2e.sh
need tshark
e2e_start
kernel_server
make_file "$tmp/www/file" 2
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --mptcp require --pcapng "$tmp/c.pcapng" --stats-json "$tmp/stats.json" -- curl -sS --limit-rate 2M -o "$tmp/got" http://10.9.0.1/file || fail "curl: $?"
same "$tmp/got" || fail "differs"
show() { tshark -r "$tmp/c.pcapng" "$@" 2>/dev/null; }
[ "$(show -T fields -e frame.interface_name | sort -u | tr '\n' ' ')" = "mp1 mp2 " ] || fail "interfaces: $(show -T fields -e frame.interface_name | sort | uniq -c)"
[ "$(show -Y 'tcp.flags.syn == 1 && tcp.options.mptcp.subtype == 1' | wc -l)" -ge 2 ] || fail "no MP_JOIN handshake in the capture"
[ "$(show -T fields -e mptcp.stream | grep . | sort -u | wc -l)" = 1 ] || fail "tshark does not see one Multipath TCP connection"
[ "$(show -Y 'ip.src == 10.7.1.2' | wc -l)" -gt 0 ] && [ "$(show -Y 'ip.dst == 10.7.1.2' | wc -l)" -gt 0 ] || fail "not both directions"
n=$(js "d['counters']['IpInReceives'] + d['counters']['IpOutRequests']")
[ "$(show | wc -l)" = "$n" ] || fail "$(show | wc -l) packets in the capture, the stack counted $n"
