#!/bin/bash
# nginx as a proxy with workers of another user; sshd with privilege
# separation and a chrooted user, under mptcp-run
. tests/lib/e2e.sh
e2e_start
kernel_server
make_file "$tmp/www/file" 10
mkdir -p "$tmp/px"; chmod 777 "$tmp/px"
cat >"$tmp/proxy.conf" <<EOF
daemon off; pid $tmp/proxy.pid; error_log $tmp/proxy.err; user www-data; worker_processes 2;
events { worker_connections 256; }
http { access_log off; client_body_temp_path $tmp/px/b; proxy_temp_path $tmp/px/p;
  fastcgi_temp_path $tmp/px/f; uwsgi_temp_path $tmp/px/u; scgi_temp_path $tmp/px/s;
  server { listen 127.0.0.1:8080; location / { proxy_pass http://10.9.0.1; proxy_buffering off; } } }
EOF
# shellcheck disable=SC2086
in_c "$run" $tun_c4 -- nginx -c "$tmp/proxy.conf" -p "$tmp/px" >"$tmp/px.out" 2>&1 &
wait_for 8 listens_c 8080 || fail "proxy: $(cat "$tmp/px.out" "$tmp/proxy.err")"
in_c curl -sS -o "$tmp/got" http://127.0.0.1:8080/file || fail "through the proxy: $?"
same "$tmp/got" || fail "through the proxy: differs"
[ "$(counter "$topo_s" MPTcpExtMPCapableACKRX)" -ge 1 ] || fail "the proxy did not use Multipath TCP"

jail=$(mktemp -d /run/mptcp-jail.XXXXXX)
trap "rm -rf $jail; e2e_end" EXIT
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
# shellcheck disable=SC2086
in_s "$run" $tun_s4 -- /usr/sbin/sshd -D -e -f "$tmp/ssh/config" >"$tmp/sshd.out" 2>&1 &
ssh_opts="-i $tmp/ssh/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=5"
ssh_root() { in_c mptcpize run ssh $ssh_opts -p 2222 root@10.8.1.2 "$@"; }
wait_for 8 ssh_root true || fail "ssh: $(cat "$tmp/sshd.out")"
ssh_root cat "$tmp/www/file" >"$tmp/got" || fail "ssh cat"
same "$tmp/got" || fail "ssh cat: differs"
echo "get /file $tmp/got2" | in_c mptcpize run sftp $ssh_opts -P 2222 -b - nobody@10.8.1.2 >/dev/null || fail "chrooted sftp: $(tail -5 "$tmp/sshd.out")"
same "$tmp/got2" || fail "chrooted sftp: differs"
