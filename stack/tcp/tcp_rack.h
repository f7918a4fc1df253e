/* tcp_rack.h - loss detection by time, and tail loss probes (RFC 8985)
 *
 * RACK: a range is lost when another one that was sent later is known to have
 * arrived and a reordering window has passed since.  "Later" goes by the number
 * of the transmission, not by its time: one pass of the event loop sends many
 * packets at one instant, retransmissions behind new data too.  The window is zero until
 * reordering was seen (with three segments SACKed, or in recovery), then a
 * quarter of the minimum RTT, growing with every round in which D-SACKs show
 * that retransmissions were needless, up to SRTT.
 *
 * Without SACK there is nothing to order: three duplicate ACKs (RFC 5681 3.2)
 * are the sign then; that lives in tcp_recover.
 */
#ifndef TCP_TCP_RACK_H
#define TCP_TCP_RACK_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"
#include "stack/tcp/tcp_sent.h"

#define TCP_RACK_DUPTHRESH    3u
#define TCP_RACK_PERSIST      16u /* recoveries that the wider window lasts */
#define TCP_TLP_MAX_ACK_DELAY (200 * NANOS_MS)
#define TCP_TLP_NO_RTT        (1 * NANOS_S)
#define TCP_TLP_MIN           (2 * NANOS_MS)

struct tcp_rack {
	struct instant tx; /* of the delivered range sent last */
	uint64_t order;    /* the number of that transmission, 0: none yet */
	uint32_t end;      /* its end */
	nanos rtt;         /* its round trip */
	bool reordering;   /* seen on this connection */
	uint32_t mult;     /* reordering window, quarters of min_rtt, 1.. */
	uint32_t persist;
	bool dsack_round;   /* a D-SACK was counted in this round: */
	uint32_t dsack_end; /* ..which ends when this is acknowledged */
	/* tail loss probe */
	bool tlp;         /* one is out */
	bool tlp_rtx;     /* it was a retransmission */
	uint32_t tlp_end; /* snd_nxt after it */
	bool tlp_rtt;     /* an RTT sample came since the last probe */
};

void tcp_rack_init(struct tcp_rack *r);

/* RFC 8985 6.2 steps 2-4, with what tcp_sent_ack() found.  una and nxt are
 * those after the ACK. */
void tcp_rack_update(struct tcp_rack *r, struct instant now,
		     const struct tcp_sent_out *a, uint32_t una, uint32_t nxt);
/* a recovery (fast or by timeout) ended: RACK.reo_wnd_persist */
void tcp_rack_recovered(struct tcp_rack *r);
/* The reordering window.  waiting: in recovery, or three segments SACKed.
 * Values in nanos; min_rtt or srtt 0: unknown. */
nanos tcp_rack_reo_wnd(const struct tcp_rack *r, bool waiting, nanos min_rtt,
		       nanos srtt);
/* RFC 8985 6.2 step 5: marks what is lost.  Returns octets marked; *rtx: some
 * of it had been sent again (a lost retransmission); *again: when to look
 * next, INSTANT_NEVER: only with the next ACK. */
uint32_t tcp_rack_detect(struct tcp_rack *r, struct tcp_sent *s,
			 struct instant now, nanos reo_wnd, bool *rtx,
			 struct instant *again);

/* Probe timeout, RFC 8985 7.2, from now on: one: a single segment is out (the
 * peer may delay its ACK).  Not bounded by the RTO: the caller does. */
nanos tcp_rack_pto(nanos srtt, bool one);
/* may a probe be sent (RFC 8985 7.3)? */
bool tcp_rack_probe_ok(const struct tcp_rack *r);
/* the probe was sent; nxt as after it */
void tcp_rack_probe_sent(struct tcp_rack *r, bool rtx, uint32_t nxt);
/* An ACK while a probe is out (RFC 8985 7.4.2): ends the episode where it
 * should.  True: the probe repaired a loss, so congestion control must hear
 * of it.  dup: una did not move, no SACK, no data, no window change. */
bool tcp_rack_probe_ack(struct tcp_rack *r, uint32_t ack,
			const struct tcp_sent_out *a, bool dup);
/* a recovery begins: the episode is over */
void tcp_rack_probe_cancel(struct tcp_rack *r);

#endif
