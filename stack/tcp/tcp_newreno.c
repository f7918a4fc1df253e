#include "stack/tcp/tcp_newreno.h"

#include "stack/base/check.h"

/* A cumulative ACK covers segments counted before (RFC 6582 3.2). */
uint32_t tcp_newreno_acked(struct tcp_newreno *n, uint32_t acked,
			   uint32_t outstanding, uint32_t mss)
{
	uint32_t known = min_u32(n->left, acked > mss ? acked - mss : 0);
	uint32_t behind = outstanding > mss ? outstanding - mss : 0;

	/* segments may have been smaller: no more than is behind the head */
	n->left = min_u32(n->left - known, behind);
	n->dupacks = 0;
	return acked - known;
}

uint32_t tcp_newreno_dup(struct tcp_newreno *n, uint32_t outstanding,
			 uint32_t mss)
{
	n->dupacks++;
	/* the head is what is missing: it has not left */
	if (outstanding < mss || n->left > outstanding - mss ||
	    outstanding - mss - n->left < mss) {
		return 0;
	}
	n->left += mss;
	return mss;
}

uint32_t tcp_newreno_detect(const struct tcp_newreno *n, struct tcp_sent *s,
			    uint16_t mss, bool recovering, bool advanced,
			    bool may)
{
	bool lost = recovering ? advanced :
				 may && n->dupacks == TCP_NEWRENO_DUPTHRESH;

	return lost ? tcp_sent_mark_head_lost(s, mss) : 0;
}
