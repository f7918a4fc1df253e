#!/bin/bash
# a program that exits right after its last write; one killed mid-transfer
. tests/lib/e2e.sh
e2e_start
cat >"$tmp/sink.py" <<'EOF'
import socket, hashlib, sys
s = socket.create_server(("10.9.0.1", 9000))
while True:
    c, _ = s.accept()
    h, n = hashlib.sha256(), 0
    end = "eof"
    try:
        while b := c.recv(65536):
            h.update(b); n += len(b)
    except OSError as e:
        end = e.__class__.__name__
    print(n, h.hexdigest(), end, flush=True)
EOF
in_s mptcpize run python3 "$tmp/sink.py" >"$tmp/sink.out" &
wait_for 5 listens_s 9000 || fail "sink"
# shellcheck disable=SC2086
in_c "$run" $tun_c4 -- python3 -c '
import socket, os
s = socket.create_connection(("10.9.0.1", 9000))
s.sendall(b"x" * 3000000)
os._exit(0)' || fail "writer"
wait_for 15 test -s "$tmp/sink.out" || fail "nothing arrived"
grep -q "^3000000 $(head -c 3000000 /dev/zero | tr '\0' x | sha256sum | cut -d' ' -f1) eof" "$tmp/sink.out" || fail "exit right after the last write: $(cat "$tmp/sink.out")"
: >"$tmp/sink.out"
# not in_c: $! would be a shell, not the program
# shellcheck disable=SC2086
ip netns exec "$topo_c" "$run" $tun_c4 -- python3 -c '
import socket
s = socket.create_connection(("10.9.0.1", 9000))
s.sendall(b"y" * 1000000)
open("'"$tmp"'/going", "w")
while True: s.sendall(b"y" * 65536)' &
pid=$!
# the first stack may have to let go of the devices before
wait_for 10 test -e "$tmp/going" || fail "second writer"
sleep 0.5
kill -9 $pid
wait_for 15 test -s "$tmp/sink.out" || fail "the peer never learnt that the program was killed"
wait_for 20 sh -c "! ip netns exec $topo_c ip link show mp1" || fail "the stack stayed after its program was killed"
