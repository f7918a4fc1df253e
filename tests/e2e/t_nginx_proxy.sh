#!/bin/bash
# nginx under mptcp-run as a proxy, with workers of another user
. tests/lib/e2e.sh
need_users www-data
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
