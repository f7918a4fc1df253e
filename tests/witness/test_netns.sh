#!/bin/sh
# Two peers over two TUN devices in a network namespace, which routes
# between them; then a peer and the kernel's TCP.  Needs root.
# usage: test_netns.sh
set -u
here=$(cd "$(dirname "$0")" && pwd)
ns=witness$$
tmp=$(mktemp -d)
failed=0
passed=0
py="/usr/bin/python3 -B"

cleanup() {
	ip netns del $ns
	rm -rf "$tmp"
}
trap cleanup EXIT

in_ns() {
	ip netns exec $ns "$@"
}

ip netns add $ns || exit 1
in_ns ip link set lo up
in_ns sysctl -q net.ipv4.ip_forward=1
for i in 1 2; do
	in_ns ip tuntap add dev w$i mode tun
	in_ns ip addr add 10.99.$i.1/24 dev w$i
	in_ns ip link set w$i up
done

verdict() {
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $1"
		cat "$tmp"/*.json
	fi
}

# both NAME OPTION...: 10.99.1.2 serves, 10.99.2.2 connects.
both() {
	name=$1
	shift
	rm -f "$tmp"/*.json
	in_ns $py "$here/peer.py" serve --tun w1 --addr 10.99.1.2 \
		--linger 0.2 --seed server --send 70000 "$@" >"$tmp/serve.json" &
	server=$!
	sleep 0.4
	in_ns $py "$here/peer.py" connect --tun w2 --addr 10.99.2.2 \
		--linger 0.2 --peer 10.99.1.2 --seed client --send 50000 "$@" \
		>"$tmp/connect.json"
	wait $server
	$py - "$tmp" <<-'PY'
	import json, sys
	s, c = ([json.loads(line) for line in open(sys.argv[1] + "/" + n)]
	        for n in ("serve.json", "connect.json"))
	assert len(s) == len(c) > 0
	for x, y in zip(s, c):
	    assert x["session_id"] == y["session_id"], "session id"
	    assert x["mode"] == y["mode"], "mode"
	    assert x["eof"] and y["eof"] and not x["error"] and not y["error"]
	    assert x["sent_sha256"] == y["received_sha256"]
	    assert y["sent_sha256"] == x["received_sha256"]
	if len(s) > 1:
	    assert all(x["resumed"] for x in s[1:] + c[1:]), "resumed"
	PY
	verdict "$name" $?
}

both plain --mode plain
for mode in tcpcrypt smtcp; do
	for tep in curve25519 curve448 p256 p521; do
		both "$mode $tep" --mode $mode --tep $tep --rekey 3
	done
	for aead in aes128 aes256 chacha; do
		both "$mode $aead" --mode $mode --aead $aead \
			--connections 2 --resume
	done
done
both "single stream" --mode smtcp --no-mptcp --rekey 3

# The kernel's sockets at 10.99.1.1 and the peer at 10.99.1.2.
in_ns $py - serve >"$tmp/kernel.json" <<-'PY' &
	import hashlib, json, socket
	s = socket.create_server(("10.99.1.1", 7001))
	c = s.accept()[0]
	c.sendall(b"k" * 90000)
	c.shutdown(socket.SHUT_WR)
	h = hashlib.sha256()
	while data := c.recv(65536):
	    h.update(data)
	print(json.dumps({"received_sha256": h.hexdigest(), "sent_sha256":
	                  hashlib.sha256(b"k" * 90000).hexdigest()}))
	PY
server=$!
sleep 0.4
in_ns $py "$here/peer.py" connect --tun w1 --addr 10.99.1.2 \
	--peer 10.99.1.1 --port 7001 --mode plain --send 60000 \
	>"$tmp/connect.json"
status=$?
wait $server
same() {
	$py - "$tmp" "$1" <<-'PY'
	import json, sys
	k, p = (json.load(open(sys.argv[1] + "/" + n))
	        for n in ("kernel.json", sys.argv[2]))
	assert k["sent_sha256"] == p["received_sha256"]
	assert p["sent_sha256"] == k["received_sha256"]
	assert p["eof"] and not p["error"]
	PY
}
[ $status = 0 ] && same connect.json
verdict "plain, to the kernel" $?

in_ns $py "$here/peer.py" serve --tun w1 --addr 10.99.1.2 --mode plain \
	--send 60000 >"$tmp/serve.json" &
server=$!
sleep 0.4
in_ns $py - >"$tmp/kernel.json" <<-'PY'
	import hashlib, json, socket
	c = socket.create_connection(("10.99.1.2", 7000), 10)
	c.sendall(b"c" * 120000)
	c.shutdown(socket.SHUT_WR)
	h = hashlib.sha256()
	while data := c.recv(65536):
	    h.update(data)
	print(json.dumps({"received_sha256": h.hexdigest(), "sent_sha256":
	                  hashlib.sha256(b"c" * 120000).hexdigest()}))
	PY
wait $server && same serve.json
verdict "plain, from the kernel" $?

echo "$passed passed, $failed failed"
[ $failed = 0 ]
