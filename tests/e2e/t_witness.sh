#!/bin/bash
# our stack and the independent Python peer of tests/witness, both roles: plain
# tcpcrypt, SMTCP and SMTCP over one stream, each key agreement and cipher,
# resumed sessions, rekeying from either side; what arrives, and the session
# ids of both ends
. tests/lib/e2e.sh
[ "$(id -u)" = 0 ] || skip "needs root or a user namespace"
[ -w /dev/net/tun ] || skip "no access to /dev/net/tun"
py=/usr/bin/python3
$py -c 'import cryptography' 2>/dev/null || skip "no Python package cryptography here"
ns=$TOPO-w bad=0 n=0
tmp=$(mktemp -d "${E2E_TMP:-/tmp}/mptcp-e2e.XXXXXX") || fail "no $tmp"
chmod 755 "$tmp"
trap e2e_end EXIT
trap 'exit 130' INT TERM HUP
in_w() { ip netns exec "$ns" "$@"; }
witness() { PYTHONDONTWRITEBYTECODE=1 in_w $py tests/witness/peer.py "$@" --linger 0.2; }

ip netns add "$ns" || fail "cannot make a namespace"
in_w ip link set lo up
in_w sysctl -qw net.ipv4.ip_forward=1
in_w ip tuntap add dev w1 mode tun
in_w ip addr add 10.99.1.1/24 dev w1
in_w ip link set w1 up
head -c 50000 /dev/urandom >"$tmp/mine"
head -c 70000 /dev/urandom >"$tmp/theirs"

# the program under mptcp-run: N connections one after the other, one file each
# way, both ends of file seen
cat >"$tmp/prog.py" <<'EOF'
import socket, sys
role, n, send, got = sys.argv[1], int(sys.argv[2]), open(sys.argv[3], "rb").read(), sys.argv[4]
if role == "serve":
    lst = socket.create_server(("0.0.0.0", 7000))
    print("ready", flush=True)
for i in range(n):
    c = lst.accept()[0] if role == "serve" else socket.create_connection(("10.99.1.2", 7000), 20)
    c.settimeout(20)
    c.sendall(send)
    c.shutdown(socket.SHUT_WR)
    data = b""
    while (b := c.recv(65536)):
        data += b
    open(got, "ab").write(data)
    c.close()
EOF

# look N MODE: both reports say the same, and what it should be
look()
{
	$py - "$tmp" "$1" "$2" "$3" <<-'EOF'
	import json, sys
	tmp, n, mode, fresh = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
	ours = json.load(open(tmp + "/stats.json"))["connections"]
	peer = [json.loads(l) for l in open(tmp + "/peer.json")]
	def want(ok, *why):
	    if not ok:
	        print(*why); sys.exit(1)
	want(len(peer) == n and len(ours) == n, "connections:", len(peer), len(ours))
	for o, p in zip(ours, peer):
	    want(o["mode"] == mode, "mode", o["mode"], o["clear_text"])
	    want(p["eof"] and not p["error"], "the peer saw no orderly end")
	    e = o["encryption"]
	    want(e["session_id"] == p["session_id"], "session ids differ")
	    want(e["resumed"] == bool(p.get("resumed")), "resumed differs")
	if n > 1 and fresh == "resumed":
	    want(all(o["encryption"]["resumed"] for o in ours[1:]), "not resumed")
	if fresh == "rekeyed":
	    want(all(o["encryption"]["rekeyings_sent"] + o["encryption"]["rekeyings_received"] > 0
	             and p["sent_generation"] > 0 and p["received_generation"] > 0
	             for o, p in zip(ours, peer)), "not rekeyed")
	EOF
}

# check NAME COUNT: files, and reports
check()
{
	local name=$1 count=$2 i
	n=$((n + 1))
	: >"$tmp/want.mine"
	: >"$tmp/want.theirs"
	for i in $(seq "$count"); do
		cat "$tmp/mine" >>"$tmp/want.mine"
		cat "$tmp/theirs" >>"$tmp/want.theirs"
	done
	if [ "$rc" = 0 ] && cmp -s "$tmp/want.theirs" "$tmp/got.ours" &&
		cmp -s "$tmp/want.mine" "$tmp/got.peer" && look "$count" "$4" "$3"; then
		return
	fi
	bad=$((bad + 1))
	echo "FAILED: $name (exit $rc; the program: $(tail -1 "$tmp/err"))"
	sed 's/^/  /' "$tmp/peer.json" "$tmp/peer.err" | tail -5
}

fresh_files() { rm -f "$tmp"/got.* "$tmp/peer.json" "$tmp/stats.json"; }

# both NAME COUNT KIND MODE "OUR OPTIONS" PEER-OPTIONS..: as client and as server
both()
{
	local name=$1 count=$2 kind=$3 mode=$4 ours=$5 pid
	shift 5
	fresh_files
	witness serve --tun w1 --addr 10.99.1.2 --port 7000 --send-file "$tmp/theirs" --output "$tmp/got.peer" \
		--connections "$count" "$@" >"$tmp/peer.json" 2>"$tmp/peer.err" &
	pid=$!
	sleep 0.4
	# shellcheck disable=SC2086
	in_w timeout 60 "$run" --tun mp1,addr=10.99.3.2/24,peer=10.99.3.1 --crypt-memory off $ours --stats-json "$tmp/stats.json" -- \
		$py "$tmp/prog.py" connect "$count" "$tmp/mine" "$tmp/got.ours" 2>"$tmp/err"
	rc=$?
	wait $pid
	check "client: $name" "$count" "$kind" "$mode"
	fresh_files
	# shellcheck disable=SC2086
	in_w timeout 60 "$run" --tun mp1,addr=10.99.3.2/24,peer=10.99.3.1 --crypt-memory off $ours --stats-json "$tmp/stats.json" -- \
		$py "$tmp/prog.py" serve "$count" "$tmp/mine" "$tmp/got.ours" >"$tmp/ready" 2>"$tmp/err" &
	pid=$!
	wait_for 5 grep -q ready "$tmp/ready"
	witness connect --tun w1 --addr 10.99.1.2 --port 7000 --peer 10.99.3.2 --send-file "$tmp/theirs" --output "$tmp/got.peer" \
		--connections "$count" "$@" >"$tmp/peer.json" 2>"$tmp/peer.err"
	wait $pid
	rc=$?
	check "server: $name" "$count" "$kind" "$mode"
}

for mode in tcpcrypt smtcp; do
	for kx in x25519:curve25519 x448:curve448 p256:p256 p521:p521; do
		both "$mode ${kx%:*}" 1 fresh $mode "--crypt-kx ${kx%:*}" --mode $mode --tep "${kx#*:}"
	done
	for aead in aes128gcm:aes128 aes256gcm:aes256 chacha20:chacha; do
		both "$mode ${aead%:*}, resumed" 2 resumed $mode "--crypt-ciphers ${aead%:*}" \
			--mode $mode --aead "${aead#*:}" --resume
	done
	both "$mode, rekeyed" 1 rekeyed $mode "--crypt-rekey 20K" --mode $mode --rekey 5 --frame 3000
done
both "SMTCP without Multipath TCP" 1 fresh tcpcrypt "" --mode smtcp --no-mptcp --only-smtcp
both "SMTCP without Multipath TCP, resumed" 2 resumed tcpcrypt "" --mode smtcp --no-mptcp --only-smtcp --resume
echo "$((n - bad)) of $n"
[ $bad = 0 ]
