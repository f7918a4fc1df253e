#!/bin/bash
# T08: whoever holds path 2 substitutes an address of his own in the joins, and
# so is in the middle of every subflow there.
. "$(dirname "$0")/lib.sh"
e2e_start
attacker_up "$TOPO-r2" || fail "cannot make the attacker's host"
ip -n "$TOPO-r2" rule add iif c from 10.7.2.2 lookup 66
ip -n "$TOPO-r2" route add default via 10.66.0.2 table 66
in_a ip rule add iif home lookup 66
in_a ip route add default dev atk table 66
ip -n "$topo_s" route add 10.66.0.0/16 via 10.2.2.1
topo_rate 20mbit
id=T08

attack()
{
	attacker "$topo_a" relay.py atk $port 10.66.1.2 "$tmp/atk.json"
	wait_for 5 test -e "$tmp/atk.json.up"
	server "$how_s" 5 5000@0 eof && client "$how_c" 5000 4@0 got 1@0
	stop TERM
}

control()
{
	judge "control: $1" fell True '"inside %d subflow(s) the attacker carried %d octets and read %d; of %d words that it altered the client program got %d, the first, %s, at octet %d" % (atk["joins"], atk["payload"], atk["read"], atk["plaintext_altered"], c["evil"], c["found"], c["first_wrong"])' \
		'mode(client) == "mptcp"' 'atk["joins"] >= 1' 'atk["read"] > 50000' \
		'atk["plaintext_altered"] >= 1' 'c["evil"] >= 1' 'not c["error"]'
}

how_c=$(ours off) how_s=$how_c
control "v1, ours"
how_s=kernel
control "v1, kernel"
how_c=$(sealed) && how_s=$how_c &&
	judge SMTCP held 'atk["altered"] == 0 and atk["read"] == 0 and c["right"]' \
		'"inside %d subflow(s) the attacker carried %d octets and read %d; %d octet(s) altered: %d subflow(s) reset, MP_TCPRST reason 6, MPTcpExtCryptBadFrame %d; both streams right" % (atk["joins"], atk["payload"], atk["read"], atk["altered"], atk["reset_reasons"].count(6), count(client, "MPTcpExtCryptBadFrame"))' \
		'mode(client) == "smtcp"' 'mode(server) == "smtcp"' \
		'atk["joins"] >= 1' 'atk["payload"] > 50000' 'atk["read"] == 0' \
		'atk["altered"] >= 1' '6 in atk["reset_reasons"]' \
		'count(client, "MPTcpExtCryptBadFrame") >= 1' \
		's["right"] and s["eof"] and c["right"] and c["eof"]'
exit 0
