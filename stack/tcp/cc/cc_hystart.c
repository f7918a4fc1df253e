#include "stack/tcp/cc/cc_hystart.h"

#include <string.h>

#include "stack/base/check.h"

/* RFC 9406 4.3 */
#define MIN_RTT_THRESH     (4 * NANOS_MS)
#define MAX_RTT_THRESH     (16 * NANOS_MS)
#define MIN_RTT_DIVISOR    8
#define N_RTT_SAMPLE       8
#define CSS_GROWTH_DIVISOR 4
#define CSS_ROUNDS         5

#define NONE               INT64_MAX
#define BURST_SEGS         8u
#define BURST              65535u

void cc_hystart_init(struct cc_hystart *h)
{
	memset(h, 0, sizeof(*h));
	h->last_min = NONE;
	h->cur_min = NONE;
	h->css_base = NONE;
}

uint32_t cc_slow_start(const struct cc *cc, uint32_t acked)
{
	return min_u32(acked, max_u32(BURST_SEGS * cc->mss, BURST));
}

/* the round trip has grown enough since the last round (RFC 9406 4.2) */
static bool rtt_grew(const struct cc_hystart *h)
{
	nanos eta;

	if (h->samples < N_RTT_SAMPLE || h->cur_min == NONE ||
	    h->last_min == NONE) {
		return false;
	}
	eta = nanos_max(MIN_RTT_THRESH, nanos_min(h->last_min / MIN_RTT_DIVISOR,
						  MAX_RTT_THRESH));
	return h->cur_min >= h->last_min + eta;
}

uint32_t cc_hystart_ack(struct cc_hystart *h, const struct cc *cc,
			const struct cc_ack *a, bool *exit)
{
	uint32_t n = cc_slow_start(cc, a->acked);

	*exit = false;
	if (a->round_start) {
		h->last_min = h->cur_min;
		h->cur_min = NONE;
		h->samples = 0;
		if (h->css && ++h->css_rounds >= CSS_ROUNDS) {
			*exit = true;
		}
	}
	if (a->rtt >= 0) {
		h->cur_min = nanos_min(h->cur_min, a->rtt);
		h->samples = h->samples < N_RTT_SAMPLE ? h->samples + 1
						       : N_RTT_SAMPLE;
	}
	if (!h->css) {
		if (rtt_grew(h)) {
			h->css = true;
			h->css_base = h->cur_min;
			h->css_rounds = 0;
			h->rest = 0;
		}
		return n;
	}
	if (h->samples >= N_RTT_SAMPLE && h->cur_min < h->css_base) {
		h->css = false; /* it was jitter: back to slow start */
		h->css_base = NONE;
		*exit = false;
		return n;
	}
	n += h->rest;
	h->rest = n % CSS_GROWTH_DIVISOR;
	return n / CSS_GROWTH_DIVISOR;
}
