# shellcheck shell=bash
# e2e.sh - what every end-to-end test starts with; sourced
#
# e2e_start makes the topology of topo.sh and removes it at exit.  fail() ends
# the test, skip() says why it cannot run here.  Files of a test live in $tmp.
# A test with a line "# also over IPv6" uses the variables of topo_family, and
# run.sh runs it once more as NAME.6, with E2E_FAMILY=6.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
export LC_ALL=C.UTF-8 PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
. tests/lib/topo.sh
topo_family "${E2E_FAMILY:-4}"
run=$PWD/${B:-build}/mptcp-run

skip() { echo "$*"; exit 77; }
fail() { echo "FAIL: $*"; exit 1; }

# need COMMAND...: skips without one of them
need()
{
	local c
	for c; do
		command -v "$c" >/dev/null || skip "no $c here"
	done
}

# need_users NAME...: skips in a user namespace to which they do not belong
need_users()
{
	local u uid
	grep -q allow /proc/self/setgroups 2>/dev/null ||
		skip "needs a range of users (newuidmap, /etc/subuid)"
	for u; do
		uid=$(id -u "$u" 2>/dev/null) || skip "no user $u here"
		awk -v u="$uid" '$1 <= u && u < $1 + $3 { f = 1 } END { exit !f }' \
			/proc/self/uid_map || skip "user $u is not in the range of users"
	done
}

# a failed test leaves its small files where the next look can find them
e2e_keep()
{
	local to=build/e2e/${E2E_NAME:-test}
	rm -rf "$to"
	mkdir -p "$to"
	find "$tmp" -maxdepth 2 -type f -size -200k -exec cp -t "$to" {} + 2>/dev/null
}

e2e_end()
{
	local rc=$?
	trap '' INT TERM HUP
	trap - EXIT
	topo_down
	[ $rc = 0 ] || [ $rc = 77 ] || e2e_keep
	# shellcheck disable=SC2086
	rm -rf "$tmp" ${jail:-}
	exit $rc
}

e2e_start()
{
	[ "$(id -u)" = 0 ] || skip "needs root or a user namespace"
	[ -r /dev/net/tun ] && [ -w /dev/net/tun ] || skip "no access to /dev/net/tun"
	need ip nft ss sysctl curl nginx mptcpize python3
	tmp=''
	trap e2e_end EXIT
	trap 'exit 130' INT TERM HUP
	tmp=$(mktemp -d "${E2E_TMP:-/tmp}/mptcp-e2e.XXXXXX") || fail "no $tmp"
	chmod 755 "$tmp"
	# what was encrypted in one test says nothing about the next
	export XDG_STATE_HOME=$tmp/state
	topo_up || fail "cannot make the namespaces"
	in_s ip mptcp limits set subflows 8 add_addr_accepted 8
	in_c ip mptcp limits set subflows 8 add_addr_accepted 8
}
# nginx_who USER: as whom nginx works; without a range of users as one process
nginx_who()
{
	if grep -q allow /proc/self/setgroups 2>/dev/null; then
		echo "daemon off; user $1; worker_processes 2;"
	else
		echo "daemon off; user root; master_process off;"
	fi
}

# make_file NAME MB: random, its sum in $sum
make_file()
{
	head -c $(($2 * 1000000)) /dev/urandom >"$1"
	sum=$(sha256sum <"$1")
}

same() { [ "$(sha256sum <"$1")" = "$sum" ]; }

