/* tcp_rtt.h - round-trip time and retransmission timeout (RFC 6298)
 *
 * RTO = SRTT + max(TCP_RTO_MIN, 4 * RTTVAR), doubled per timeout and capped.
 * The floor stands on the variance term, not on the sum: a peer that delays
 * its ACKs adds up to 200 ms to any path, long ones too.
 *
 * Karn's rule is the caller's: it gives no sample taken from an octet that was
 * sent more than once, unless a timestamp tells the copies apart.
 */
#ifndef TCP_TCP_RTT_H
#define TCP_TCP_RTT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"

#define TCP_RTO_MIN     (200 * NANOS_MS)
#define TCP_RTO_MAX     (120 * NANOS_S)
#define TCP_RTO_INIT    (1 * NANOS_S)   /* RFC 6298 2.1 */
#define TCP_RTO_SYNLOST (3 * NANOS_S)   /* RFC 6298 5.7 */
#define TCP_RTT_WINDOW  (300 * NANOS_S) /* of the minimum */

struct tcp_rtt_min {
	struct instant at;
	nanos rtt;
};

#define TCP_RTT_LINEAR  6 /* timeouts in a row that need not double */

struct tcp_rtt {
	uint32_t min_us, max_ms; /* of RTO; 0: TCP_RTO_MIN, TCP_RTO_MAX */
	nanos srtt; /* 0: no sample yet */
	nanos rttvar;
	nanos latest;      /* last sample, 0: none */
	nanos rto;         /* without backoff */
	uint32_t backoff;  /* RTO is rto << backoff; a sample ends it (Karn) */
	uint32_t timeouts; /* in a row, without progress */
	/* least, second and third least of the window, oldest first */
	struct tcp_rtt_min min[3];
};

void tcp_rtt_init(struct tcp_rtt *r);
/* A sample for SRTT and RTO; values below 1 us count as 1 us, negative ones
 * are ignored.  Ends the backoff. */
void tcp_rtt_sample(struct tcp_rtt *r, struct instant now, nanos rtt);
/* A sample for the minimum only (the newest segment of an ACK: not inflated
 * by the peer's delay).  Negative: ignored. */
void tcp_rtt_min_sample(struct tcp_rtt *r, struct instant now, nanos rtt);
/* the timeout to use now, backoff included; TCP_RTO_MIN..TCP_RTO_MAX */
nanos tcp_rtt_rto(const struct tcp_rtt *r);
/* other bounds, from now on; 0 as above */
void tcp_rtt_bounds(struct tcp_rtt *r, uint32_t min_us, uint32_t max_ms);
/* the timer expired (RFC 6298 5.5) */
void tcp_rtt_backoff(struct tcp_rtt *r);
/* ... of a thin stream that asked for it (TCP_THIN_LINEAR_TIMEOUTS): the first
 * TCP_RTT_LINEAR in a row do not double */
void tcp_rtt_backoff_thin(struct tcp_rtt *r);
/* New data was acknowledged: timeouts are counted from 0 again.  The backoff
 * stays until a sample comes (RFC 6298 5, Karn). */
void tcp_rtt_progress(struct tcp_rtt *r);
/* the handshake is done and took a retransmitted SYN: RFC 6298 5.7, unless a
 * sample is known.  Ends the backoff. */
void tcp_rtt_syn_lost(struct tcp_rtt *r);
/* least of the window; 0: no sample yet */
nanos tcp_rtt_min(const struct tcp_rtt *r);

#endif
