/* tcp_wnd.h - the receive window: what is advertised, and what is acceptable
 *
 * The right edge `adv` never moves left (RFC 9293 3.8.6): what was promised
 * is accepted even when the upper has less room now.  It moves right only in
 * worthwhile steps (silly window avoidance, 3.8.6.2.2).  An upper that shares
 * one window among several connections may offer less than was promised here;
 * that is what is advertised then.
 */
#ifndef TCP_TCP_WND_H
#define TCP_TCP_WND_H

#include <stdbool.h>
#include <stdint.h>

#define TCP_WND_SCALE_MAX 14

struct tcp_wnd {
	uint32_t adv;    /* sequence number of the right edge promised */
	uint32_t edge;   /* ... by the last segment: left of adv only when the
			  * upper's window is shared (RFC 8684 3.3.4) */
	uint32_t most;   /* largest window ever: fixes the scale */
	uint32_t buffer; /* most, or less: what worthwhile steps go by */
	uint32_t last;   /* window in the last segment sent */
	bool shared;     /* the upper may offer less than was promised */
	uint8_t shift;   /* ours, 0 unless both SYNs had the option */
};

/* the shift to offer for a window of `most` octets (RFC 7323 2.2) */
uint8_t tcp_wnd_shift(uint32_t most);
void tcp_wnd_init(struct tcp_wnd *w, uint32_t most);
/* the peer's SYN is here: windows count from irs + 1 */
void tcp_wnd_start(struct tcp_wnd *w, uint32_t nxt);
/* octets acceptable from nxt on */
uint32_t tcp_wnd_acceptable(const struct tcp_wnd *w, uint32_t nxt);
/* The window field for a segment about to be sent, given the octets that the
 * upper can take from nxt on.  A SYN's window is not scaled. */
uint16_t tcp_wnd_field(struct tcp_wnd *w, uint32_t nxt, uint32_t room,
		       uint32_t mss, bool syn);
/* would an update that offers room be worth a segment of its own? */
bool tcp_wnd_update_due(const struct tcp_wnd *w, uint32_t nxt, uint32_t room,
			uint32_t mss);

#endif
