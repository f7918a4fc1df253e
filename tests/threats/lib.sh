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
# the interpreter itself, not what chooses one
py=$(python3 -c 'import sys; print(sys.executable)') || fail "no python3"
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

# ours CRYPT [MPTCP]: options of our stack, encryption and Multipath TCP; a build
# without encryption is "off"
ours()
{
	echo "--mptcp ${2:-require}"
	if "$run" --help | grep -q -- --crypt; then
		echo "--crypt $1"
	else
		[ "$1" = off ]
	fi
}

# said FILE: its last line, as the cause of a failure
said() { tail -q -n 1 "$1" 2>/dev/null; }

# attacker NAMESPACE PROGRAM ARG...: in the background, until stop
attacker()
{
	local ns=$1 prog=$2
	shift 2
	timeout -k 5 30 ip netns exec "$ns" "$py" "$here/$prog" "$@" \
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
	set -- "$py" "$here/app.py" serve $server_addr $port "$tmp/s.app" "$@"
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

server_settled() { [ -e "$tmp/s.app.up" ] || ended $server_pid; }

ended() { ! kill -0 "$1"; }

# gone NAMESPACE PID: what runs there ends by itself, or is told to.  With $stuck=1
# it is told at once, when the server's program has ended: an attack that leaves
# the client with data that nobody takes keeps it busy for a minute.
gone()
{
	local sig
	for sig in TERM KILL; do
		[ "${stuck:-}" = 1 ] || ! wait_for 2 ended "$2" || return 0
		in_ns "$1" $sig
	done
	wait_for 5 ended "$2"
}

# in_ns NAMESPACE SIGNAL: to all that runs there
in_ns()
{
	# shellcheck disable=SC2046
	kill -"$2" $(ip netns pids "$1") 2>/dev/null
}

# client "STACK OPTIONS" EXPECT STEP...: to its end, and the server's
client()
{
	local how=$1 pid
	shift
	rm -f "$tmp"/{c.app,client.json,c.err}
	# shellcheck disable=SC2086
	timeout -k 5 40 ip netns exec "$topo_c" "$run" ${tuns_c:-$tun_c4} $how \
		--stats-json "$tmp/client.json" -- \
		"$py" "$here/app.py" call $server_addr $port "$tmp/c.app" "$@" \
		>"$tmp/c.err" 2>&1 &
	pid=$!
	wait_for 25 client_settled
	client_settled || why="client: $(said "$tmp/c.err")"
	# a connection that was refused does not reach the server's program
	settled "$tmp/s.app" || in_ns "$topo_s" TERM
	[ "${stuck:-}" = 1 ] || { in_ns "$topo_c" TERM; in_ns "$topo_s" TERM; }
	gone "$topo_c" $pid
	gone "$topo_s" $server_pid
}

# settled FILE: a program's report, which comes soon if it comes at all
settled()
{
	grep -q '"connected": true' "$tmp/c.app" || return
	wait_for 1 test -e "$1"
}

client_settled()
{
	[ -e "$tmp/c.app" ] || ended $pid || { [ "${stuck:-}" = 1 ] && [ -e "$tmp/s.app" ]; }
}

# judge WHO VERDICT MISSED TEXT EXPR...: one row of the table (see verdict.py)
#
# attack() is run, and VERDICT stands when each EXPR is true.  An attack depends
# on being in time; when MISSED says that it was not, and nothing else happened,
# it is tried again, three times in all.
judge()
{
	local who=$1 verdict=$2 missed=$3 text n said first=''
	text=$4
	shift 4
	for n in 1 2 3; do
		why=''
		rm -f "$tmp"/atk.json*
		attack
		said=$($py "$here/verdict.py" "$tmp" "$missed" "$text" "$@" 2>&1)
		[ -z "$why" ] || said="no	$why"
		first=${first:-${said#*	}}
		case $said in
		yes*)
			said=${said#*	}
			[ $n = 1 ] || said="$said (attempt $n: the attacker was late before)"
			row $id "$who" $verdict "$said"
			[ -z "${THREAT_KEEP:-}" ] || left
			return ;;
		missed*) ;;
		*) break ;;
		esac
	done
	row $id "$who" FAILED "${first//$'\n'/ }"
	left
}

# left: what all said, for a closer look
left()
{
	local to=${B:-build}/threats/$id-${who//[^a-zA-Z0-9]/-}
	rm -rf "$to" && mkdir -p "$to" &&
		cp -t "$to" "$tmp"/*.{json,app,err} 2>/dev/null
}

# sealed: the options of two of our stacks as they are by default
sealed()
{
	ours prefer && return
	row $id SMTCP FAILED "this mptcp-run has no --crypt" >/dev/null
	return 1
}
