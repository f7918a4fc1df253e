#!/bin/bash
# T16, T31: whoever sees path 1 sends data with the sequence numbers and the mapping
# of the client's next segment, ahead of it.  The client's program pauses between
# records, so that this does not depend on luck.  "Ahead" is data for a place that
# is yet to come, where the first copy wins in Multipath TCP.
. "$(dirname "$0")/lib.sh"
e2e_start
id=T16
# everything goes by path 1 until that is lost
tuns_c="${tun_c4},backup"

attack()
{
	attacker "$TOPO-r1" inject.py $kind c 10.7.1.2 $port "$tmp/atk.json"
	wait_for 5 test -e "$tmp/atk.json.up"
	server "$how_s" 60 eof 4@0 && client "$how_c" 4 60@0.012
	stop TERM
}

# control WHO TEXT EXPR...
control()
{
	local who=$1
	shift
	judge "control: $who" fell True "$@" 'mode(client) == "mptcp"' \
		'atk["injected"] >= 1' 'not s["error"]'
}

# defence WHO
defence()
{
	judge "$1" held 's["right"] and c["right"] and not count(server, "MPTcpExtCryptBadFrame")' \
		'"%d segments injected, %d acknowledged: nothing delivered; MPTcpExtCryptBadFrame %d, MP_TCPRST reason 6, the subflow lost; both streams right" % (atk["injected"], atk["acked"], count(server, "MPTcpExtCryptBadFrame"))' \
		'mode(client) == "smtcp"' 'mode(server) == "smtcp"' \
		'atk["read"] == 0' 'atk["injected"] >= 1' 's["evil"] == 0' \
		'count(server, "MPTcpExtCryptBadFrame") >= 1' \
		'6 in atk["reset_reasons"]' \
		's["right"] and s["eof"] and c["right"] and c["eof"]'
}

got='"%d segments injected, %d acknowledged; the server program got %d of them as from the client, the first, %s, at octet %d" % (atk["injected"], atk["acked"], s["evil"], s["found"], s["first_wrong"])'
again='"%d segments injected, %d acknowledged; the server program got %d records twice, the first one at octet %d" % (atk["injected"], atk["acked"], s["again"], s["first_wrong"])'
kind=data
how_c=$(ours off) how_s=$how_c
control "v1, ours" "$got" 's["evil"] >= 1'
how_c="$how_c --checksum" how_s=$how_c
control "v1, checksums" "$got" 's["evil"] >= 1' 'atk["sums"]'
how_c=$(ours off) how_s=kernel
control "v1, kernel" "$got" 's["evil"] >= 1'
how_c=$(sealed) && how_s=$how_c && defence SMTCP
kind=replay
how_c=$(ours off) how_s=$how_c
control "replay, v1, ours" "$again" 's["again"] >= 1'
how_c=$(sealed) && how_s=$how_c && defence "replay, SMTCP"
kind=ahead
how_c=$(ours off) how_s=$how_c
control "ahead, v1, ours" "$got" 's["evil"] >= 1'
how_c=$(sealed) && how_s=$how_c && defence "ahead, SMTCP"
exit 0
