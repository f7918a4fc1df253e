#!/bin/bash
# policies of encryption against each other, and against the kernel's Multipath
# TCP and plain TCP, both ways: what smtcp(7) has in its tables, and not one
# octet of a program's data where a connection is refused
. tests/lib/e2e.sh
e2e_start
kernel_server
mkdir -p "$tmp/srv"
echo "the content of the file" >"$tmp/www/file"
cp "$tmp/www/file" "$tmp/srv/file"
# the kernel, without Multipath TCP, on port 81
(cd "$tmp/www" && exec ip netns exec "$topo_s" python3 -m http.server 81 --bind 10.9.0.1 >/dev/null 2>&1) &
# four servers of ours, one for each policy: 10.8.1.11 to .14
i=0
for w in off prefer require-any require; do
	i=$((i + 1))
	(cd "$tmp/srv" && exec ip netns exec "$topo_s" "$run" --tun "ms$i,addr=10.8.1.1$i/32,peer=10.8.1.2$i" \
		--crypt=$w -v -- python3 -m http.server 80 --bind 10.8.1.1$i >/dev/null 2>"$tmp/srv$i.err") &
done
cat >"$tmp/all.sh" <<-'EOF'
	for u in 10.8.1.11:80 10.8.1.12:80 10.8.1.13:80 10.8.1.14:80 10.9.0.1:80 10.9.0.1:81; do
		got=$(curl -sS --max-time 8 "http://$u/file?canary-of-the-client") || got="refused"
		echo "$u $got"
	done
EOF
t1=${tun_c4% --tun *}
# open WANT OPTION...: one word for each of the six servers
open()
{
	local want=$1 got
	shift
	# shellcheck disable=SC2086
	in_c "$run" $t1 "$@" --crypt-memory=off --stats-json "$tmp/stats.json" --pcapng "$tmp/all.pcapng" -- \
		sh "$tmp/all.sh" >"$tmp/out" 2>"$tmp/err" || fail "$*: $?"
	got=$(python3 - "$tmp/stats.json" "$tmp/out" <<-'EOF'
		import json, sys
		mode = {c['remote']: c['mode'] for c in json.load(open(sys.argv[1]))['connections'] if c['bytes_received']}
		for line in open(sys.argv[2]):
		    u, what = line.rstrip('\n').split(' ', 1)
		    print('refused' if what == 'refused' else mode[u] if what == 'the content of the file' else '?', end=' ')
	EOF
	)
	[ "${got% }" = "$want" ] || fail "$*: $got, and not $want: $(cat "$tmp/err")"
	# a request in the open where it may be, and nowhere else
	case " $want " in
	*" tcp "* | *" mptcp "*) grep -qF canary-of-the-client "$tmp/all.pcapng" || fail "$*: the control sees nothing" ;;
	*) ! grep -qF canary-of-the-client "$tmp/all.pcapng" || fail "$*: the request is on the wire" ;;
	esac
}
for i in 11 12 13 14; do
	wait_for 8 in_c curl -s -o "$tmp/got" --max-time 1 "http://10.8.1.$i/file" || [ "$i" -gt 12 ] || fail "no server 10.8.1.$i: $(cat "$tmp/srv"*.err)"
done
#                        off     prefer   require-any require kernel  plain
open "mptcp mptcp refused refused mptcp tcp" --crypt=off
open "mptcp smtcp smtcp smtcp mptcp tcp" --crypt=prefer
open "refused smtcp smtcp smtcp refused refused" --crypt=require-any
[ "$(grep -c 'refused: it is not encrypted: no ENO option in the SYN-ACK; --crypt=prefer' "$tmp/err")" = 3 ] ||
	fail "not one line for each refusal: $(cat "$tmp/err")"
open "refused smtcp smtcp smtcp refused refused" --crypt=require
open "tcp tcpcrypt tcpcrypt refused tcp tcp" --crypt=prefer --mptcp=off
open "refused tcpcrypt tcpcrypt refused refused refused" --crypt=require-any --mptcp=off
open "mptcp smtcp smtcp smtcp mptcp refused" --crypt=prefer --mptcp=require
open "refused smtcp smtcp smtcp refused refused" --crypt=require-any --mptcp=require
# what is left to the kernel is never encrypted, and never refused
# shellcheck disable=SC2086
in_c "$run" $t1 --crypt=require --exclude 10.9.0.0/16 -- curl -sS -o "$tmp/got" http://10.9.0.1/file || fail "excluded: $?"
cmp -s "$tmp/got" "$tmp/www/file" || fail "excluded: differs"
# the kernel opens, with and without Multipath TCP
for wrap in "mptcpize run" ""; do
	for i in 1 2 3 4; do
		# shellcheck disable=SC2086
		in_c $wrap curl -sS -o "$tmp/got" --max-time 8 "http://10.8.1.1$i/file" 2>/dev/null
		rc=$?
		[ $i -le 2 ] && { [ $rc = 0 ] || fail "the kernel ($wrap) to server $i: curl $rc"; }
		[ $i -le 2 ] || [ $rc = 7 ] || [ $rc = 56 ] || fail "the kernel ($wrap) to server $i: curl $rc"
	done
done
grep -qE 'refused clients without what --crypt .*, [0-9]+ by now' "$tmp/srv3.err" || fail "the log of the server: $(cat "$tmp/srv3.err")"
grep -q refused "$tmp/srv2.err" && fail "the log of the server: $(cat "$tmp/srv2.err")"
exit 0
