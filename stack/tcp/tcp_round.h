/* tcp_round.h - round trips, and how much of the window was used in them
 *
 * An ACK of a window that did not hold the sender back says nothing about the
 * path, and must not make it grow (RFC 7661, RFC 9438 5.8).  What counts is the
 * use of the last two round trips: an ACK answers what left one ago.
 */
#ifndef TCP_TCP_ROUND_H
#define TCP_TCP_ROUND_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_round {
	uint32_t end;               /* its ACK begins the next round */
	uint32_t most, most_last;   /* octets in flight, this and last round */
	bool limited, limited_last; /* the window stopped us */
};

void tcp_round_init(struct tcp_round *r, uint32_t seq);
/* An ACK moved una; nxt and in_flight as after it.  True: a round begins. */
bool tcp_round_ack(struct tcp_round *r, uint32_t una, uint32_t nxt,
		   uint32_t in_flight);
/* Something left: in_flight octets are out now, and quota more might be. */
void tcp_round_sent(struct tcp_round *r, uint32_t in_flight, uint32_t quota,
		    uint32_t cwnd, uint32_t mss);
/* did the window hold the sender back? */
bool tcp_round_limited(const struct tcp_round *r, uint32_t cwnd,
		       uint32_t ssthresh);

#endif
