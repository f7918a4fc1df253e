/* out_one.h - two ends, and a look at all that the wire has */
#ifndef TESTS_UNIT_TCP_OUT_ONE_H
#define TESTS_UNIT_TCP_OUT_ONE_H

#include "tests/unit/tcp/pair_one.h"

/* checks every packet on the wire */
struct watch {
	uint32_t max_len[2];  /* payload plus options */
	uint32_t max_ahead;   /* octets of end 0 beyond the ACK of end 1 */
	uint32_t max_wnd_use; /* ..relative to the window */
	uint32_t last_ack, last_edge;
	bool beyond;          /* sent past the promised edge */
	uint64_t data[2], bare_acks[2], small;
	uint32_t burst;       /* no packet may cross a multiple of it */
	bool crossed;
	uint32_t base;
	unsigned shift;
};

static struct watch w;

static inline struct pair_fate watch(void *ctx, const struct pair_pkt *k)
{
	const struct tcp_seg *s = &k->seg;
	uint32_t all = (uint32_t)(k->pkt->len - IP4_HDR_LEN - TCP_HDR_LEN);

	(void)ctx;
	w.max_len[k->from] = max_u32(w.max_len[k->from], all);
	w.data[k->from] += s->len > 0;
	w.bare_acks[k->from] += s->len == 0 && s->flags == TCP_ACK;
	if (k->from == 0 && s->flags & TCP_SYN) {
		w.base = s->seq + 1;
	} else if (k->from == 0) {
		uint32_t at = s->seq - w.base;

		w.beyond |= s->len && seq_gt(s->seq + s->len, w.last_edge);
		w.max_ahead = max_u32(w.max_ahead,
				      s->seq + s->len - w.last_ack);
		w.crossed |= s->len && w.burst &&
			     at / w.burst != (at + s->len - 1) / w.burst;
		w.small += s->len > 0 && s->len < 1000;
	} else {
		uint32_t edge = s->ack + (s->flags & TCP_SYN ?
						  s->wnd :
						  (uint32_t)s->wnd << w.shift);

		w.last_ack = s->ack;
		w.last_edge = w.last_edge ? seq_max(w.last_edge, edge) : edge;
	}
	return (struct pair_fate){ 0 };
}

static inline void begin(uint64_t seed)
{
	w = (struct watch){ .shift = 7 };
	pair_defaults(&p, seed);
	p.fate = watch;
}

static inline void transfer(uint64_t n)
{
	pair_write(&p.end[0].conn, n, true);
	pair_write(&p.end[1].conn, 0, true);
	assert_true(pair_run(&p, 100 * NANOS_S, pair_both_closed));
	assert_true(pair_prefix_ok(&p));
	pair_stop(&p);
}

#endif
