#!/bin/bash
# T17, T19, T22: whoever sees path 1 and the handshake sends an end of the data
# (DATA_FIN), an end of the connection (MP_FASTCLOSE with the key he saw), or a
# failure that costs Multipath TCP (MP_FAIL), from the client's address.
. "$(dirname "$0")/lib.sh"
e2e_start
id=T17

attack()
{
	attacker "$TOPO-r1" inject.py $kind c 10.7.1.2 $port "$tmp/atk.json"
	wait_for 5 test -e "$tmp/atk.json.up"
	server "$how_s" 40 eof 4@0 && client "$how_c" 4 40@0.012
	stop TERM
}

# forged KIND NAME TEXT CONTROL'S-EXPR COUNTER [CONTROL'S SERVER...]
forged()
{
	local name=$2 text=$3 expr=$4 counter=$5 victim
	kind=$1
	shift 5
	for victim; do
		how_c=$(ours off $mptcp) how_s=$how_c stuck=0
		[ "$victim" = ours ] || how_s=kernel
		case $kind in fin | fastclose) stuck=1 ;; esac
		judge "control: $name, v1, $victim" fell True "$text" \
			'atk["injected"] == 1' "$expr"
	done
	stuck=0
	how_c=$(sealed) && how_s=$how_c &&
		judge "$name, SMTCP" held "s['right'] and c['right'] and not count(server, '$counter')" \
			"'%d sent: no effect, $counter %d; both streams right, mode %s, subflows lost: %d' % (atk['injected'], count(server, '$counter'), mode(server), count(client, 'MPTcpExtSubflowLost'))" \
			'not count(client, "MPTcpExtSubflowLost")' \
			'mode(client) == "smtcp"' 'mode(server) == "smtcp"' \
			'atk["injected"] == 1' "count(server, '$counter') >= 1" \
			's["right"] and s["eof"] and c["right"] and c["eof"]'
}

mptcp=require
tuns_c="${tun_c4},backup"
forged fin DATA_FIN '"the server program got end of file after %d of %d octets" % (s["received"], s["expected"])' \
	's["eof"] and s["received"] < s["expected"]' MPTcpExtCryptFinEarly ours kernel
forged fastclose MP_FASTCLOSE '"the server program got %s after %d of %d octets" % (s["error"], s["received"], s["expected"])' \
	's["error"]' MPTcpExtMPFastcloseBadKey ours kernel
mptcp=prefer
tuns_c=${tun_c4% --tun *} tuns_s=${tun_s4% --tun *}
forged fail MP_FAIL '"the connection fell back: mode %s" % mode(server)' \
	'mode(server) == "tcp"' MPTcpExtCryptSignal ours
exit 0
