/* tcp_ecn.h - explicit congestion notification (RFC 3168)
 *
 * Negotiated by flags of the SYNs.  Then a router marks data (CE) instead of
 * dropping it; the receiver says so (ECE) on all it sends until the sender says
 * that it has reduced its window (CWR).
 *
 * New data is ECT(0); SYNs, pure ACKs, probes and what is sent again are not
 * (RFC 3168 6.1.1, 6.1.4-6.1.6).  A window is never reduced below two segments,
 * so the rule for one of a single segment (6.1.2) does not come up.
 */
#ifndef TCP_TCP_ECN_H
#define TCP_TCP_ECN_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/wire/tcp_hdr.h"

/* of the IP header, the low bits of TOS or traffic class */
#define TCP_ECN_ECT0 2u
#define TCP_ECN_CE   3u
#define TCP_ECN_MASK 3u

enum tcp_ecn_mode {
	TCP_ECN_PASSIVE, /* only with a peer that asks: the default, as Linux' */
	TCP_ECN_OFF,
	TCP_ECN_ON, /* asks, too */
};

struct tcp_ecn {
	bool offered; /* every SYN of ours asked */
	bool plain;   /* a SYN of ours did not */
	bool ok;      /* negotiated: marks count in both directions */
	bool echo;    /* CE came: ECE until CWR comes */
	bool cwr;     /* owed to the peer with the next new data */
};

/* --- the handshake -------------------------------------------------------- */

/* ECE and CWR for our SYN; again: it is sent again.  A path may drop SYNs with
 * flags that it does not know, so the second one has none (6.1.1.1). */
uint8_t tcp_ecn_syn(struct tcp_ecn *e, enum tcp_ecn_mode mode, bool again);
/* ECE for our SYN/ACK */
uint8_t tcp_ecn_synack(const struct tcp_ecn *e);
/* The peer's SYN or SYN/ACK.  active: we had sent a SYN.  tos as in struct
 * tcp_seg: a SYN that is ECT is none of RFC 3168's. */
void tcp_ecn_peer_syn(struct tcp_ecn *e, enum tcp_ecn_mode mode, uint8_t flags,
		      uint8_t tos, bool active);
/* The peer's SYN came again, passive side: without the flags it wants none of
 * it any more. */
void tcp_ecn_syn_again(struct tcp_ecn *e, uint8_t flags);

/* --- receiving data (6.1.3) ------------------------------------------------- */

enum tcp_ecn_seen {
	TCP_ECN_NOTHING,
	TCP_ECN_MARKED, /* the first CE: its ACK should not wait */
	TCP_ECN_CALMED, /* the peer has a small window now: the same */
};

/* a segment that passed all checks; len: octets of payload */
enum tcp_ecn_seen tcp_ecn_in(struct tcp_ecn *e, uint8_t flags, uint8_t tos,
			     uint32_t len);

/* --- sending ---------------------------------------------------------------- */

/* the peer echoes a mark: the window is to be reduced, once per round trip */
static inline bool tcp_ecn_asked(const struct tcp_ecn *e, uint8_t flags)
{
	return e->ok && (flags & TCP_ECE);
}

/* the window was reduced, for whatever reason (6.1.2) */
static inline void tcp_ecn_reduced(struct tcp_ecn *e)
{
	e->cwr = e->ok;
}

/* flags that a segment with ACK, not SYN, has besides: fresh: new data, which
 * takes CWR along, so it must leave as one segment while that is owed */
uint8_t tcp_ecn_flags(struct tcp_ecn *e, bool fresh);
/* the IP header's codepoint; fresh: new data; able: its congestion control
 * listens to marks */
uint8_t tcp_ecn_codepoint(const struct tcp_ecn *e, bool fresh, bool able);

#endif
