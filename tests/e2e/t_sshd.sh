#!/bin/bash
# sshd with privilege separation under mptcp-run
. tests/lib/e2e.sh
need ssh ssh-keygen /usr/sbin/sshd
need_users sshd
e2e_start
. tests/lib/sshd.sh
make_file "$tmp/file" 10
sshd_start
ssh_root cat "$tmp/file" >"$tmp/got" || fail "ssh cat"
same "$tmp/got" || fail "ssh cat: differs"
[ "$(ssh_root sha256sum <"$tmp/file")" = "$sum" ] || fail "ssh, input: differs"
