#include "stack/tcp/tcp_prr.h"

#include "stack/base/check.h"
#include "stack/tcp/cc.h"

void tcp_prr_begin(struct tcp_prr *p, uint32_t outstanding)
{
	*p = (struct tcp_prr){ .flight = max_u32(outstanding, 1) };
}

void tcp_prr_ack(struct tcp_prr *p, uint32_t delivered, uint32_t pipe,
		 uint32_t ssthresh, uint32_t mss, bool moved)
{
	uint64_t n, limit;

	p->delivered += delivered;
	if (pipe > ssthresh) {
		n = (p->delivered * ssthresh + p->flight - 1) / p->flight;
		n = n > p->out ? n - p->out : 0;
	} else {
		limit = p->delivered > p->out ? p->delivered - p->out : 0;
		limit = max_u64(limit, delivered) + (moved ? mss : 0);
		n = min_u64(ssthresh - pipe, limit);
	}
	if (p->out == 0) { /* the fast retransmission itself */
		n = max_u64(n, mss);
	}
	p->quota = (uint32_t)min_u64(n, CC_INF / 2);
}

void tcp_prr_sent(struct tcp_prr *p, uint32_t len)
{
	p->out += len;
	p->quota -= min_u32(len, p->quota);
}
