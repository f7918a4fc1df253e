#include "stack/tcp/tcp_ecn.h"


#define BOTH (TCP_ECE | TCP_CWR)

uint8_t tcp_ecn_syn(struct tcp_ecn *e, enum tcp_ecn_mode mode, bool again)
{
	if (mode != TCP_ECN_ON || again) {
		e->plain = true;
		e->offered = false;
		return 0;
	}
	e->offered = true;
	return BOTH;
}

uint8_t tcp_ecn_synack(const struct tcp_ecn *e)
{
	return e->ok ? TCP_ECE : 0;
}

void tcp_ecn_peer_syn(struct tcp_ecn *e, enum tcp_ecn_mode mode, uint8_t flags,
		      uint8_t tos, bool active)
{
	uint8_t want = flags & TCP_ACK ? TCP_ECE : BOTH;

	/* RFC 3168 6.1.1: whoever has sent a SYN without the flags must not
	 * use ECT, though the answer may be to the one with them */
	e->ok = (flags & BOTH) == want &&
		(active ? e->offered && !e->plain : mode != TCP_ECN_OFF) &&
		(flags & TCP_ACK || (tos & TCP_ECN_MASK) == 0);
}

void tcp_ecn_syn_again(struct tcp_ecn *e, uint8_t flags)
{
	e->ok = e->ok && (flags & BOTH) == BOTH;
}

enum tcp_ecn_seen tcp_ecn_in(struct tcp_ecn *e, uint8_t flags, uint8_t tos,
			     uint32_t len)
{
	bool had = e->echo;

	if (!e->ok || len == 0) {
		return TCP_ECN_NOTHING;
	}
	if (flags & TCP_CWR) {
		e->echo = false;
	}
	if ((tos & TCP_ECN_MASK) == TCP_ECN_CE) {
		e->echo = true;
	}
	if (e->echo && !had) {
		return TCP_ECN_MARKED;
	}
	return flags & TCP_CWR ? TCP_ECN_CALMED : TCP_ECN_NOTHING;
}

uint8_t tcp_ecn_flags(struct tcp_ecn *e, bool fresh)
{
	uint8_t flags = e->echo ? TCP_ECE : 0;

	if (fresh && e->cwr) {
		e->cwr = false;
		flags |= TCP_CWR;
	}
	return flags;
}

uint8_t tcp_ecn_codepoint(const struct tcp_ecn *e, bool fresh, bool able)
{
	return e->ok && fresh && able ? TCP_ECN_ECT0 : 0;
}
