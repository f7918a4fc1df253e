/* cc_hystart.h - slow start with HyStart++ (RFC 9406), a part of an algorithm
 *
 * Leaves slow start when the round trip grows, by way of a few rounds of
 * conservative growth, instead of by loss.  Used for the first slow start of a
 * connection only (RFC 9406 4.3).
 */
#ifndef TCP_CC_HYSTART_H
#define TCP_CC_HYSTART_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/tcp/cc.h"

struct cc_hystart {
	nanos last_min, cur_min; /* least RTT of the rounds; INT64_MAX: none */
	nanos css_base;          /* INT64_MAX: not in CSS */
	uint8_t samples; /* RTT samples in this round, no more than matter */
	uint8_t css_rounds;
	bool css;
	uint32_t rest; /* octets not yet counted in CSS growth */
};

void cc_hystart_init(struct cc_hystart *h);
/* An ACK in slow start, cwnd < ssthresh: returns the octets to grow cwnd by.
 * *exit: CSS is over, the caller sets ssthresh = cwnd. */
uint32_t cc_hystart_ack(struct cc_hystart *h, const struct cc *cc,
			const struct cc_ack *a, bool *exit);

/* Slow start growth for one ACK (RFC 5681 3.1, counted in octets as RFC 3465):
 * at most one burst, because a receiver that merges segments acknowledges 64
 * KiB at once and a limit of a few segments would make growth linear. */
uint32_t cc_slow_start(const struct cc *cc, uint32_t acked);

#endif
