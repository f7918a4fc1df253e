#!/bin/bash
# TCP Fast Open with the kernel's, both ways round: a cookie with the first
# connection, data in the SYN of the second; and through MSG_FASTOPEN
# also over IPv6
. tests/lib/e2e.sh
e2e_start
in_s sysctl -qw net.ipv4.tcp_fastopen=3 net.mptcp.enabled=0
in_c sysctl -qw net.ipv4.tcp_fastopen=3 net.mptcp.enabled=0
cat >"$tmp/server.py" <<'END'
import socket, sys
l = socket.socket(socket.AF_INET6 if ":" in sys.argv[2] else socket.AF_INET)
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind((sys.argv[2], int(sys.argv[1])))
l.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
l.listen(5)
while True:
    c, a = l.accept()
    c.sendall(c.recv(100).upper())
    c.close()
END
cat >"$tmp/client.py" <<'END'
import socket, sys
to, how = (sys.argv[1], int(sys.argv[2])), sys.argv[3]
for i in range(3):
    s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
    if how == "connect":
        s.setsockopt(socket.IPPROTO_TCP, 30, 1)  # TCP_FASTOPEN_CONNECT
        s.connect(to)
        s.sendall(b"hello")
    else:
        s.setblocking(False)  # with a cookie there is nothing to wait for
        try:
            s.sendto(b"hello", socket.MSG_FASTOPEN, to)
        except BlockingIOError:
            assert i == 0
            s.setblocking(True)
            s.sendall(b"hello")
    s.settimeout(5)
    got = s.recv(100)
    assert got == b"HELLO", got
    assert s.recv(100) == b""
    s.close()
END
cat >"$tmp/probe.py" <<'END'
import socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 1)
s.sendall(b"x")
assert s.recv(1) == b"X"
END
nstat_of() { "$1" nstat -asz "$2" | awk -v n="$2" '$1 == n { print $2 }'; }
off="--mptcp off --crypt off --crypt-memory off"
need nstat
[ "$family" = 4 ] && any=0.0.0.0 || any=::
in_s python3 "$tmp/server.py" 8081 "$any" &
wait_for 8 in_c python3 "$tmp/probe.py" "$kernel" 8081 || fail "no server"
for how in connect send; do
	before=$(nstat_of in_s TcpExtTCPFastOpenPassive)
	# shellcheck disable=SC2086
	in_c "$run" $tun_c $off --wait --stats-json "$tmp/stats.json" -- python3 "$tmp/client.py" "$kernel" 8081 $how ||
		fail "client, $how"
	after=$(nstat_of in_s TcpExtTCPFastOpenPassive)
	[ $((after - before)) = 2 ] || fail "$how: the kernel opened $((after - before)) of 2 by data"
	[ "$(js "d['counters']['TcpExtTCPFastOpenActive']")" = 2 ] || fail "$how: $(js "d['counters']")"
done
# with Multipath TCP it is off, and nothing else is different
# shellcheck disable=SC2086
in_c "$run" $tun_c --wait --crypt-memory off --stats-json "$tmp/stats.json" -- python3 "$tmp/client.py" "$kernel" 8081 connect || fail "with mptcp"
[ "$(js "d['counters']['MPTcpExtFastOpenOff']")" = 3 ] || fail "$(js "d['counters']")"
# our server, the kernel's client
# shellcheck disable=SC2086
in_s "$run" $tun_s $off -- python3 "$tmp/server.py" 8082 "$any" &
srv=$!
wait_for 8 in_c python3 "$tmp/probe.py" "$ours" 8082 || fail "our server does not answer"
before=$(nstat_of in_c TcpExtTCPFastOpenActive)
in_c python3 "$tmp/client.py" "$ours" 8082 connect || fail "kernel client"
after=$(nstat_of in_c TcpExtTCPFastOpenActive)
[ $((after - before)) = 2 ] || fail "the kernel's data were taken $((after - before)) of 2 times"
kill $srv
