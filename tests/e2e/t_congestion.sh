#!/bin/bash
# congestion control by option, environment and socket; the pacing rate that a
# program asks for is the one at which its data arrive
. tests/lib/e2e.sh
e2e_start
cat >"$tmp/client.py" <<-'EOF'
	import socket, struct, sys, time
	want, name, rate, size = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
	s = socket.create_connection((sys.argv[5], 7000))
	cc = lambda: s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()
	assert cc() == want, cc()
	if name != "-":
	    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
	    assert cc() == name, cc()
	try:
	    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"nonesuch")
	    sys.exit("nonesuch is taken")
	except FileNotFoundError:
	    pass
	if rate:
	    s.setsockopt(socket.SOL_SOCKET, 47, rate)  # SO_MAX_PACING_RATE
	t = time.monotonic()
	s.sendall(b"x" * size)
	if rate:
	    time.sleep(0.2)
	    pacing, most = struct.unpack_from("=QQ", s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232), 104)
	    assert 0 < pacing <= most == rate, (pacing, most)
	s.shutdown(socket.SHUT_WR)
	got = s.recv(100)
	assert got == b"%d" % size, got
	t = time.monotonic() - t
	assert not rate or 0.9 * size / rate < t < 1.5 * size / rate + 0.5, t
EOF
counting_server

# once WANT NAME RATE SIZE [OPTION..]: MPTCP and TCP
once()
{
	local m a=("$1" "$2" "$3" "$4")
	shift 4
	for m in prefer off; do
		# shellcheck disable=SC2086
		in_c "$run" $tun_c4 --mptcp $m "$@" -- python3 "$tmp/client.py" "${a[@]}" "$kernel" ||
			fail "$m: ${a[*]} $*: $(cat "$tmp/srv.err")"
	done
}

once cubic - 0 20000000
once bbr - 0 20000000 --congestion bbr
once reno bbr 0 20000000 --congestion reno
once cubic - 4000000 4000000
once bbr - 4000000 4000000 --congestion bbr
MPTCP_CONGESTION=bbr once bbr cubic 0 1000000
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --congestion nonesuch -- true 2>"$tmp/err" && fail "nonesuch is taken"
grep -q 'bbr' "$tmp/err" || fail "no remedy: $(cat "$tmp/err")"
[ "$(wc -l <"$tmp/err")" = 1 ] || fail "more than a line: $(cat "$tmp/err")"
