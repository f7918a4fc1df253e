# shellcheck shell=bash
# downgrade.sh - threats by whoever holds the only path, and the options of the
# handshake with it; sourced
. "$(dirname "$0")/lib.sh"
e2e_start
attacker_up "$TOPO-r1" || fail "cannot make the attacker's host"
ip -n "$TOPO-r1" rule add iif c from 10.7.1.2 lookup 66
ip -n "$TOPO-r1" rule add iif s to 10.7.1.2 lookup 66
ip -n "$TOPO-r1" route add default via 10.66.0.2 table 66
in_a ip rule add iif home lookup 66
in_a ip route add default dev atk table 66
tuns_c=${tun_c4% --tun *} tuns_s=${tun_s4% --tun *}
sealed >/dev/null || exit 0

attack()
{
	attacker "$topo_a" strip.py atk "$edit" "$tmp/atk.json"
	wait_for 5 test -e "$tmp/atk.json.up"
	server "$how" 20 eof 20@0 && client "$how" 20 20@0
	stop TERM
}

told='"%s; the attacker read %d of %d octets; client program: %s%s" % (
	"mode " + mode(client) if c["right"] else "no connection", atk["read"],
	atk["payload"], c["error"] or c["send_error"] or ("all right" if c["right"] else "cut off"),
	told() and "; " + told())'

# take EDIT WHAT PREFER REQUIRE: what comes of it, by policy
#   plain/MODE   the attack succeeds: the attacker reads
#   sealed/MODE  less than SMTCP, but nothing to be read
#   refused      by the policy of the client, or of the server: not an octet of
#                the programs left
#   abort        an error; not an octet of the programs left
# The edit "nothing" shows that being in the middle alone changes nothing.
take()
{
	edit=$1
	how="--mptcp prefer --crypt prefer"
	outcome "$2" "$3"
	how="--mptcp prefer --crypt require"
	outcome "$2, require" "$4"
}

# unsealed EDIT WHAT MODE: the same against plain Multipath TCP
unsealed()
{
	edit=$1
	how="--mptcp prefer --crypt off"
	outcome "$2, off" "plain/$3"
}

outcome()
{
	local who=$1 mode=${2#*/} edited='atk["edited"] >= 1'
	[ "$edit" != nothing ] || edited='atk["edited"] == 0'
	case $2 in
	plain/*)
		judge "control: $who" fell True "$told" "$edited" \
			"mode(client) == '$mode'" 'atk["read"] >= 10000' 'c["right"] and s["right"]' ;;
	sealed/*)
		judge "$who" held False "$told" "$edited" \
			"mode(client) == '$mode'" "mode(server) == '$mode'" \
			'atk["read"] == 0' 'c["right"] and s["right"]' ;;
	refused)
		judge "$who" held False "$told" "$edited" \
			'c["error"] in ("EPROTO", "ECONNREFUSED")' 'atk["read"] == 0' 's["received"] == 0' ;;
	abort)
		judge "$who" held False "$told" "$edited" \
			'c["error"] or c["send_error"]' 'atk["read"] == 0' 's["received"] == 0' ;;
	esac
}
