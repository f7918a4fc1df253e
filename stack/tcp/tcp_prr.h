/* tcp_prr.h - proportional rate reduction (RFC 6937)
 *
 * In fast recovery this says what may be sent: while more is in flight than
 * ssthresh, a part of what is delivered; below it, what is delivered and, when
 * una moves and nothing more was lost, one segment besides (PRR-SSRB).  All
 * values are octets.
 */
#ifndef TCP_TCP_PRR_H
#define TCP_TCP_PRR_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_prr {
	uint64_t delivered, out; /* since recovery began */
	uint32_t flight;         /* RecoverFS: outstanding when it began */
	uint32_t quota;          /* what may leave now */
};

/* recovery begins; outstanding: FlightSize before the ACK that showed the
 * loss */
void tcp_prr_begin(struct tcp_prr *p, uint32_t outstanding);
/* An ACK (or the reordering timer) was applied: delivered octets, pipe now in
 * flight.  moved: una advanced and nothing more was lost.  Sets the quota. */
void tcp_prr_ack(struct tcp_prr *p, uint32_t delivered, uint32_t pipe,
		 uint32_t ssthresh, uint32_t mss, bool moved);
/* len octets left, new ones or again */
void tcp_prr_sent(struct tcp_prr *p, uint32_t len);

#endif
