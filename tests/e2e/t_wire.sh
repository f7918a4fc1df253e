#!/bin/bash
# what leaves by the wire, seen by tshark and counted again by wire.py: every
# checksum right, nothing malformed or missing, keys, tokens, HMACs and mappings
# as they must be; plain TCP, Multipath TCP and sealed, download and upload
# also over IPv6
. tests/lib/e2e.sh
need tshark dumpcap
# on one processor: between two the kernel's queues put packets out of order
cpu=$(awk '$1 == "Cpus_allowed_list:" { split($2, a, "[-,]"); print a[1] }' /proc/self/status)
taskset -cp "$cpu" $$ >/dev/null || fail "taskset: $?"
e2e_start
kernel_server
make_file "$tmp/www/file" 1
# sums are made before the capture sees the packet, and none is a burst
for i in 1 2; do
	in_c python3 tests/e2e/wire.py offload-off "c$i" || fail "offload of c$i"
	in_r "$i" python3 tests/e2e/wire.py offload-off c || fail "offload of router $i"
done
# seen NAME KIND COMMAND...: a capture of both links meanwhile
seen()
{
	local name=$1 kind=$2 pid
	shift 2
	ip netns exec "$topo_c" dumpcap -q -i c1 -i c2 -w "$tmp/$name.pcapng" 2>"$tmp/dumpcap.err" &
	pid=$!
	wait_for 8 test -s "$tmp/$name.pcapng" || fail "no capture: $(cat "$tmp/dumpcap.err")"
	"$@" || fail "$name: $?"
	sleep 0.5
	kill -INT $pid
	wait $pid
	python3 tests/e2e/wire.py "$kind" "$tmp/$name.pcapng" 1000000 || fail "$name: see above"
}
both_ways() # OPTION...
{
	# shellcheck disable=SC2086
	in_c "$run" $tun_c "$@" --wait -- curl -sS --limit-rate 3M -o "$tmp/got" "$kernel_url/file" \
		--next -sS --limit-rate 3M -T "$tmp/www/file" "$kernel_url/up/f" || return
	same "$tmp/got" && same "$tmp/www/up/f"
}
counting_server ours
seen plain tcp both_ways --mptcp off --crypt off
seen mptcp mptcp both_ways --mptcp require --crypt off
# shellcheck disable=SC2086
seen sealed smtcp count_client "$ours" 1000000 $tun_c --mptcp require --crypt require --crypt-memory off --wait
