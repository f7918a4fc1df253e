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
	topo_family $v
	# shellcheck disable=SC2086
	in_c "$run" $tun_c --stats-json "$tmp/stats.json" -- curl -sS -o "$tmp/got" "$kernel_url/file" || fail "curl: $?"
	same "$tmp/got" || fail "download differs"
	[ "$(js "d['connections'][0]['mode'], d['connections'][0]['fallback']")" = "tcp MPTcpExtMPCapableFallbackSYNACK" ] || fail "$(js "d['connections']")"
	# shellcheck disable=SC2086
	in_c "$run" $tun_c --wait -- curl -sS -T "$tmp/www/file" "$kernel_url/up/f" || fail "curl -T: $?"
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
(cd "$tmp/srv" && exec ip netns exec "$topo_s" "$run" $tun_s4 $tun_s6 -- python3 -m http.server 8080 --bind :: >/dev/null 2>&1) &
wait_for 8 in_c curl -s -o "$tmp/got" --max-time 5 http://10.8.1.2:8080/file || fail "our server does not answer a plain client"
same "$tmp/got" || fail "download from our server differs"
in_c curl -s -o "$tmp/got" --max-time 5 "http://[fd08:1::2]:8080/file" || fail "our server does not answer a plain client by IPv6"
same "$tmp/got" || fail "download from our server by IPv6 differs"
# the program is gone, its FIN acknowledged, the peer's FIN comes a little later:
# it is answered all the same
in_s python3 -c '
import socket, time
l = socket.create_server(("10.9.0.1", 7001))
c, _ = l.accept()
while c.recv(65536):
    pass
time.sleep(0.4)
c.close()
time.sleep(3)' &
wait_for 5 listens_s 7001 || fail "no late server"
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --mptcp off --wait -- python3 -c '
import socket
s = socket.create_connection(("10.9.0.1", 7001))
s.sendall(b"x" * 1000)' || fail "late server: $?"
[ -z "$(in_s ss -Htn state last-ack)" ] || fail "a FIN has no answer: $(in_s ss -tn)"
