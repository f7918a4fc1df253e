#!/bin/bash
# T10 with overheard keys: whoever sees the handshake on path 1 announces an address
# of his own as the server's (ADD_ADDR), with the HMAC that these keys give, and so
# is in the middle of the subflow that the client then opens.
. "$(dirname "$0")/lib.sh"
e2e_start
attacker_up "$TOPO-r1" || fail "cannot make the attacker's host"
topo_rate 20mbit
id=T10

attack()
{
	attacker "$TOPO-r1" inject.py announce=10.66.1.2 c 10.7.1.2 $port "$tmp/inject.json"
	attacker "$topo_a" relay.py atk $port 10.66.1.2 "$tmp/atk.json" 10.8.1.2
	wait_for 5 test -e "$tmp/atk.json.up" -a -e "$tmp/inject.json.up"
	server "$how_s" 30 got 3000@0 eof && client "$how_c" 3000 30@0.012 got
	stop TERM
}

# everything goes by path 1, and the server has one address only: no other joins
tuns_c=${tun_c4% --tun *} tuns_s=${tun_s4% --tun *}
how_c=$(ours off) how_s=$how_c
judge "control: v1, ours" fell True '"the client joined the attacker, who carried %d octets in %d subflow(s) and read %d; of %d words altered the client program got %d" % (atk["payload"], atk["joins"], atk["read"], atk["plaintext_altered"], c["evil"])' \
	'mode(client) == "mptcp"' 'atk["joins"] >= 1' 'atk["read"] > 50000' \
	'atk["plaintext_altered"] >= 1' 'c["evil"] >= 1'
how_c=$(sealed) && how_s=$how_c &&
	judge SMTCP held 'c["right"] and s["right"] and not count(client, "MPTcpExtAddAddr") and not atk["joins"]' \
		'"announced: ignored, MPTcpExtAddAddrHMacFailure %d; %d subflows to the attacker; both streams right" % (count(client, "MPTcpExtAddAddrHMacFailure"), atk["joins"])' \
		'mode(client) == "smtcp"' 'mode(server) == "smtcp"' \
		'count(client, "MPTcpExtAddAddrHMacFailure") >= 1' 'atk["joins"] == 0' \
		's["right"] and s["eof"] and c["right"] and c["eof"]'
exit 0
