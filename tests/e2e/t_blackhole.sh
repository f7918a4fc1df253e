#!/bin/bash
# routers that swallow large packets without a word: every upload completes all
# the same, plain, Multipath TCP, IPv6 and sealed (RFC 4821 7.7)
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
upload() # URL OPTION...
{
	local url=$1
	shift
	rm -f "$tmp/www/up/f"
	in_c "$run" "$@" --stats-json "$tmp/stats.json" -- \
		curl -sS --max-time 60 -T "$tmp/www/file" "$url/up/f" || fail "$*: curl $?"
	same "$tmp/www/up/f" || fail "$*: upload differs"
	[ "$(holes)" -ge 1 ] || fail "$*: nothing vanished: $(holes)"
}
# shellcheck disable=SC2086
{
	upload http://10.9.0.1 $tun_c4 --mptcp off
	upload http://10.9.0.1 $tun_c4
	upload "http://[fd09::1]" $tun_c6
}
# found out at once: nothing stalls
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --mptcp off --mtu-probing on --stats-json "$tmp/stats.json" -- \
	curl -sS --max-time 60 -T "$tmp/www/file" http://10.9.0.1/up/g || fail "probing on: curl $?"
[ "$(holes)" = 0 ] || fail "probing on: $(holes) holes"
[ "$(js "d['counters']['TcpMtuProbes'] > 0")" = True ] || fail "no probes"
# sealed, to a stack of ours
# shellcheck disable=SC2086
(cd "$tmp" && exec ip netns exec "$topo_s" "$run" $tun_s4 -- python3 -c '
import socket
s = socket.create_server(("", 8080))
c, _ = s.accept()
n = 0
while True:
    d = c.recv(65536)
    if not d: break
    n += len(d)
c.sendall(b"%d" % n)
c.close()') &
sleep 1
# shellcheck disable=SC2086
n=$(in_c "$run" $tun_c4 --crypt require --crypt-memory off --stats-json "$tmp/stats.json" -- python3 -c '
import socket
s = socket.create_connection(("10.8.1.2", 8080), 30)
s.sendall(b"x" * 3000000)
s.shutdown(socket.SHUT_WR)
print(s.recv(100).decode())') || fail "sealed: $?"
[ "$n" = 3000000 ] || fail "sealed: $n octets arrived"
[ "$(holes)" -ge 1 ] || fail "sealed: nothing vanished"
