#!/bin/bash
# unmodified programs: iperf3, python (blocking, asyncio), nc, pipes, shells
. tests/lib/e2e.sh
need iperf3 nc
e2e_start
kernel_server
make_file "$tmp/www/file" 5
# iperf3, both directions
in_s mptcpize run iperf3 -s -B 10.9.0.1 -D -p 5201 --logfile "$tmp/iperf.log"
wait_for 5 listens_s 5201 || fail "iperf3 server"
for dir in '' -R; do
	# shellcheck disable=SC2086
	in_c "$run" $tun_c4 -- iperf3 -c 10.9.0.1 -t 2 $dir -J >"$tmp/iperf.json" || fail "iperf3 $dir: $(tail -3 "$tmp/iperf.json")"
	python3 -c "import json; d=json.load(open('$tmp/iperf.json')); assert d['end']['sum_received']['bytes'] > 1e6" || fail "iperf3 $dir moved nothing"
done
# python, blocking
# shellcheck disable=SC2086
in_c "$run" $tun_c4 -- python3 - >"$tmp/got" <<'EOF' || fail "python blocking"
import socket, sys
s = socket.create_connection(("10.9.0.1", 80))
s.sendall(b"GET /file HTTP/1.0\r\n\r\n")
buf = b"".join(iter(lambda: s.recv(65536), b""))
sys.stdout.buffer.write(buf.split(b"\r\n\r\n", 1)[1])
EOF
same "$tmp/got" || fail "python blocking: differs"
# python, asyncio
# shellcheck disable=SC2086
in_c "$run" $tun_c4 -- python3 - >"$tmp/got" <<'EOF' || fail "python asyncio"
import asyncio, sys
async def main():
    r, w = await asyncio.open_connection("10.9.0.1", 80)
    w.write(b"GET /file HTTP/1.0\r\n\r\n")
    await w.drain()
    sys.stdout.buffer.write((await r.read()).split(b"\r\n\r\n", 1)[1])
    w.close()
asyncio.run(main())
EOF
same "$tmp/got" || fail "python asyncio: differs"
# nc
# shellcheck disable=SC2086
printf 'GET /file HTTP/1.0\r\n\r\n' | in_c "$run" $tun_c4 -- nc -w 5 10.9.0.1 80 | sed '1,/^\r$/d' >"$tmp/got"
same "$tmp/got" || fail "nc: differs"
# a pipe behind the command ends
# shellcheck disable=SC2086
timeout 20 ip netns exec "$topo_c" "$run" $tun_c4 -- curl -sS http://10.9.0.1/file | cat >"$tmp/got" || fail "pipe"
same "$tmp/got" || fail "pipe: differs"
# the stack outlives an idle shell
# shellcheck disable=SC2086
in_c "$run" $tun_c4 -- sh -c 'sleep 9; exec curl -sS http://10.9.0.1/file' >"$tmp/got" || fail "sleep 9"
same "$tmp/got" || fail "sleep 9: differs"
# exit status and signals are the program's own
# shellcheck disable=SC2086
in_c "$run" $tun_c4 -- sh -c 'exit 42'; [ $? = 42 ] || fail "exit status"
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --wait -- sh -c 'kill -TERM $$'; [ $? = 143 ] || fail "signal status"
no_errors "$topo_s"
