#!/bin/bash
# our server (nginx under mptcp-run), the kernel's Multipath TCP client
. tests/lib/e2e.sh
e2e_start
mkdir -p "$tmp/www/up" "$tmp/body"; chmod 777 "$tmp/www/up" "$tmp/body"
make_file "$tmp/www/file" 20
cat >"$tmp/nginx.conf" <<EOF
$(nginx_who www-data) pid $tmp/nginx.pid; error_log $tmp/nginx.err;
events { worker_connections 256; }
http { access_log off; sendfile on; client_body_temp_path $tmp/body;
  proxy_temp_path $tmp/p; fastcgi_temp_path $tmp/f; uwsgi_temp_path $tmp/u; scgi_temp_path $tmp/s;
  server { listen 80; listen [::]:80; root $tmp/www; client_max_body_size 0;
    location /up/ { dav_methods PUT; } } }
EOF
# shellcheck disable=SC2086
in_s "$run" $tun_s4 $tun_s6 --stats-json "$tmp/stats.json" -- nginx -c "$tmp/nginx.conf" -p "$tmp" >"$tmp/out" 2>&1 &
wait_for 8 in_c curl -s -o /dev/null --max-time 2 http://10.8.1.2/file || fail "not reachable: $(cat "$tmp/out" "$tmp/nginx.err")"
wait_for 20 in_c sh -c "! ss -Htn state established | grep -q ." || true
for url in http://10.8.1.2 "http://[fd08:1::2]"; do
	before=$(counter "$topo_c" MPTcpExtMPJoinSynAckRx)
	in_c mptcpize run curl -sS --limit-rate 12M -o "$tmp/got" "$url/file" || fail "$url: curl $?"
	same "$tmp/got" || fail "$url: download differs"
	in_c mptcpize run curl -sS --limit-rate 12M -T "$tmp/www/file" "$url/up/f" || fail "$url: curl -T $?"
	same "$tmp/www/up/f" || fail "$url: upload differs"
	after=$(counter "$topo_c" MPTcpExtMPJoinSynAckRx)
	[ $((after - ${before:-0})) -ge 2 ] || fail "$url: the kernel client joined $((after - before)) times"
done
[ "$(counter "$topo_c" MPTcpExtMPCapableSYNACKRX)" -ge 4 ] || fail "not Multipath TCP"
no_errors "$topo_c"
