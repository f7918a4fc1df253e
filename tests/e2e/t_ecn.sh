#!/bin/bash
# explicit congestion notification with a kernel peer: asked for by option, ECT
# on the data, marks of a router answered; not asked for by default
# also over IPv6
. tests/lib/e2e.sh
e2e_start
cat >"$tmp/client.py" <<-'PY'
	import socket, sys
	s = socket.create_connection((sys.argv[1], 7000))
	s.sendall(b"x" * 20000000)
	s.shutdown(socket.SHUT_WR)
	got = s.recv(100)
	assert got == b"20000000", got
PY
in_s sysctl -qw net.ipv4.tcp_ecn=2
[ "$family" = 4 ] && ip=ip ect0=IpExtInECT0Pkts || { ip=ip6 ect0=Ip6InECT0Pkts; }
# a router with a queue: one packet of 40 that may be marked is
in_s nft -f - <<-NFT || { echo "no nft that marks"; exit 77; }
	table inet m {
	    chain p {
	        type filter hook prerouting priority 0;
	        tcp dport 7000 $ip ecn ect0 counter numgen inc mod 40 == 0 $ip ecn set ce
	    }
	}
NFT
counting_server

# ect: packets that came to the server's kernel with ECT(0)
ect() { counter "$topo_s" "$ect0"; }

# once OPTION..: $tmp/s.json has what the client's stack counted
once()
{
	# shellcheck disable=SC2086
	in_c "$run" $tun_c --stats-json "$tmp/s.json" "$@" -- \
		python3 "$tmp/client.py" "$kernel" || fail "$*: $(cat "$tmp/srv.err")"
}

# cuts: windows reduced for marks
cuts()
{
	grep -oE '"TcpEcnReductions": *[0-9]+' "$tmp/s.json" | tail -1 | grep -oE '[0-9]+$'
}

for m in prefer off; do
	was=$(ect)
	once --mptcp $m
	[ "$(ect)" = "$was" ] || fail "$m: ECT without being asked for"
	once --mptcp $m --ecn on
	[ "$(ect)" -gt "$((was + 10))" ] || fail "$m: no data is ECT"
	[ "$(cuts)" -gt 0 ] || fail "$m: no mark was answered"
done
