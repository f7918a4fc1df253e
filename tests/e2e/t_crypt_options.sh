#!/bin/bash
# options of encryption: what is wrong at the start is one line, the key log is
# the user's alone, and what was asked for is what the statistics show
. tests/lib/e2e.sh
e2e_start
t1=${tun_c4% --tun *}
# refused WORDS OPTION...: exit 125, one line with the words, nothing left behind
refused()
{
	local want=$1 rc
	shift
	# shellcheck disable=SC2086
	in_c "$run" $t1 "$@" -- true >"$tmp/out" 2>"$tmp/err"
	rc=$?
	[ $rc = 125 ] || fail "$*: exit $rc: $(cat "$tmp/err")"
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "$*: not one line: $(cat "$tmp/err")"
	grep -qE -- "$want" "$tmp/err" || fail "$*: not '$want': $(cat "$tmp/err")"
	in_c ip link show mp1 >/dev/null 2>&1 && fail "$*: left mp1 behind"
	return 0
}
refused 'off, prefer, require-any or require' --crypt=yes
refused 'use --crypt=require-any, or --mptcp=prefer' --crypt=require --mptcp=off
refused 'off, warn or enforce' --crypt-memory=on
refused 'x25519, x448, p256 or p521' --crypt-kx=x25519,dh
refused 'aes128gcm, aes256gcm or chacha20' --crypt-ciphers=rc4
refused 'twice' --crypt-ciphers=chacha20,chacha20
refused '64M, 10min' --crypt-rekey=often
refused 'on or off' --crypt-resume=2
# the key log
touch "$tmp/open" && chmod 644 "$tmp/open"
refused 'others may read it.*chmod 600' --keylog="$tmp/open"
ln -s "$tmp/target" "$tmp/link"
refused 'symbolic link' --keylog="$tmp/link"
[ ! -e "$tmp/target" ] || fail "made a file through a symbolic link"
mkfifo -m 600 "$tmp/fifo"
refused 'no regular file' --keylog="$tmp/fifo"
refused 'no regular file' --keylog=/dev/null
refused 'No such file' --keylog="$tmp/none/keys"
# rights that the user does not have: by set-user-ID, and by capabilities
mkdir -m 755 "$tmp/bin"
cp "${run%/*}"/{mptcp-run,mptcp-stackd,libmptcp-shim.so} "$tmp/bin"
as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
if as_user true 2>/dev/null; then
	for how in "chmod u+s" "setcap cap_net_admin+ep"; do
		rm -f "$tmp/bin/mptcp-run"
		cp "$run" "$tmp/bin/mptcp-run"
		$how "$tmp/bin/mptcp-run" 2>/dev/null || continue
		# shellcheck disable=SC2086
		as_user "$tmp/bin/mptcp-run" $t1 --keylog="/tmp/$TOPO.keys" -- true >"$tmp/out" 2>"$tmp/err"
		[ $? = 125 ] && grep -q 'keylog: refused.*rights' "$tmp/err" || fail "$how: $(cat "$tmp/err")"
		[ ! -e "/tmp/$TOPO.keys" ] || fail "$how: a key log was made"
	done
fi
# it fails after the key log was made: that goes with it
refused 'does not exist' --keylog="$tmp/made" --crypt-memory-file="$tmp/none/known"
[ ! -e "$tmp/made" ] || fail "a start that failed left its key log"
touch "$tmp/wide" && chmod 666 "$tmp/wide"
refused 'others may write it.*chmod go-w' --crypt-memory-file="$tmp/wide"
# what was asked for is what is done: both ends ours
mkdir -p "$tmp/srv"
make_file "$tmp/srv/file" 3
# shellcheck disable=SC2086
(cd "$tmp/srv" && exec ip netns exec "$topo_s" "$run" $tun_s4 --crypt-kx=x448,p521,p256,x25519 --crypt-rekey=1M \
	--keylog "$tmp/skeys" --stats-json "$tmp/server.json" -- python3 -m http.server 80 --bind :: >/dev/null 2>"$tmp/srv.err") &
wait_for 8 test -s "$tmp/server.json" || fail "no server: $(cat "$tmp/srv.err")"
sleep 0.5
get()
{
	# shellcheck disable=SC2086
	in_c "$run" $tun_c4 --stats-json "$tmp/stats.json" "$@" -- \
		curl -sS -o "$tmp/got" --retry 5 --retry-connrefused http://10.8.1.2/file || fail "$*: curl: $?"
	same "$tmp/got" || fail "$*: download differs"
	js "(lambda c: '%s %s %s' % (c['mode'], c['encryption']['key_exchange'], c['encryption']['cipher']))(d['connections'][0])"
}
for w in "x25519 aes128gcm" "x448 chacha20" "p256 aes256gcm" "p521 aes128gcm"; do
	got=$(get --crypt-kx="${w% *}" --crypt-ciphers="${w#* }" --keylog "$tmp/keys")
	[ "$got" = "smtcp $w" ] || fail "asked for $w, got $got"
	id=$(js "d['connections'][0]['encryption']['session_id']")
	grep -qE "^TCPCRYPT_MK0 [0-9a-f]{64} 00[01][012] ab [0-9a-f]{64} $id\$" "$tmp/keys" || fail "$w: not in the key log: $(cat "$tmp/keys")"
	grep -q " $id\$" "$tmp/skeys" || fail "$w: not in the server's key log"
done
[ "$(stat -c %a "$tmp/keys")" = 600 ] || fail "key log: mode $(stat -c %a "$tmp/keys")"
[ "$(wc -l <"$tmp/keys")" = 4 ] || fail "four runs did not append: $(cat "$tmp/keys")"
# the server rekeys by volume, and we answer; key pairs were made ahead
n=$(js "min(d['connections'][0]['encryption'][k] for k in ('rekeyings_sent', 'rekeyings_received'))")
[ "$n" -ge 2 ] || fail "no rekeying: $(js "d['connections'][0]['encryption']")"
[ "$(js "d['counters']['CryptKeysAhead']")" -ge 16 ] || fail "no key pairs made ahead"
# resumption, and none
# shellcheck disable=SC2086
for w in on off; do
	in_c "$run" $tun_c4 --crypt-resume=$w --stats-json "$tmp/stats.json" -- sh -c \
		'for i in 1 2; do curl -sS -o /dev/null http://10.8.1.2/file || exit; done' || fail "twice: $?"
	n=$(js "sum(c['encryption']['resumed'] for c in d['connections'])")
	[ $w-"$n" = on-1 ] || [ $w-"$n" = off-0 ] || fail "--crypt-resume=$w: $n of 2 resumed"
done
# -v names mode and session
# shellcheck disable=SC2086
in_c "$run" $tun_c4 -vv --wait -- curl -sS -o /dev/null http://10.8.1.2/file 2>"$tmp/err" || fail "-vv: $?"
grep -qE '> 10.8.1.2:80 smtcp, 2 subflows, sent [0-9]+, received [0-9]+, closed' "$tmp/err" || fail "-v: $(cat "$tmp/err")"
grep -qE 'session a0[0-9a-f]{64}, role A' "$tmp/err" || fail "no session: $(cat "$tmp/err")"
# no secret in any ordinary output
for k in $(cut -d' ' -f5 "$tmp/keys" "$tmp/skeys"); do
	grep -rqF "$k" "$tmp/err" "$tmp/stats.json" "$tmp/server.json" "$tmp/srv.err" && fail "a secret in the open"
done
exit 0
