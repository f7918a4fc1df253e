# shellcheck shell=bash
# topo.sh - a client host and a server host with a router on each of two paths
#
#              +-- c1 -- r1 -- s1 --+
#    client ---+                    +--- server 10.9.0.1, fd09::1
#              +-- c2 -- r2 -- s2 --+
#
# Sourced.  Everything lives in network namespaces named after this process;
# topo_down removes them, and nothing else on the host was touched.
#
#   path i:  client 10.1.i.2 -- 10.1.i.1 router 10.2.i.1 -- 10.2.i.2 server
#            the stack's own addresses on the client: 10.7.i.2 (peer 10.7.i.1)
#            and fd07:i::2 (peer fd07:i::1), device mp<i>
#   server side stacks: 10.8.i.2 / fd08:i::2, device mq<i>
#
# topo_rate RATE limits both directions of both paths, where the hosts send into
# their links: what waits in a queue is lost too when a router cuts the path.

TOPO=${TOPO:-mpr$$}
topo_c=$TOPO-c topo_s=$TOPO-s
topo_paths=2
MPTCP_PEER=10.9.0.1
MPTCP_PEER6=fd09::1

in_c() { ip netns exec "$topo_c" "$@"; }
in_s() { ip netns exec "$topo_s" "$@"; }
in_r() { local i=$1; shift; ip netns exec "$TOPO-r$i" "$@"; }

topo_sysctl()
{
	local ns=$1
	shift
	ip netns exec "$ns" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1 \
		net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 "$@"
}

topo_path()
{
	local i=$1 r=$TOPO-r$1
	ip netns add "$r" || return
	topo_sysctl "$r"
	ip -n "$r" link set lo up
	ip link add "c$i" netns "$topo_c" type veth peer name "c" netns "$r" || return
	ip link add "s$i" netns "$topo_s" type veth peer name "s" netns "$r" || return
	ip -n "$topo_c" addr add "10.1.$i.2/24" dev "c$i"
	ip -n "$topo_c" addr add "fd01:$i::2/64" dev "c$i" nodad
	ip -n "$r" addr add "10.1.$i.1/24" dev c
	ip -n "$r" addr add "fd01:$i::1/64" dev c nodad
	ip -n "$r" addr add "10.2.$i.1/24" dev s
	ip -n "$r" addr add "fd02:$i::1/64" dev s nodad
	ip -n "$topo_s" addr add "10.2.$i.2/24" dev "s$i"
	ip -n "$topo_s" addr add "fd02:$i::2/64" dev "s$i" nodad
	ip -n "$topo_c" link set "c$i" up
	ip -n "$topo_s" link set "s$i" up
	ip -n "$r" link set c up
	ip -n "$r" link set s up
	# the router: stacks on either side, and the server's own address
	ip -n "$r" route add "10.7.$i.0/24" via "10.1.$i.2"
	ip -n "$r" route add "10.8.$i.0/24" via "10.2.$i.2"
	ip -n "$r" route add 10.9.0.1/32 via "10.2.$i.2"
	ip -n "$r" -6 route add "fd07:$i::/64" via "fd01:$i::2"
	ip -n "$r" -6 route add "fd08:$i::/64" via "fd02:$i::2"
	ip -n "$r" -6 route add fd09::1/128 via "fd02:$i::2"
	# the hosts: what enters by device mp<i> leaves by path i
	ip -n "$topo_c" rule add iif "mp$i" lookup "10$i"
	ip -n "$topo_c" route add default via "10.1.$i.1" table "10$i"
	ip -n "$topo_c" -6 rule add iif "mp$i" lookup "10$i"
	ip -n "$topo_c" -6 route add default via "fd01:$i::1" table "10$i"
	ip -n "$topo_s" rule add iif "mq$i" lookup "10$i"
	ip -n "$topo_s" route add default via "10.2.$i.1" table "10$i"
	ip -n "$topo_s" -6 rule add iif "mq$i" lookup "10$i"
	ip -n "$topo_s" -6 route add default via "fd02:$i::1" table "10$i"
	# the server's and the client's kernel reach the stacks by their path
	ip -n "$topo_s" route add "10.7.$i.0/24" via "10.2.$i.1"
	ip -n "$topo_s" -6 route add "fd07:$i::/64" via "fd02:$i::1"
	ip -n "$topo_c" route add "10.8.$i.0/24" via "10.1.$i.1"
	ip -n "$topo_c" -6 route add "fd08:$i::/64" via "fd01:$i::1"
	# the kernels' own traffic: by source address, as a multihomed host does
	ip -n "$topo_c" rule add from "10.1.$i.2" lookup "10$i"
	ip -n "$topo_c" -6 rule add from "fd01:$i::2" lookup "10$i"
	ip -n "$topo_s" rule add from "10.2.$i.2" lookup "10$i"
	ip -n "$topo_s" -6 rule add from "fd02:$i::2" lookup "10$i"
	ip -n "$topo_s" route add "10.1.$i.0/24" via "10.2.$i.1"
	ip -n "$topo_s" -6 route add "fd01:$i::/64" via "fd02:$i::1"
}

