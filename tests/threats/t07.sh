#!/bin/bash
# T07: the keys of the first handshake are overheard on path 1; later a host of
# the attacker's own, on neither path, joins the connection with them.
. "$(dirname "$0")/lib.sh"
e2e_start
attacker_up "$topo_s" || fail "cannot make the attacker's host"
for t in 101 102; do
	ip -n "$topo_s" route add 10.66.0.0/16 via 10.66.0.2 table $t
done
topo_rate 20mbit
id=T07

attack()
{
	rm -f "$tmp"/known*
	attacker "$TOPO-r1" eavesdrop.py c $port "$tmp/known"
	attacker "$topo_a" join.py atk 10.66.1.2 "$tmp/known" "$tmp/atk.json"
	wait_for 5 test -e "$tmp/known.up"
	server "$how_s" 5 5000@0 eof && client "$how_c" 5000 4@0 got 1@0
	stop
}

control()
{
	judge "control: $1" fell True '"join accepted; the attacker read %d octets of the download and added %d to the upload: the server program got %s at octet %d" % (atk["read"], atk["injected"], s["found"], s["first_wrong"])' \
		'mode(client) == "mptcp"' 'atk["hmac_b_right"]' 'atk["accepted"]' \
		'atk["read"] > 10000' 's["evil"] >= 1'
}

how_c=$(ours off) how_s=$how_c
control "v1, ours"
how_s=kernel
control "v1, kernel"
how_c=$(sealed) && how_s=$how_c &&
	judge SMTCP held 'not atk["synack"] and s["right"] and c["right"]' \
		'"join refused: RST, reason %d, MPTcpExtMPJoinAckHMacFailure %d; the attacker read %d octets; both streams right, over %d subflows" % (atk["rst_reason"], count(server, "MPTcpExtMPJoinAckHMacFailure"), atk["payload"], subflows(client))' \
		'mode(client) == "smtcp"' 'mode(server) == "smtcp"' \
		'subflows(client) >= 2' 'atk["synack"]' 'not atk["hmac_b_right"]' \
		'atk["rst"]' 'atk["rst_reason"] == 1' 'atk["payload"] == 0' \
		'not atk["accepted"]' \
		'count(server, "MPTcpExtMPJoinAckHMacFailure") >= 1' \
		's["right"] and s["eof"] and c["right"] and c["eof"]'
exit 0
