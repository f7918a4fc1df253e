#!/bin/bash
# sshd under mptcp-run with a user in a chroot
. tests/lib/e2e.sh
need ssh sftp ssh-keygen /usr/sbin/sshd
need_users sshd nobody
[ "$(stat -c %u /)" = 0 ] || skip "sshd takes no chroot below a / that is another user's"
e2e_start
. tests/lib/sshd.sh
make_file "$tmp/file" 10
jail=$(mktemp -d /run/mptcp-jail.XXXXXX)
chmod 755 "$jail"
cp "$tmp/file" "$jail/file"
chmod 644 "$jail/file"
sshd_start "Match User nobody" "	ChrootDirectory $jail" "	ForceCommand internal-sftp"
# shellcheck disable=SC2086
echo "get /file $tmp/got" | in_c mptcpize run sftp $ssh_opts -P 2222 -b - nobody@10.8.1.2 >/dev/null ||
	fail "chrooted sftp: $(tail -5 "$tmp/sshd.out")"
same "$tmp/got" || fail "chrooted sftp: differs"
