#!/bin/bash
# T16, T35 without Multipath TCP: whoever sees the only path sends data, or a FIN,
# with the client's next sequence number.  Such a connection cannot go on, but its
# end must not look like the end of the data.
. "$(dirname "$0")/lib.sh"
e2e_start
id=T35
tuns_c=${tun_c4% --tun *} tuns_s=${tun_s4% --tun *}

attack()
{
	attacker "$TOPO-r1" inject.py $kind c 10.7.1.2 $port "$tmp/atk.json"
	wait_for 5 test -e "$tmp/atk.json.up"
	server "$how_s" 40 eof && client "$how_c" 0 40@0.012
	stop TERM
}

# forged KIND WHAT TEXT CONTROL'S-EXPR
forged()
{
	kind=$1
	how_c="--mptcp off --crypt off" how_s=$how_c stuck=1
	judge "control: $2, TCP" fell True "$3" 'atk["injected"] >= 1' "$4"
	how_c="--mptcp off --crypt prefer" how_s=$how_c stuck=0
	judge "$2, tcpcrypt" held 's["right"]' \
		'"the server program got %s after %d of %d octets, all of them right; %s" % (s["error"], s["received"], s["expected"], told())' \
		'mode(server) == "tcpcrypt"' 'atk["injected"] >= 1' 's["evil"] == 0' \
		's["error"]' 'not s["eof"]' 's["first_wrong"] == 0' 'atk["read"] == 0'
}

sealed >/dev/null || exit 0
forged data data '"%d segments injected; the server program got %d of them as from the client, the first at octet %d" % (atk["injected"], s["evil"], s["first_wrong"])' \
	's["evil"] >= 1'
forged tcpfin FIN '"the server program got end of file after %d of %d octets" % (s["received"], s["expected"])' \
	's["eof"] and s["received"] < s["expected"]'
exit 0
