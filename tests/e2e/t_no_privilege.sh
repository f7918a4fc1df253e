#!/bin/bash
# a user without privilege and without a device of his own is refused in one line
. tests/lib/e2e.sh
need setpriv
need_users nobody
e2e_start
# the tree may be closed to others
mkdir -p "$tmp/bin"
cp "${run%/*}"/mptcp-run "${run%/*}"/mptcp-stackd "${run%/*}"/libmptcp-shim.so "$tmp/bin/"
t1=${tun_c4% --tun *}
# shellcheck disable=SC2086
in_c setpriv --reuid=nobody --regid=nogroup --clear-groups --inh-caps=-all "$tmp/bin/mptcp-run" $t1 -- true 2>"$tmp/err"
[ $? = 125 ] || fail "no privilege, and no refusal: $(cat "$tmp/err")"
[ "$(wc -l <"$tmp/err")" = 1 ] || fail "not one line: $(cat "$tmp/err")"
grep -qiE 'privilege|permission|CAP_NET_ADMIN' "$tmp/err" || fail "no cause: $(cat "$tmp/err")"
in_c ip link show mp1 >/dev/null 2>&1 && fail "left mp1 behind"
exit 0
