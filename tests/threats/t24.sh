#!/bin/bash
# T24, T25, T38: whoever holds the only path takes options from the handshake, or
# changes them, so that less is negotiated than both hosts have.
. "$(dirname "$0")/lib.sh"
e2e_start
attacker_up "$TOPO-r1" || fail "cannot make the attacker's host"
ip -n "$TOPO-r1" rule add iif c from 10.7.1.2 lookup 66
ip -n "$TOPO-r1" rule add iif s to 10.7.1.2 lookup 66
ip -n "$TOPO-r1" route add default via 10.66.0.2 table 66
in_a ip rule add iif home lookup 66
in_a ip route add default dev atk table 66
tuns_c=${tun_c4% --tun *} tuns_s=${tun_s4% --tun *}
id=T24
sealed || exit 0

attack()
{
	attacker "$topo_a" strip.py atk "$edit" "$tmp/atk.json"
	wait_for 5 test -e "$tmp/atk.json.up"
	server "$how" 20 eof 20@0 && client "$how" 20 20@0
	stop TERM
}

told='"mode %s; the attacker read %d of %d octets; client program: %s, server program got %d octets" % (mode(client), atk["read"], atk["payload"], c["error"] or ("all right" if c["right"] else "cut off"), s["received"])'

# take EDIT WHAT PREFER REQUIRE: what comes of it, by policy
#   plain/MODE   the attack succeeds: the attacker reads
#   sealed/MODE  less than SMTCP, but nothing to be read
#   refused      EPROTO; not an octet of the programs left
#   abort        an error; not an octet of the programs left
take()
{
	edit=$1
	how="--mptcp prefer --crypt prefer"
	outcome "$2" "$3"
	how="--mptcp prefer --crypt require"
	outcome "$2, require" "$4"
}

outcome()
{
	local who=$1 mode=${2#*/}
	case $2 in
	plain/*)
		judge "control: $who" fell True "$told" 'atk["edited"] >= 1' \
			"mode(client) == '$mode'" 'atk["read"] >= 10000' 'c["right"] and s["right"]' ;;
	sealed/*)
		judge "$who" held False "$told" 'atk["edited"] >= 1' \
			"mode(client) == '$mode'" "mode(server) == '$mode'" \
			'atk["read"] == 0' 'c["right"] and s["right"]' ;;
	refused)
		judge "$who" held False "$told" 'atk["edited"] >= 1' \
			'c["error"] == "EPROTO"' 'atk["read"] == 0' 's["received"] == 0' ;;
	abort)
		judge "$who" held False "$told" 'atk["edited"] >= 1' \
			'c["error"] or c["send_error"]' 'atk["read"] == 0' 's["received"] == 0' ;;
	esac
}

take eno-syn "ENO from SYN" plain/mptcp refused
take eno-synack "ENO from SYN/ACK" plain/mptcp refused
take eno-ack "ENO from ACKs" abort refused
take capable-syn "MPC from SYN" sealed/tcpcrypt refused
take capable-synack "MPC from SYN/ACK" sealed/tcpcrypt refused
take both-syn "both from SYN" plain/tcp refused
take dss "DSS" sealed/tcpcrypt sealed/tcpcrypt
take version0 "MPC version 0" sealed/tcpcrypt refused
take hash "MPC other hash" sealed/tcpcrypt refused
take tcpcrypt-syn "SM from SYN" abort abort
take tcpcrypt-synack "SM from SYN/ACK" abort abort
take aware-synack "a bit in SYN/ACK" abort abort
exit 0