# The kernel tells IPv6 once a second which links are ready: a path without it
# drops what the first second brings.
topo_wait_ipv6()
{
	local ns dev i
	for ns in $(ip netns list | awk -v p="$TOPO-" 'index($1, p) == 1 { print $1 }'); do
		for dev in $(ip -n "$ns" -br link show up | awk '$1 != "lo" { sub("@.*", "", $1); print $1 }'); do
			for i in $(seq 100); do
				[ -z "$(ip -n "$ns" -6 route show fe80::/64 dev "$dev")" ] || break
				sleep 0.03
			done
		done
	done
}

topo_up()
{
	local i
	ip netns add "$topo_c" && ip netns add "$topo_s" || return
	topo_sysctl "$topo_c"
	topo_sysctl "$topo_s"
	ip -n "$topo_c" link set lo up
	ip -n "$topo_s" link set lo up
	ip -n "$topo_s" addr add 10.9.0.1/32 dev lo
	ip -n "$topo_s" addr add fd09::1/128 dev lo nodad
	for i in $(seq $topo_paths); do
		topo_path "$i" || return
	done
	ip -n "$topo_c" route add default via 10.1.1.1
	ip -n "$topo_c" -6 route add default via fd01:1::1
	topo_wait_ipv6
}

topo_rate()
{
	local i rate=$1
	for i in $(seq $topo_paths); do
		in_c tc qdisc replace dev "c$i" root tbf \
			rate "$rate" burst 64k latency 40ms
		in_s tc qdisc replace dev "s$i" root tbf \
			rate "$rate" burst 64k latency 40ms
	done
}

# a silent drop of everything the router of path i forwards
topo_cut()
{
	in_r "$1" nft -f - <<-EOF
	table inet cut { chain f { type filter hook forward priority 0; policy drop; }; }
	EOF
}

topo_heal() { in_r "$1" nft delete table inet cut; }
topo_link_down() { ip -n "$TOPO-r$1" link set c down; }
topo_link_up()
{
	local i=$1 r=$TOPO-r$1
	ip -n "$r" link set c up
	ip -n "$r" route replace "10.7.$i.0/24" via "10.1.$i.2"
	ip -n "$r" -6 addr replace "fd01:$i::1/64" dev c nodad
	ip -n "$r" -6 route replace "fd07:$i::/64" via "fd01:$i::2"
	ip -n "$topo_c" route replace default via "10.1.$i.1" table "10$i"
	ip -n "$topo_c" -6 route replace default via "fd01:$i::1" table "10$i"
}

# kills whatever still runs inside, then removes the namespaces
topo_down()
{
	local ns
	for ns in $(ip netns list 2>/dev/null | awk -v p="$TOPO-" 'index($1, p) == 1 { print $1 }'); do
		# shellcheck disable=SC2046
		kill -9 $(ip netns pids "$ns" 2>/dev/null) 2>/dev/null
		ip netns del "$ns" 2>/dev/null
	done
}

# the client's and the server's stack, as options of mptcp-run
tun_c4="--tun mp1,addr=10.7.1.2/24,peer=10.7.1.1 --tun mp2,addr=10.7.2.2/24,peer=10.7.2.1"
tun_c6="--tun mp1,addr=fd07:1::2/64,peer=fd07:1::1 --tun mp2,addr=fd07:2::2/64,peer=fd07:2::1"
tun_s4="--tun mq1,addr=10.8.1.2/24,peer=10.8.1.1 --tun mq2,addr=10.8.2.2/24,peer=10.8.2.1"
tun_s6="--tun mq1,addr=fd08:1::2/64,peer=fd08:1::1 --tun mq2,addr=fd08:2::2/64,peer=fd08:2::1"

# topo_family 4|6: the same of one family, the first path's alone, the server's
# kernel and the stack on it, as addresses and in URLs
topo_family()
{
	family=$1
	if [ "$family" = 6 ]; then
		tun_c=$tun_c6 tun_s=$tun_s6 kernel=$MPTCP_PEER6 ours=fd08:1::2
		kernel_url="http://[$kernel]" ours_url="http://[$ours]"
	else
		tun_c=$tun_c4 tun_s=$tun_s4 kernel=$MPTCP_PEER ours=10.8.1.2
		kernel_url="http://$kernel" ours_url="http://$ours"
	fi
	tun_c1=${tun_c% --tun *} tun_s1=${tun_s% --tun *}
}
