#include "stack/tcp/tcp_round.h"

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "stack/tcp/tcp_sent.h"

void tcp_round_init(struct tcp_round *r, uint32_t seq)
{
	*r = (struct tcp_round){ .end = seq };
}

bool tcp_round_ack(struct tcp_round *r, uint32_t una, uint32_t nxt,
		   uint32_t in_flight)
{
	if (seq_lt(una, r->end)) {
		return false;
	}
	r->end = nxt;
	r->most_last = r->most;
	r->most = in_flight;
	r->limited_last = r->limited;
	r->limited = false;
	return true;
}

void tcp_round_sent(struct tcp_round *r, uint32_t in_flight, uint32_t quota,
		    uint32_t cwnd, uint32_t mss)
{
	/* less than a burst left: the sender may wait for more, and that is
	 * the window's doing too */
	uint32_t few = max_u32(mss, min_u32(cwnd / 4, TCP_SENT_BURST));

	r->most = max_u32(r->most, in_flight);
	if (quota < few) {
		r->limited = true;
	}
}

bool tcp_round_limited(const struct tcp_round *r, uint32_t cwnd,
		       uint32_t ssthresh)
{
	/* In slow start the window doubles while we fill half of it. */
	if (cwnd < ssthresh) {
		return cwnd / 2 < max_u32(r->most, r->most_last);
	}
	return r->limited || r->limited_last;
}
