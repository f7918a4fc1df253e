#!/bin/bash
# demo.sh - the main job, measured: an unmodified curl over Multipath TCP in
# userspace, against an unmodified nginx over the kernel's Multipath TCP, over
# two links of 100 Mbit/s; then our own stack at both ends, encrypted, with a
# look at what travels (demo_sealed.sh).  See `make help`.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/lib/deps.sh
. tests/lib/topo.sh
. tests/demo_sealed.sh

size_mb=${DEMO_MB:-60}
fails=0 job='' tmp=''

say() { printf '%s\n' "$*"; }
bad() { say "  WRONG: $*"; fails=$((fails + 1)); }

cleanup()
{
	trap '' INT TERM HUP
	trap - EXIT
	[ -z "$job" ] || kill -TERM -- "-$job" 2>/dev/null
	topo_down
	[ -z "${tmp:-}" ] || rm -rf "$tmp"
}

# in_group COMMAND...: in a process group of its own, so that an interrupt ends it
in_group()
{
	local rc
	set -m
	"$@" >build/demo-build.log 2>&1 </dev/null &
	job=$!
	set +m
	wait "$job"
	rc=$?
	job=''
	return $rc
}

# progress PID: how much has arrived, at curl or at the server, until PID ends;
# on a terminal in one line that is overwritten, elsewhere every 2 seconds
progress()
{
	local pid=$1 n i=0
	while kill -0 "$pid" 2>/dev/null; do
		n=$(find "$tmp/got" "$tmp/body" "$tmp/www/up" -type f -printf '%s\n' 2>/dev/null | head -1)
		n=${n:-0}
		if [ -t 1 ]; then
			printf '\r    %4d of %d MB ' $((n / 1000000)) "$size_mb"
		elif [ $((i += 1)) = 10 ]; then
			i=0
			printf '    %4d of %d MB\n' $((n / 1000000)) "$size_mb"
		fi
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

# transfer NAME TUNS DIRECTION: one, checked; curl's own time is in $secs
transfer()
{
	local what=$1 tuns=$2 dir=$3 rc pid file=$tmp/got
	rm -f "$tmp/got" "$tmp/www/up/file" "$tmp/stats.json"
	set -- -o "$tmp/got" http://10.9.0.1/file
	if [ "$dir" = up ]; then
		file=$tmp/www/up/file
		set -- -T "$tmp/www/file" http://10.9.0.1/up/file
	fi
	# shellcheck disable=SC2086
	in_c build/mptcp-run $tuns --mptcp require --stats-json "$tmp/stats.json" -- \
		curl -sS -w '%{stderr}%{time_total}' "$@" 2>"$tmp/err" &
	pid=$!
	[ -z "${cut_hook:-}" ] || { sleep 1.5; $cut_hook; }
	progress $pid
	wait $pid
	rc=$?
	[ $rc = 0 ] || { bad "$what: curl ended with $rc: $(cat "$tmp/err")"; return 1; }
	secs=$(tail -n 1 "$tmp/err")
	[ "$(sha256sum <"$file")" = "$sum" ] || { bad "$what: SHA-256 differs"; return 1; }
}

# report NAME VARIABLE: goodput of the last transfer, into the variable too
report()
{
	local mbit
	mbit=$(awk -v mb="$size_mb" -v s="$secs" 'BEGIN { printf "%.1f", mb * 8 / s }')
	printf '  %-22s %6s Mbit/s  %s  SHA-256 right\n' "$1" "$mbit" "$(subflows)"
	eval "$2=$mbit"
}

# mode, and what each subflow carried
subflows()
{
	js "d['connections'][-1]['mode'] + ': ' + ', '.join('%s %.0f MB' % (
		s['local'].rsplit(':', 1)[0], (s['bytes_sent'] + s['bytes_received']) / 1e6)
		for s in d['connections'][-1]['subflows'] if s['established'])"
}

# path 2 fails while a transfer runs: it completes, and in an upload what was
# lost was sent again by us
survives()
{
	local how=$1 heal=$3 again
	cut_hook=$2
	transfer "download, $how" "$tun_c4" down && report "download completes" x
	$heal 2
	if transfer "upload, $how" "$tun_c4" up; then
		report "upload completes" x
		again=$(js "d['connections'][-1]['bytes_reinjected']")
		say "    octets that we sent again on the other path: $again"
		[ "$again" -gt 0 ] || bad "nothing was sent again"
	fi
	$heal 2
	cut_hook=''
}

main()
{
	[ "$(id -u)" = 0 ] || { say "make demo needs root: it makes network namespaces and TUN devices."; exit 1; }
	deps_need build demo || exit 1
	say "building"
	mkdir -p build
	trap cleanup EXIT
	trap 'exit 130' INT TERM HUP
	in_group "${MAKE:-make}" --no-print-directory -j"$(nproc)" all || { tail -20 build/demo-build.log; exit 1; }
	[ -e /proc/sys/net/mptcp/enabled ] || { say "this kernel has no Multipath TCP: the demo's server needs it"; exit 1; }
	[ -w /dev/net/tun ] || { say "no access to /dev/net/tun: load the module tun"; exit 1; }
	tmp=$(mktemp -d /tmp/mptcp-demo.XXXXXX) || exit 1
	export XDG_STATE_HOME=$tmp/state # nothing is left in the user's
	topo_up && topo_rate 100mbit || { say "cannot make the namespaces and their links"; exit 1; }
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
	survives cut "topo_cut 2" topo_heal
	say "path 2's link goes down, mid-transfer:"
	survives "link down" "topo_link_down 2" topo_link_up
	say ""
	say "the server's kernel counted:"
	in_s nstat -asz 2>/dev/null | awk '/MPTcpExt(MPCapableSYNRX|MPCapableACKRX|MPJoinAckRx|MPJoinAckHMacFailure|DataCsumErr|MPCapableFallbackACK)/ { printf "  %-34s %s\n", $1, $2 }'
	local joins
	joins=$(in_s nstat -asz 2>/dev/null | awk '/MPTcpExtMPJoinAckRx/ { print $2 }')
	[ "${joins:-0}" -ge 6 ] || bad "the kernel saw ${joins:-no} joins, 6 expected"
	sealed_part
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
