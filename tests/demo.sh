#!/bin/bash
# demo.sh - the main job, measured: an unmodified curl over Multipath TCP in
# userspace, against an unmodified nginx over the kernel's Multipath TCP, over
# two links of 100 Mbit/s.  See `make help`.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/deps.sh
. tests/lib/topo.sh

size_mb=${DEMO_MB:-60}
fails=0 pids=''

say() { printf '%s\n' "$*"; }
bad() { say "  WRONG: $*"; fails=$((fails + 1)); }

cleanup()
{
	trap - EXIT INT TERM
	topo_down
	[ -z "${tmp:-}" ] || rm -rf "$tmp"
}

# progress FILE PID: what has arrived so far, until PID ends
watch_file()
{
	local file=$1 pid=$2 n
	while kill -0 "$pid" 2>/dev/null; do
		n=$(stat -c %s "$file" 2>/dev/null || echo 0)
		[ ! -t 1 ] || printf '\r    %4d of %d MB ' $((n / 1000000)) "$size_mb"
		sleep 0.2
	done
	[ ! -t 1 ] || printf '\r                    \r'
}

server_up()
{
	cat >"$tmp/nginx.conf" <<-EOF
	daemon off; pid $tmp/nginx.pid; error_log $tmp/nginx.err; user root;
	events { worker_connections 256; }
	http {
	  access_log off; sendfile on;
	  client_body_temp_path $tmp/body; proxy_temp_path $tmp/p;
	  fastcgi_temp_path $tmp/f; uwsgi_temp_path $tmp/u; scgi_temp_path $tmp/s;
	  server {
	    listen 10.9.0.1:80; listen [fd09::1]:80;
	    root $tmp/www; client_max_body_size 0; client_body_in_file_only off;
	    location /up/ { dav_methods PUT; create_full_put_path on; }
	  }
	}
	EOF
	in_s ip mptcp limits set subflows 8 add_addr_accepted 8
	in_s mptcpize run nginx -c "$tmp/nginx.conf" -p "$tmp" >"$tmp/nginx.out" 2>&1 &
	pids="$pids $!"
	for _ in $(seq 50); do
		in_s ss -Hltn 'sport = :80' 2>/dev/null | grep -q . && return 0
		sleep 0.1
	done
	say "nginx did not start:"
	cat "$tmp/nginx.err" "$tmp/nginx.out"
	return 1
}

js()
{
	python3 -c "import json,sys
d=json.load(open('$tmp/stats.json'))
print($1)"
}

# run NAME TUNS DIRECTION [EXTRA...]: one transfer; sets secs
transfer()
{
	local what=$1 tuns=$2 dir=$3 rc t0 t1
	rm -f "$tmp/got" "$tmp/www/up/file" "$tmp/stats.json"
	t0=$(date +%s%N)
	# shellcheck disable=SC2086
	if [ "$dir" = down ]; then
		in_c build/mptcp-run $tuns --mptcp require --stats-json "$tmp/stats.json" -- \
			curl -sS -o "$tmp/got" http://10.9.0.1/file 2>"$tmp/err" &
	else
		in_c build/mptcp-run $tuns --mptcp require --stats-json "$tmp/stats.json" -- \
			curl -sS -T "$tmp/www/file" http://10.9.0.1/up/file 2>"$tmp/err" &
	fi
	local pid=$!
	[ -z "${cut_hook:-}" ] || { sleep 1.5; $cut_hook; }
	if [ "$dir" = down ]; then watch_file "$tmp/got" $pid; else watch_file "$tmp/body/0000000001" $pid; fi
	wait $pid
	rc=$?
	t1=$(date +%s%N)
	[ $rc = 0 ] || { bad "$what: curl ended with $rc: $(cat "$tmp/err")"; return 1; }
	local file=$tmp/got
	[ "$dir" = down ] || file=$tmp/www/up/file
	[ "$(sha256sum <"$file")" = "$sum" ] || bad "$what: SHA-256 differs"
	secs=$(awk -v a="$t0" -v b="$t1" 'BEGIN { printf "%.2f", (b - a) / 1e9 }')
}

