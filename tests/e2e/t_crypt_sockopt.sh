#!/bin/bash
# programs that know of encryption: the numbers and the structure of
# mptcp-shim(7), at both ends of a connection and on one that the kernel carries
. tests/lib/e2e.sh
e2e_start
kernel_server
cat >"$tmp/lib.py" <<-'EOF'
	import errno, socket, struct
	SOL_MPTCP = 284
	NOT_ENCRYPTED = errno.errorcode[errno.EOPNOTSUPP]
	SESSION_ID, INFO, REKEY, FORGET, AWARE, RESUME, KEEP, PASSIVE = range(0x4d500001, 0x4d500009)
	def get(s, name, n):
	    try:
	        return s.getsockopt(SOL_MPTCP, name, n)
	    except OSError as e:
	        return errno.errorcode[e.errno]
	def put(s, name, v=0):
	    try:
	        s.setsockopt(SOL_MPTCP, name, v)
	    except OSError as e:
	        return errno.errorcode[e.errno]
	def info(s):
	    f = struct.unpack("=BcBBHHQQQQQQ", s.getsockopt(SOL_MPTCP, INFO, 100))
	    return dict(zip("mode role kx flags cipher reserved tx_gen rx_gen tx_frames rx_frames tx_bytes rx_bytes".split(), f))
	def is_(a, b):
	    assert a == b, "%r is not %r" % (a, b)
	def line(s):
	    b = b""
	    while not b.endswith(b"\n"):
	        got = s.recv(1000)
	        assert got, "ended after %r" % b
	        b += got
	    return b[:-1].decode()
EOF
cat >"$tmp/server.py" <<-'EOF'
	from lib import *
	l = socket.create_server(("10.8.1.2", 7000))
	while True:
	    s, a = l.accept()
	    while True:
	        try:
	            what = line(s)
	        except AssertionError:
	            break
	        i = info(s)
	        s.sendall({"id": get(s, SESSION_ID, 33).hex(), "role": i["role"].decode(), "aware": str(i["flags"] & 2),
	                   "gen": "%d %d" % (i["rx_gen"], i["tx_gen"])}[what].encode() + b"\n")
	    s.close()
EOF
cat >"$tmp/client.py" <<-'EOF'
	from lib import *
	def connect(*options):
	    s = socket.socket()
	    for name, v in options:
	        is_(put(s, name, v), None)
	        is_(s.getsockopt(SOL_MPTCP, name), v)
	    s.connect(("10.8.1.2", 7000))
	    return s
	def ask(s, what):
	    s.sendall(what.encode() + b"\n")
	    return line(s)
	s = socket.socket()
	is_(get(s, SESSION_ID, 33), "ENOTCONN")
	is_(put(s, REKEY), "ENOTCONN")
	is_(put(s, AWARE, 3), "EINVAL")
	is_(put(s, 0x4d500009, 1), "ENOPROTOOPT")
	s = connect((AWARE, 1))
	is_(ask(s, "aware"), "2")
	mine = get(s, SESSION_ID, 33).hex()
	is_(ask(s, "id"), mine)
	is_(len(mine), 66)
	i = info(s)
	is_((i["mode"], i["role"], i["kx"], i["flags"], i["cipher"]), (2, b"A", 0x23, 0, 1))
	is_(ask(s, "role"), "B")
	is_(put(s, AWARE, 0), "EINVAL")
	is_(put(s, REKEY), None)
	is_(ask(s, "gen"), "1 1")
	assert info(s)["rx_gen"] == 1
	assert info(s)["rx_bytes"] == len(mine) + 9
	s.close()
	s = connect()          # resumed; another session
	theirs = ask(s, "id")
	assert theirs != mine
	is_(info(s)["flags"], 1)
	is_(ask(s, "aware"), "0")
	is_(put(s, FORGET), None)
	s.close()
	s = connect()          # nothing left to resume
	ask(s, "id")
	is_(info(s)["flags"], 0)
	s.close()
	s = connect((RESUME, 0))
	ask(s, "id")
	is_(info(s)["flags"], 0)
	s.close()
	# not encrypted: the kernel's Multipath TCP, and what the kernel carries
	for a in ("10.9.0.1", 80), ("10.1.1.2", 7001):
	    l = None
	    if a[1] == 7001:
	        l = socket.create_server(a)
	    s = socket.create_connection(a)
	    is_(get(s, SESSION_ID, 33), NOT_ENCRYPTED)
	    is_(get(s, INFO, 100), NOT_ENCRYPTED)
	    is_(put(s, REKEY), NOT_ENCRYPTED)
	    s.close()
EOF
# shellcheck disable=SC2086
(cd "$tmp" && exec ip netns exec "$topo_s" "$run" $tun_s4 -- python3 server.py >/dev/null 2>"$tmp/srv.err") &
sleep 1
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --exclude 10.1.0.0/16 --wait -- python3 "$tmp/client.py" >"$tmp/out" 2>"$tmp/err" ||
	fail "the client: $(cat "$tmp/err") the server: $(cat "$tmp/srv.err")"
exit 0
