#!/bin/bash
# programs that the preload cannot reach are refused, at the start and at exec
. tests/lib/e2e.sh
need gcc
e2e_start
printf 'int main(void) { return 0; }\n' >"$tmp/s.c"
gcc -static -o "$tmp/static" "$tmp/s.c" || skip "no static libc"
t1=${tun_c4% --tun *}
# shellcheck disable=SC2086
in_c "$run" $t1 -- "$tmp/static" 2>"$tmp/err"
[ $? = 125 ] || fail "a static program was run"
grep -q static "$tmp/err" || fail "no reason: $(cat "$tmp/err")"
[ "$(wc -l <"$tmp/err")" = 1 ] || fail "more than one line"
# shellcheck disable=SC2086
in_c "$run" $t1 -- sh -c "$tmp/static; echo rc \$?" >"$tmp/out" 2>"$tmp/err"
grep -q 'rc 12[56]' "$tmp/out" || fail "exec of a static program went through: $(cat "$tmp/out" "$tmp/err")"
grep -q static "$tmp/err" || fail "exec: no reason: $(cat "$tmp/err")"
gcc -o "$tmp/suid" "$tmp/s.c" && chmod 4755 "$tmp/suid"
# shellcheck disable=SC2086
in_c "$run" $t1 -- "$tmp/suid" 2>"$tmp/err"
[ $? = 125 ] || fail "a set-user-ID program was run"
# a cleaned environment does not lose the preload
kernel_server
make_file "$tmp/www/file" 1
# shellcheck disable=SC2086
in_c "$run" $t1 --stats-json "$tmp/stats.json" -- env -i /usr/bin/env curl -sS -o "$tmp/got" http://10.9.0.1/file || fail "env -i: $?"
same "$tmp/got" || fail "env -i: differs"
[ "$(js "len(d['connections'])")" -ge 1 ] || fail "env -i: the connection did not use the stack"
