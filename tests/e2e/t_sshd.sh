#!/bin/bash
# sshd under mptcp-run: privilege separation, and a user in a chroot
. tests/lib/e2e.sh
need ssh sftp ssh-keygen /usr/sbin/sshd
need_users sshd nobody
[ "$(stat -c %u /)" = 0 ] || skip "sshd takes no chroot below a / that is another user's"
e2e_start
mkdir -p "$tmp/www"
make_file "$tmp/www/file" 10
jail=$(mktemp -d /run/mptcp-jail.XXXXXX)
mkdir -p /run/sshd "$tmp/ssh" || fail "directories"
chmod 755 "$jail"
chown root:root "$jail"
ssh-keygen -q -t ed25519 -N '' -f "$tmp/ssh/host"
ssh-keygen -q -t ed25519 -N '' -f "$tmp/ssh/id"
cat >"$tmp/ssh/config" <<EOF
Port 2222
HostKey $tmp/ssh/host
AuthorizedKeysFile $tmp/ssh/id.pub
StrictModes no
UsePAM no
PidFile none
Subsystem sftp internal-sftp
Match User nobody
	ChrootDirectory $jail
	ForceCommand internal-sftp
EOF
cp "$tmp/www/file" "$jail/file"; chmod 644 "$jail/file"
# root may be locked here ("!"), which sshd without PAM refuses
sed 's/^root:[^:]*/root:*/' /etc/shadow >"$tmp/ssh/shadow" || fail "shadow"
sshd_host()
{
	in_s unshare --mount sh -c 'mount --bind "$0" /etc/shadow && exec "$@"' "$tmp/ssh/shadow" "$@"
}
# shellcheck disable=SC2086
sshd_host "$run" $tun_s4 -- /usr/sbin/sshd -D -e -f "$tmp/ssh/config" >"$tmp/sshd.out" 2>&1 &
ssh_opts="-i $tmp/ssh/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=5"
ssh_root() { in_c mptcpize run ssh $ssh_opts -p 2222 root@10.8.1.2 "$@"; }
wait_for 8 ssh_root true || fail "ssh: $(cat "$tmp/sshd.out")"
ssh_root cat "$tmp/www/file" >"$tmp/got" || fail "ssh cat"
same "$tmp/got" || fail "ssh cat: differs"
echo "get /file $tmp/got2" | in_c mptcpize run sftp $ssh_opts -P 2222 -b - nobody@10.8.1.2 >/dev/null || fail "chrooted sftp: $(tail -5 "$tmp/sshd.out")"
same "$tmp/got2" || fail "chrooted sftp: differs"
