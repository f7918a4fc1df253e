# shellcheck shell=bash
# lib.sh - what every threat starts with; sourced
#
# The two hosts and two paths of topo.sh, two programs (app.py) that exchange a
# known stream, and an attacker's host.  row() writes one line of the table.
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib/e2e.sh
here=$PWD/tests/threats
export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
port=7007
topo_a=$TOPO-a

in_a() { ip netns exec "$topo_a" "$@"; }

# row ID WHO held|fell|FAILED EVIDENCE
row() { printf '%s\t%s\t%s\t%s\n' "$@" | tee -a "${THREAT_ROWS:-/dev/null}"; }

# the attacker's host has a link to NAMESPACE, where it is routed, and a device
# "atk" where its programs read and write packets: 10.66.1.2
attacker_up()
{
	local at=$1
	ip netns add "$topo_a" || return
	topo_sysctl "$topo_a"
	ip link add name home netns "$topo_a" type veth peer name atk netns "$at" || return
	ip -n "$at" addr add 10.66.0.1/24 dev atk
	ip -n "$at" link set atk up
	ip -n "$topo_a" addr add 10.66.0.2/24 dev home
	ip -n "$topo_a" link set home up
	ip -n "$topo_a" link set lo up
	ip -n "$topo_a" route add default via 10.66.0.1
	ip -n "$topo_a" tuntap add dev atk mode tun
	ip -n "$topo_a" addr add 10.66.1.1/24 dev atk
	ip -n "$topo_a" link set atk up
	ip -n "$at" route add 10.66.1.0/24 via 10.66.0.2
}

# ours POLICY: options of our stack; without encryption yet, "off" is the build
ours()
{
	if "$run" --help | grep -q -- --crypt; then
		echo "--mptcp require --crypt $1"
	elif [ "$1" = off ]; then
		echo "--mptcp require"
	else
		return 1
	fi
}

# said FILE: its last line, as the cause of a failure
said() { tail -q -n 1 "$1" 2>/dev/null; }

# attacker NAMESPACE PROGRAM ARG...: in the background, until stop
attacker()
{
	local ns=$1 prog=$2
	shift 2
	timeout -k 5 30 ip netns exec "$ns" python3 "$here/$prog" "$@" \
		2>"$tmp/$prog.err" &
	attackers="${attackers:-} $!:$prog"
}

# stop [TERM]: waits for the attackers, which have been told to end
stop()
{
	local a
	for a in $attackers; do
		[ -z "${why:-}${1:-}" ] || kill -TERM "${a%:*}" 2>/dev/null
		wait "${a%:*}" || why="${why:-${a#*:}: $(said "$tmp/${a#*:}.err")}"
	done
	attackers=''
}

# server "STACK OPTIONS"|kernel EXPECT STEP...: in the background
server()
{
	local how=$1
	shift
	rm -f "$tmp"/{s.app,s.app.up,server.json,s.err}
	server_addr=10.8.1.2
	[ "$how" != kernel ] || server_addr=10.9.0.1
	set -- python3 "$here/app.py" serve $server_addr $port "$tmp/s.app" "$@"
	if [ "$how" = kernel ]; then
		set -- mptcpize run "$@"
	else
		# shellcheck disable=SC2086
		set -- "$run" ${tuns_s:-$tun_s4} $how --stats-json "$tmp/server.json" -- "$@"
	fi
	timeout -k 5 40 ip netns exec "$topo_s" "$@" >"$tmp/s.err" 2>&1 &
	server_pid=$!
	wait_for 8 server_settled
	[ -e "$tmp/s.app.up" ] || { why="server: $(said "$tmp/s.err")"; return 1; }
}

server_settled() { [ -e "$tmp/s.app.up" ] || ! kill -0 $server_pid; }

# client "STACK OPTIONS" EXPECT STEP...: to its end, and the server's
client()
{
	local how=$1
	shift
	rm -f "$tmp"/{c.app,client.json,c.err}
	# shellcheck disable=SC2086
	timeout -k 5 40 ip netns exec "$topo_c" "$run" ${tuns_c:-$tun_c4} $how \
		--stats-json "$tmp/client.json" -- \
		python3 "$here/app.py" call $server_addr $port "$tmp/c.app" "$@" \
		>"$tmp/c.err" 2>&1 || why="client: exit $?: $(said "$tmp/c.err")"
	# a connection that was refused may never reach the server's program
	[ "$(ask 'c["right"]')" = True ] || wait_for 1 test -e "$tmp/s.app" ||
		kill -TERM $server_pid 2>/dev/null
	wait $server_pid || [ ! -e "$tmp/s.app" ] ||
		why="server: exit $?: $(said "$tmp/s.err")"
}

# ask EXPR: of the reports, as s and c (programs), server and client (stacks) and
# atk (attacker); what is not there is an empty object
ask()
{
	python3 - "$tmp" "$1" <<-'EOF'
	import collections, json, sys
	def load(name):
	    try:
	        return json.load(open(f"{sys.argv[1]}/{name}"))
	    except (OSError, ValueError):
	        return {}
	class D(collections.defaultdict):
	    def __missing__(self, key):
	        return 0
	def lenient(x):
	    if isinstance(x, dict):
	        return D(int, {k: lenient(v) for k, v in x.items()})
	    return [lenient(v) for v in x] if isinstance(x, list) else x
	s, c, server, client, atk = (lenient(load(n)) for n in (
	    "s.app", "c.app", "server.json", "client.json", "atk.json"))
	def count(stack, name):
	    return (stack["counters"] or D())[name]
	def mode(stack):
	    return stack["connections"][-1]["mode"] if stack["connections"] else None
	def subflows(stack):
	    return sum(1 for x in stack["connections"][-1]["subflows"] if x["established"])
	print(eval(sys.argv[2]))
	EOF
}

# all EXPR...: each is true; the first that is not is in $why
all()
{
	local e
	[ -z "${why:-}" ] || return 1
	for e; do
		[ "$(ask "bool($e)" 2>&1)" = True ] || {
			why="not so: $e; $(ask '"server program %s, client program %s, attacker %s, mode %s" % (dict(s), dict(c), dict(atk), mode(client))')"
			return 1
		}
	done
}

# judge WHO VERDICT MISSED TEXT EXPR...: one row of the table
#
# attack() is run, and VERDICT stands when each EXPR is true.  An attack depends
# on being in time; when MISSED says that it was not, and nothing else happened,
# it is tried again, three times in all.
judge()
{
	local who=$1 verdict=$2 missed=$3 text=$4 n
	shift 4
	for n in 1 2 3; do
		why=''
		rm -f "$tmp"/atk.json*
		attack
		if all "$@"; then
			text=$(ask "$text")
			[ $n = 1 ] || text="$text (attempt $n: the attacker was late before)"
			row $id "$who" $verdict "$text"
			return
		fi
		[ "$(ask "bool($missed)")" = True ] || break
	done
	row $id "$who" FAILED "${why//$'\n'/ }"
	left=${B:-build}/threats/$id-${who//[^a-zA-Z0-9]/-}
	rm -rf "$left" && mkdir -p "$left" &&
		cp -t "$left" "$tmp"/*.{json,app,err} 2>/dev/null
}

# sealed: the options of two of our stacks as they are by default
sealed()
{
	ours prefer && return
	row $id SMTCP FAILED "this mptcp-run has no --crypt" >/dev/null
	return 1
}
