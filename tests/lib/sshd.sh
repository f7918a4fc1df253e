# shellcheck shell=bash
# sshd.sh - sshd on the server host under mptcp-run, with keys of its own; sourced
# after e2e.sh

ssh_opts="-i $tmp/ssh/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null
	-o LogLevel=ERROR -o ConnectTimeout=5"
# shellcheck disable=SC2086
ssh_root() { in_c mptcpize run ssh $ssh_opts -p 2222 root@10.8.1.2 "$@"; }

# sshd_start LINE...: more lines of its configuration
sshd_start()
{
	mkdir -p /run/sshd "$tmp/ssh" || fail "directories"
	ssh-keygen -q -t ed25519 -N '' -f "$tmp/ssh/host"
	ssh-keygen -q -t ed25519 -N '' -f "$tmp/ssh/id"
	cat >"$tmp/ssh/config" <<-EOF
	Port 2222
	HostKey $tmp/ssh/host
	AuthorizedKeysFile $tmp/ssh/id.pub
	StrictModes no
	UsePAM no
	PidFile none
	Subsystem sftp internal-sftp
	EOF
	printf '%s\n' "$@" >>"$tmp/ssh/config"
	# root may be locked here ("!"), which sshd without PAM refuses
	sed 's/^root:[^:]*/root:*/' /etc/shadow >"$tmp/ssh/shadow" 2>/dev/null ||
		echo 'root:*:1::::::' >"$tmp/ssh/shadow"
	# shellcheck disable=SC2016,SC2086
	in_s unshare --mount sh -c 'mount --bind "$0" /etc/shadow && exec "$@"' "$tmp/ssh/shadow" \
		"$run" $tun_s4 -- /usr/sbin/sshd -D -e -f "$tmp/ssh/config" >"$tmp/sshd.out" 2>&1 &
	wait_for 8 ssh_root true || fail "ssh: $(cat "$tmp/sshd.out")"
}