# wait_for SECONDS COMMAND...: until it succeeds
wait_for()
{
	local end=$((SECONDS + $1 + 1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.1
	done
}

listens_s() { in_s ss -Hltn "sport = :$1" | grep -q .; }
listens_c() { in_c ss -Hltn "sport = :$1" | grep -q .; }

# counting_server [ours OPTION...]: a server on the server host, port 7000, at
# $kernel over the kernel's TCP, or at $ours under mptcp-run: takes what a client
# sends until it ends, and answers how much that was; its errors are in
# $tmp/srv.err
counting_server()
{
	local at=$kernel wrap=''
	if [ "${1:-}" = ours ]; then
		shift
		at=$ours wrap="$run $tun_s $*"
	fi
	cat >"$tmp/server.py" <<-'EOF'
	import socket, sys
	l = socket.create_server((sys.argv[1], 7000),
	                         family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
	print("ready", flush=True)
	while True:
	    s, a = l.accept()
	    n = 0
	    while True:
	        b = s.recv(1 << 20)
	        n += len(b)
	        if not b:
	            break
	    s.sendall(b"%d" % n)
	    s.close()
	EOF
	# shellcheck disable=SC2086
	ip netns exec "$topo_s" $wrap python3 "$tmp/server.py" "$at" >"$tmp/srv.out" 2>"$tmp/srv.err" &
	wait_for 8 grep -q ready "$tmp/srv.out" || fail "the server does not start: $(cat "$tmp/srv.err")"
}

# count_client ADDRESS N OPTION...: N octets to a counting server at ADDRESS, with
# the options of mptcp-run
count_client()
{
	local at=$1 n=$2
	shift 2
	in_c "$run" "$@" -- timeout 60 python3 -c '
import socket, sys
n = int(sys.argv[2])
s = socket.create_connection((sys.argv[1], 7000), 30)
s.sendall(b"x" * n)
s.shutdown(socket.SHUT_WR)
got = s.recv(100)
assert got == b"%d" % n, got' "$at" "$n"
}

# an HTTP server over the kernel's Multipath TCP (or plain TCP) on the server
# host: GET and PUT of files below $tmp/www
kernel_server()
{
	local wrap='mptcpize run'
	[ "${1:-}" != plain ] || wrap=
	mkdir -p "$tmp/www/up" "$tmp/body"
	chmod 777 "$tmp/www/up" "$tmp/body"
	cat >"$tmp/nginx.conf" <<-EOF
	$(nginx_who root) pid $tmp/nginx.pid; error_log $tmp/nginx.err;
	events { worker_connections 256; }
	http {
	  access_log off; sendfile on; client_body_temp_path $tmp/body;
	  proxy_temp_path $tmp/p; fastcgi_temp_path $tmp/f;
	  uwsgi_temp_path $tmp/u; scgi_temp_path $tmp/s;
	  server {
	    listen 10.9.0.1:80; listen [fd09::1]:80;
	    root $tmp/www; client_max_body_size 0;
	    location /up/ { dav_methods PUT; }
	  }
	}
	EOF
	# shellcheck disable=SC2086
	in_s $wrap nginx -c "$tmp/nginx.conf" -p "$tmp" >"$tmp/nginx.out" 2>&1 &
	wait_for 5 listens_s 80 || fail "nginx did not start: $(cat "$tmp/nginx.err")"
}

# counter NAMESPACE NAME: the kernel's own, absolute
counter() { ip netns exec "$1" nstat -asz "$2" 2>/dev/null | awk -v n="$2" '$1 == n { print $2 }'; }

# no error counter of the kernel's Multipath TCP moved in this namespace
no_errors()
{
	local n v bad=''
	for n in MPTcpExtMPCapableFallbackACK MPTcpExtMPCapableFallbackSYNACK \
		MPTcpExtMPJoinNoTokenFound MPTcpExtMPJoinAckHMacFailure \
		MPTcpExtMPJoinSynAckHMacFailure MPTcpExtDSSNotMatching \
		MPTcpExtInfiniteMapRx MPTcpExtDataCsumErr MPTcpExtMPFailRx \
		MPTcpExtMPFailTx MPTcpExtDSSCorruptionFallback \
		MPTcpExtDSSCorruptionReset MPTcpExtAddAddrDrop; do
		v=$(counter "$1" $n)
		[ "${v:-0}" = 0 ] || bad="$bad $n=$v"
	done
	[ -z "$bad" ] || fail "the kernel counted:$bad"
}

# js EXPR: of $tmp/stats.json, as d
js()
{
	python3 -c "import json
d = json.load(open('$tmp/stats.json'))
print($1)"
}
