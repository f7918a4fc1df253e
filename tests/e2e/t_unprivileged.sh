#!/bin/bash
# devices made beforehand for an ordinary user: no privilege is needed, and they
# are still there afterwards
. tests/lib/e2e.sh
need setpriv
need_users nobody
e2e_start
kernel_server
make_file "$tmp/www/file" 5
if setpriv --reuid=65534 --clear-groups --inh-caps=-all test -w /dev/net/tun; then
	tundev=/dev/net/tun
else
	tundev=$tmp/tun
	mknod -m 666 "$tundev" c 10 200 2>/dev/null || skip "/dev/net/tun is closed to other users"
fi
for i in 1 2; do
	in_c ip tuntap add "mp$i" mode tun user 65534 vnet_hdr || fail "tuntap"
	in_c ip addr add "10.7.$i.1/24" dev "mp$i"
	in_c ip link set "mp$i" up
	in_c ip route replace default via "10.1.$i.1" table "10$i"
done
mkdir -p "$tmp/bin" "$tmp/out"
cp "${run%/*}"/mptcp-run "${run%/*}"/mptcp-stackd "${run%/*}"/libmptcp-shim.so "$tmp/bin/" && chmod -R a+rX "$tmp/bin" && chmod 777 "$tmp/out"
# shellcheck disable=SC2086
in_c unshare --mount sh -c "mount --bind $tundev /dev/net/tun && cd $tmp/out && exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all $tmp/bin/mptcp-run $tun_c4 --mptcp require --stats-json $tmp/out/stats.json -- curl -sS -o $tmp/out/got http://10.9.0.1/file" || fail "curl: $?"
same "$tmp/out/got" || fail "differs"
cp "$tmp/out/stats.json" "$tmp/stats.json"
[ "$(js "sum(1 for s in d['connections'][0]['subflows'] if s['established'])")" = 2 ] || fail "not two subflows"
in_c ip link show mp1 >/dev/null || fail "the caller's device is gone"