report()
{
	local mbit
	mbit=$(js "'%.1f' % (d['connections'][-1]['goodput_bps'] / 1e6)")
	printf '  %-34s %7s Mbit/s  %s subflow(s)  %s  SHA-256 right\n' "$1" "$mbit" \
		"$(js "sum(1 for s in d['connections'][-1]['subflows'] if s['established'])")" \
		"$(js "d['connections'][-1]['mode']")"
	eval "$2=$mbit"
}

main()
{
	[ "$(id -u)" = 0 ] || { say "make demo needs root: it makes network namespaces and TUN devices."; exit 1; }
	deps_need build demo || exit 1
	say "building"
	${MAKE:-make} --no-print-directory -s all >build/demo-build.log 2>&1 || { tail -20 build/demo-build.log; exit 1; }
	tmp=$(mktemp -d /tmp/mptcp-demo.XXXXXX)
	trap cleanup EXIT
	trap 'cleanup; exit 130' INT TERM
	topo_up && topo_rate 100mbit || exit 1
	mkdir -p "$tmp/www/up" "$tmp/body"
	say "making a file of $size_mb MB"
	head -c $((size_mb * 1000000)) /dev/urandom >"$tmp/www/file"
	sum=$(sha256sum <"$tmp/www/file")
	server_up || exit 1
	say "client host and server host, two links of 100 Mbit/s each;"
	say "curl under mptcp-run, nginx over the kernel's Multipath TCP"
	local one="${tun_c4% --tun *}"
	say ""
	say "download:"
	transfer "one path" "$one" down && report "one path alone" d1
	transfer "two paths" "$tun_c4" down && report "both paths" d2
	say "upload:"
	transfer "one path" "$one" up && report "one path alone" u1
	transfer "two paths" "$tun_c4" up && report "both paths" u2
	say "path 2 drops everything silently, mid-transfer:"
	cut_hook="topo_cut 2"
	transfer "download, cut" "$tun_c4" down && report "download completes" x
	topo_heal 2
	transfer "upload, cut" "$tun_c4" up && {
		report "upload completes" x
		say "    octets we sent again on the other path: $(js "d['connections'][-1]['bytes_reinjected']")"
		[ "$(js "d['connections'][-1]['bytes_reinjected']")" -gt 0 ] || bad "nothing was reinjected"
	}
	topo_heal 2
	say "path 2's link goes down, mid-transfer:"
	cut_hook="topo_link_down 2"
	transfer "download, link down" "$tun_c4" down && report "download completes" x
	topo_link_up 2
	transfer "upload, link down" "$tun_c4" up && {
		report "upload completes" x
		say "    octets we sent again on the other path: $(js "d['connections'][-1]['bytes_reinjected']")"
		[ "$(js "d['connections'][-1]['bytes_reinjected']")" -gt 0 ] || bad "nothing was reinjected"
	}
	topo_link_up 2
	cut_hook=''
	say ""
	say "the server's kernel counted:"
	in_s nstat -asz 2>/dev/null | awk '/MPTcpExt(MPCapableSYNRX|MPCapableACKRX|MPJoinAckRx|MPJoinAckHMacFailure|DataCsumErr|MPCapableFallbackACK)/ { printf "  %-34s %s\n", $1, $2 }'
	local joins
	joins=$(in_s nstat -asz 2>/dev/null | awk '/MPTcpExtMPJoinAckRx/ { print $2 }')
	[ "${joins:-0}" -ge 6 ] || bad "the kernel saw ${joins:-no} joins, 6 expected"
	if [ $fails = 0 ]; then
		awk -v a="${d1:-0}" -v b="${d2:-0}" -v c="${u1:-0}" -v d="${u2:-0}" 'BEGIN {
			if (b < 1.5 * a || d < 1.5 * c) exit 1 }' || bad "two paths are not clearly faster than one"
	fi
	if [ $fails = 0 ]; then
		say "all as it should be"
	else
		say "$fails thing(s) wrong"
		exit 1
	fi
}
main
