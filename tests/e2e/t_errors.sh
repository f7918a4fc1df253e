#!/bin/bash
# what goes wrong at the start is one line with cause and remedy, exit 125, and
# nothing is left behind
. tests/lib/e2e.sh
e2e_start
expect()
{
	local rc=$1 want=$2 got lines
	shift 2
	in_c "$@" >"$tmp/out" 2>"$tmp/err"
	got=$?
	[ $got = "$rc" ] || fail "$*: exit $got, $rc expected: $(cat "$tmp/err")"
	lines=$(wc -l <"$tmp/err")
	[ "$lines" = 1 ] || fail "$*: $lines lines: $(cat "$tmp/err")"
	grep -qiE "$want" "$tmp/err" || fail "$*: not '$want': $(cat "$tmp/err")"
	in_c ip link show mp1 >/dev/null 2>&1 && fail "$*: left mp1 behind"
	return 0
}
t1=${tun_c4% --tun *}
expect 125 'tun' "$run" -- true
expect 125 'unknown option|unrecognized|invalid option' "$run" --bogus -- true
expect 125 'mptcp' "$run" $t1 --mptcp maybe -- true
expect 125 'address|addr' "$run" --tun mp1,addr=300.1.1.1/24,peer=10.7.1.1 -- true
expect 125 'command' "$run" $t1
expect 127 'not found|no such' "$run" $t1 -- /nonexistent/program
touch "$tmp/plain"
expect 126 'permission|execut' "$run" $t1 -- "$tmp/plain"
# an address that the host has already
in_c ip link add dum0 type veth peer name dum1
in_c ip addr add 10.7.1.2/24 dev dum0
in_c ip link set dum0 up
expect 125 'in use|already' "$run" $t1 -- true
in_c ip link del dum0
# an unwritable file
expect 125 'stats' "$run" $t1 --stats-json /nonexistent/dir/s.json -- true
