# shellcheck shell=bash disable=SC2154,SC2034
# demo_sealed.sh - the demo's second half: our stack at both ends, and a look
# at what travels; sourced by demo.sh

mark="this line must not be read on the way" # and many of them there are

# exec_in HOST COMMAND..: instead of the shell that calls it
exec_in() { exec ip netns exec "$TOPO-$1" "${@:2}"; }

# a text of $1 MB whose every line has the mark and a number
sealed_text()
{
	python3 -c "
import sys
n = $1 * 1000000 // 64
sys.stdout.write(''.join('%012d $mark %s\n' % (i, '.' * 13) for i in range(n)))"
}

sealed_server_up()
{
	cat >"$tmp/ours.conf" <<-EOF
	daemon off; master_process off; pid $tmp/ours.pid;
	error_log $tmp/ours.err; user root;
	events { worker_connections 64; }
	http {
	  access_log off; client_body_temp_path $tmp/body; proxy_temp_path $tmp/p;
	  fastcgi_temp_path $tmp/f; uwsgi_temp_path $tmp/u; scgi_temp_path $tmp/s;
	  server { listen 8080; root $tmp/www; }
	}
	EOF
	# shellcheck disable=SC2086
	exec_in s build/mptcp-run $tun_s4 --stats-json "$tmp/server.json" -- \
		nginx -c "$tmp/ours.conf" -p "$tmp" >"$tmp/ours.out" 2>&1 &
	server_pid=$!
	for _ in $(seq 50); do
		[ -s "$tmp/ours.pid" ] && return 0
		sleep 0.1
	done
	say "nginx under mptcp-run did not start:"
	cat "$tmp/ours.err" "$tmp/ours.out"
	return 1
}

capture_on()
{
	local i
	for i in 1 2; do
		# a process of its own, not a shell's child: it is told to end
		exec_in "r$i" tcpdump -q -i c -B 16384 -w "$tmp/$1.$i.pcap" tcp 2>"$tmp/dump.$i" &
		eval "dump$i=$!"
	done
	for i in $(seq 50); do
		grep -q listening "$tmp/dump.1" && grep -q listening "$tmp/dump.2" && return
		sleep 0.1
	done
	bad "no capture of the links: $(cat "$tmp/dump.1")"
}

capture_off()
{
	sleep 0.3
	# shellcheck disable=SC2154,SC2034
	kill "$dump1" "$dump2" && wait "$dump1" "$dump2"
}

# how often the mark is in the captures of one run, and how large they are
seen()
{
	python3 - "$tmp/$1.1.pcap" "$tmp/$1.2.pcap" "$mark" <<-'EOF'
	import sys
	data = [open(f, 'rb').read() for f in sys.argv[1:3]]
	print(sum(d.count(sys.argv[3].encode()) for d in data),
	      *('%.0f' % (len(d) / 1e6) for d in data))
	EOF
}

# sealed_get NAME OPTIONS..: a download from our own stack, captured
sealed_get()
{
	local name=$1 rc
	shift
	rm -f "$tmp/got" "$tmp/stats.json"
	capture_on "$name"
	# shellcheck disable=SC2086
	in_c build/mptcp-run $tun_c4 --mptcp require "$@" --stats-json "$tmp/stats.json" -- \
		curl -sS -w '%{stderr}%{time_total}' -o "$tmp/got" http://10.8.1.2:8080/text 2>"$tmp/err" &
	job_curl=$!
	progress $job_curl
	wait $job_curl
	rc=$?
	capture_off
	[ $rc = 0 ] || { bad "$name: curl ended with $rc: $(cat "$tmp/err")"; return 1; }
	secs=$(tail -n 1 "$tmp/err") # report() reads it
	[ "$(sha256sum <"$tmp/got")" = "$text_sum" ] || { bad "$name: SHA-256 differs"; return 1; }
	cp "$tmp/stats.json" "$tmp/$name.json"
}

# one field of the only connection in a report
field() { python3 -c "
import json
c = [c for c in json.load(open('$tmp/$1'))['connections']${3:-}]
print(c[-1]$2 if c else '')"; }

sealed_part()
{
	local n a b mine theirs text_sum mb=$size_mb size_mb=$((size_mb / 2))
	say ""
	say "our own stack at both ends: nginx and curl under mptcp-run, a text of $size_mb MB,"
	say "both links captured by tcpdump at their routers"
	sealed_text "$size_mb" >"$tmp/www/text"
	text_sum=$(sha256sum <"$tmp/www/text")
	sealed_server_up || { fails=$((fails + 1)); return; }
	if sealed_get sealed; then
		report "as it is" x
		read -r n a b < <(seen sealed)
		say "    the text's lines in the captures ($a and $b MB): $n"
		[ "$n" = 0 ] || bad "plaintext on the links"
		[ "$(field sealed.json "['mode']")" = smtcp ] || bad "this is not SMTCP"
	fi
	if sealed_get plain --crypt off; then
		report "with --crypt off" x
		read -r n a b < <(seen plain)
		say "    the text's lines in the captures ($a and $b MB): $n"
		[ "$n" -gt 1000 ] || bad "the capture does not see plaintext where there is some"
	fi
	kill "$server_pid" && wait "$server_pid" 2>/dev/null
	mine=$(field sealed.json "['encryption']['session_id']")
	theirs=$(field server.json "['encryption']['session_id']" " if c['mode'] == 'smtcp'")
	say "  session id, curl's:  ${mine:-none}"
	say "  session id, nginx's: ${theirs:-none}"
	if [ -z "$mine" ] || [ "$mine" != "$theirs" ]; then bad "session ids differ"; fi
	size_mb=$mb
}
