/* tcp_rate.h - how fast the path delivers (draft-cheng-iccrg-delivery-rate-
 * estimation)
 *
 * A sample is what was delivered between the transmission of a range and the
 * news of its arrival, over the longer of two times: that in which it was sent
 * and that in which it was acknowledged.  So neither ACKs that come bunched nor
 * a burst that leaves at once looks like a fast path.  What a sample needs is
 * remembered with each transmission (tcp_sent.h); the rest is here.
 *
 * While the application gives less than the path takes, samples say how fast
 * it writes: they are marked until everything sent before that was noticed has
 * been delivered.
 */
#ifndef TCP_TCP_RATE_H
#define TCP_TCP_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"

struct tcp_rate {
	/* when the newest delivered range had been sent: the time of sending
	 * of whatever leaves now counts from here */
	struct instant from;
	/* transmissions are marked until so many octets are delivered, 0: they
	 * are not */
	uint64_t app_until;
	uint32_t lost; /* octets found lost since the last sample */
	/* for whoever asks: the last sample worth showing, octets per second */
	uint64_t bw;
	bool bw_app_limited;
};

/* one ACK that brought something, and the range sent last that it brought */
struct tcp_rate_in {
	struct instant now;
	uint64_t delivered;       /* octets ever delivered, this ACK too */
	uint64_t prior_delivered; /* ..when the range was sent.. */
	struct instant prior_at;  /* ..and when that was learnt */
	struct instant tx, from;  /* its transmission, and `from` of then */
	bool app_limited;
	nanos min_rtt; /* 0: unknown */
};

struct tcp_rate_sample {
	uint64_t bw;    /* octets per second, 0: no sample */
	nanos interval; /* that it was taken over */
	bool app_limited;
};

void tcp_rate_init(struct tcp_rate *r, struct instant now);
/* something is about to leave while nothing is on its way */
void tcp_rate_restart(struct tcp_rate *r, struct instant now);
/* Nothing was left to send although more could have been: delivered octets so
 * far, in_flight now. */
void tcp_rate_idle(struct tcp_rate *r, uint64_t delivered, uint32_t in_flight);

/* is what leaves now sent by an application that gives too little? */
static inline bool tcp_rate_limited(const struct tcp_rate *r)
{
	return r->app_until > 0;
}

/* Takes a sample.  None: it would span less than a round trip, so that its
 * times cannot be trusted. */
void tcp_rate_ack(struct tcp_rate *r, const struct tcp_rate_in *in,
		  struct tcp_rate_sample *out);

#endif
