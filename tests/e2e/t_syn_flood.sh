#!/bin/bash
# a flood of forged SYNs: the kernel's client gets in meanwhile, with Multipath
# TCP; so does ours, encrypted; and none of it is by chance (SYN cookies)
. tests/lib/e2e.sh
e2e_start
mkdir -p "$tmp/srv"
make_file "$tmp/srv/file" 2
# what is sent to nobody disappears
in_s ip route add blackhole 192.0.2.0/24
cat >"$tmp/flood.py" <<'END'
import random, socket, struct, sys, time

def add(b):
    if len(b) % 2:
        b += b"\0"
    s = sum(struct.unpack("!%dH" % (len(b) // 2), b))
    while s >> 16:
        s = (s & 0xffff) + (s >> 16)
    return s ^ 0xffff

to, port, until = socket.inet_aton(sys.argv[1]), int(sys.argv[2]), time.time() + float(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
opt = bytes([2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7, 30, 4, 1, 1])
n = 0
while time.time() < until:
    for _ in range(100):
        src = bytes([192, 0, 2, random.randrange(1, 255)])
        tcp = struct.pack("!HHIIBBHHH", random.randrange(1024, 65535), port, random.getrandbits(32),
                          0, (20 + len(opt)) // 4 << 4, 2, 65535, 0, 0) + opt
        sum_ = add(src + to + struct.pack("!HH", 6, len(tcp)) + tcp)
        tcp = tcp[:16] + struct.pack("!H", sum_) + tcp[18:]
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, src, to)
        s.sendto(ip + tcp, (sys.argv[1], 0))
        n += 1
    time.sleep(0.01)
print(n)
END
# shellcheck disable=SC2086
(cd "$tmp/srv" && exec ip netns exec "$topo_s" "$run" $tun_s4 --crypt-memory off --stats-json "$tmp/stats.json" -- \
	python3 -m http.server 8080 >/dev/null 2>&1) &
srv=$!
wait_for 8 in_c curl -s -o /dev/null --max-time 5 http://10.8.1.2:8080/file || fail "our server does not answer"
in_c python3 "$tmp/flood.py" 10.8.1.2 8080 12 >"$tmp/flooded" &
flood=$!
sleep 1
for i in 1 2 3; do
	before=$(counter "$topo_c" MPTcpExtMPCapableSYNACKRX)
	in_c mptcpize run curl -sS --max-time 5 -o "$tmp/got" http://10.8.1.2:8080/file || fail "kernel client, $i: $?"
	same "$tmp/got" "$tmp/srv/file" || fail "kernel client, $i: differs"
	[ $(($(counter "$topo_c" MPTcpExtMPCapableSYNACKRX) - ${before:-0})) = 1 ] || fail "kernel client, $i: no Multipath TCP"
done
# shellcheck disable=SC2086
in_c "$run" $tun_c4 --wait --crypt require --crypt-memory off -- curl -sS --max-time 5 -o "$tmp/got" http://10.8.1.2:8080/file ||
	fail "our client: $?"
same "$tmp/got" "$tmp/srv/file" || fail "our client: differs"
kill -0 $flood || fail "the flood was over too early"
wait $flood
kill $srv
wait_for 8 test -s "$tmp/stats.json" || fail "no statistics"
sent=$(js "d['counters']['TcpExtSyncookiesSent']")
back=$(js "d['counters']['TcpExtSyncookiesRecv']")
echo "forged $(cat "$tmp/flooded"), cookies $sent, of which came back $back"
[ "$sent" -gt 1000 ] || fail "$sent cookies"
[ "$back" = 4 ] || fail "$back cookies came back, not 4"
