#!/bin/bash
# a destination that was encrypted and is not any more: warned of, or refused;
# the file of them is the user's alone and joined by runs at the same time
# also over IPv6
. tests/lib/e2e.sh
e2e_start
known=$tmp/state/mptcp/known
mkdir -p "$tmp/srv"
echo content >"$tmp/srv/file"
# as the file and the messages have it
[ "$family" = 4 ] && at=10.8.1.2 here=10.8.1.2 || { at=fd08:1::2 here='\[fd08:1::2\]'; }
server=''
# serve OPTION...: the server at $ours, with other options than before
serve()
{
	[ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null; }
	wait_for 15 eval '! ip -n "$topo_s" link show mq1 >/dev/null 2>&1' || fail "the old server's device stays"
	# shellcheck disable=SC2086
	(cd "$tmp/srv" && XDG_STATE_HOME=$tmp/sstate exec ip netns exec "$topo_s" "$run" $tun_s1 \
		"$@" --wait -- python3 -m http.server 80 --bind "$ours" >/dev/null 2>"$tmp/srv.err") &
	server=$!
	wait_for 8 eval '[ -n "$(in_c curl -s --max-time 1 "$ours_url/file")" ]' || fail "no server: $(cat "$tmp/srv.err")"
}
# get RC OPTION...: exit status of curl
get()
{
	local want=$1 rc
	shift
	# shellcheck disable=SC2086
	in_c "$run" $tun_c1 --wait "$@" -- curl -sS -o "$tmp/got" --max-time 8 "$ours_url/file" 2>"$tmp/err"
	rc=$?
	[ $rc = "$want" ] || fail "$*: curl $rc, $want expected: $(cat "$tmp/err")"
}
silent() { ! grep -q mptcp-run: "$tmp/err" || fail "$1: $(cat "$tmp/err")"; }
says() { [ "$(grep -cE "$1" "$tmp/err")" = 1 ] || fail "not '$1' once: $(cat "$tmp/err")"; }
serve
get 0 --crypt-memory=off
[ ! -e "$tmp/state" ] || fail "off, and it writes"
get 0
silent "the first time"
grep -qE "^$at 80 smtcp [0-9]+ [0-9]+\$" "$known" || fail "not remembered: $(cat "$known")"
[ "$(stat -c '%a %a' "$known" "$tmp/state/mptcp" | xargs)" = "600 600 700 700" ] || fail "modes: $(stat -c %a "$known" "$tmp/state/mptcp")"
was=$(stat -c %i "$known")
get 0 --crypt-memory=enforce
silent "as before"
[ "$(stat -c %i "$known")" = "$was" ] || fail "written without news"
# less than before: encrypted, and a single stream
get 0 --mptcp=off
says "$here:80: encrypted, but without Multipath TCP: .*earlier it was smtcp"
get 7 --mptcp=off --crypt-memory=enforce
says "$here:80 refused: encrypted, but without Multipath TCP: .*switched off here; earlier it was smtcp"
[ "$family" = 4 ] || exit 0
# nothing of it
serve --crypt=off
get 0
says '10.8.1.2:80: not encrypted: no ENO option in the SYN-ACK; earlier it was smtcp .*--crypt-memory=enforce would refuse'
cmp -s "$tmp/got" "$tmp/srv/file" || fail "warned, and the download differs"
get 0 -q
silent "quiet"
get 0 --crypt-memory=off
silent off
get 0 --crypt=off
silent "--crypt=off"
# shellcheck disable=SC2086
in_c "$run" $tun_c1 --wait -- sh -c "for i in 1 2 3; do curl -sS -o /dev/null $ours_url/file; done" 2>"$tmp/err"
says 'earlier it was' # once in a run
get 7 --crypt-memory=enforce --stats-json "$tmp/stats.json"
says "10.8.1.2:80 refused: not encrypted: no ENO .*delete its line in $known"
[ "$(js "d['counters']['MPTcpExtCryptWeaker'], d['counters']['MPTcpExtCryptRefused']")" = "1 1" ] || fail "not counted"
sed -i '/^10.8.1.2 80 /d' "$known"
get 0 --crypt-memory=enforce
silent "forgotten"
# runs at the same time: what each found is there
serve
# shellcheck disable=SC2086
in_c "$run" $tun_c1 --wait -- sh -c "curl -sS -o /dev/null $ours_url/file; sleep 3" &
sleep 1
echo "192.0.2.7 443 tcpcrypt 1 $(date +%s)" >>"$known"
wait $!
grep -q '^10.8.1.2 80 smtcp' "$known" && grep -q '^192.0.2.7 443 tcpcrypt' "$known" || fail "not joined: $(cat "$known")"
# a file that others may write is not believed, nor changed
sum=$(sha256sum <"$known")
chmod 666 "$known"
get 0
says 'known: others may write it .mode 666.; chmod go-w it'
same "$known" || fail "changed a file that is not to be believed"
# nowhere to keep it
# shellcheck disable=SC2086
(unset XDG_STATE_HOME HOME; in_c "$run" $tun_c1 -v --wait -- curl -sS -o /dev/null "$ours_url/file") 2>"$tmp/err" || fail "without a home: $?"
says 'no home directory: .*for this run only'
exit 0
