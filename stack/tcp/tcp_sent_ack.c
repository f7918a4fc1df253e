/* tcp_sent_ack.c - the sent map hears an acknowledgement (RFC 2018, 2883) */
#include "stack/tcp/tcp_sent_part.h"

#include <string.h>

#include "stack/base/seq.h"

/* what a delivered range says about time */
static void sample(const struct tcp_sent_entry *e, uint32_t end,
		   const struct tcp_sent_in *in, struct tcp_sent_out *out)
{
	nanos rtt = instant_since(in->now, e->tx);

	if (e->rtx > 0 &&
	    (!instant_before(e->tx, in->echo_before) || rtt < in->min_rtt)) {
		return; /* an earlier copy arrived, not this one */
	}
	if (out->rack &&
	    (e->order < out->rack_order ||
	     (e->order == out->rack_order && seq_leq(end, out->rack_end)))) {
		return;
	}
	out->rack = true;
	out->rack_order = e->order;
	out->rack_tx = e->tx;
	out->rack_end = end;
	out->rack_rtx = e->rtx > 0;
	out->prior_delivered = e->delivered;
	out->prior_delivered_at = e->delivered_at;
	out->rate_from = e->rate_from;
	out->app_limited = e->app_limited;
}

/* [lo, hi) of e, which was not SACKED, arrived */
static void deliver(struct tcp_sent *s, const struct tcp_sent_entry *e,
		    uint32_t lo, uint32_t hi, const struct tcp_sent_in *in,
		    struct tcp_sent_out *out)
{
	nanos rtt = instant_since(in->now, e->tx);

	if (out->delivered == 0 || seq_gt(hi, out->hi)) {
		out->hi = hi;
	}
	out->delivered += hi - lo;
	out->late += e->state == TCP_SENT_LOST ? hi - lo : 0;
	sample(e, hi, in, out);
	if (e->rtx > 0) {
		out->rtx_delivered = true;
		return;
	}
	out->orig_delivered = true;
	if (seq_lt(hi, s->fack)) {
		out->reordered = true;
	}
	out->rtt = nanos_max(out->rtt, rtt);
	if (out->rtt_newest < 0 || rtt < out->rtt_newest) {
		out->rtt_newest = rtt;
	}
}

static void ack_cumulative(struct tcp_sent *s, const struct tcp_sent_in *in,
			   struct tcp_sent_out *out)
{
	while (s->n > 0) {
		struct tcp_sent_entry *e = tcp_sent_at(s, 0);
		uint32_t hi = seq_min(end_of(e), in->ack);

		if (seq_geq(e->seq, in->ack)) {
			break;
		}
		if (e->state != TCP_SENT_SACKED) {
			deliver(s, e, e->seq, hi, in, out);
		}
		if (hi == end_of(e)) {
			tcp_sent_leave(s, e);
			tcp_sent_remove(s, 0, 1);
			tcp_sent_put(s, e);
			continue;
		}
		tcp_sent_count(s, e, e->seq - hi);
		e->len -= hi - e->seq;
		e->seq = hi;
	}
	out->acked = in->ack - s->una;
	s->una = in->ack;
}

/* The SACKED entries around [a, b] become one. */
static void merge(struct tcp_sent *s, uint32_t a, uint32_t b)
{
	struct tcp_sent_entry *e;

	while (a > 0 && tcp_sent_at(s, a - 1)->state == TCP_SENT_SACKED) {
		a--;
	}
	while (b + 1 < s->n &&
	       tcp_sent_at(s, b + 1)->state == TCP_SENT_SACKED) {
		b++;
	}
	if (a == b) {
		return;
	}
	e = tcp_sent_at(s, a);
	for (uint32_t i = a + 1; i <= b; i++) {
		struct tcp_sent_entry *o = tcp_sent_at(s, i);

		e->len += o->len;
		e->segs += o->segs;
		e->rtx = o->rtx > e->rtx ? o->rtx : e->rtx;
		e->first_tx = instant_min(e->first_tx, o->first_tx);
		tcp_sent_put(s, o);
	}
	tcp_sent_remove(s, a + 1, b - a);
}

/* The first entry that a block from lo on covers from its start: cuts at the
 * next segment boundary when lo is within one. */
static uint32_t cut_low(struct tcp_sent *s, uint32_t lo, uint32_t hi)
{
	uint32_t i = tcp_sent_find(s, lo), cut;
	struct tcp_sent_entry *e = tcp_sent_at(s, i);

	if (e->state == TCP_SENT_SACKED || e->seq == lo) {
		return i;
	}
	cut = e->base + (lo - e->base + e->mss - 1) / e->mss * e->mss;
	if (seq_gt(hi, cut) && seq_lt(cut, end_of(e))) {
		tcp_sent_split(s, i, cut - e->seq);
	}
	return i + 1;
}

/* Is the entry at i covered up to its end?  Cuts it at the last segment
 * boundary that is.  False: no segment of it is, or it could not be cut. */
static bool cut_high(struct tcp_sent *s, uint32_t i, uint32_t hi)
{
	struct tcp_sent_entry *e = tcp_sent_at(s, i);
	uint32_t cut;

	if (seq_leq(end_of(e), hi) || e->state == TCP_SENT_SACKED) {
		return true;
	}
	cut = e->base + (hi - e->base) / e->mss * e->mss;
	return seq_gt(cut, e->seq) && tcp_sent_split(s, i, cut - e->seq);
}

static void ack_block(struct tcp_sent *s, uint32_t lo, uint32_t hi,
		      const struct tcp_sent_in *in, struct tcp_sent_out *out)
{
	uint32_t a = cut_low(s, lo, hi), i = a;
	bool marked = false;

	for (; i < s->n && seq_lt(tcp_sent_at(s, i)->seq, hi); i++) {
		struct tcp_sent_entry *e;

		if (!cut_high(s, i, hi)) {
			break;
		}
		e = tcp_sent_at(s, i);
		if (e->state == TCP_SENT_SACKED) {
			continue;
		}
		deliver(s, e, e->seq, end_of(e), in, out);
		tcp_sent_leave(s, e);
		tcp_sent_enter(s, e, TCP_SENT_SACKED);
		out->sacked += e->len;
		marked = true;
	}
	if (marked) {
		merge(s, a, i - 1);
	}
}

/* RFC 2883 4: the first block is a duplicate when it is below the cumulative
 * ACK, or within the second block. */
static bool is_dsack(const struct tcp_sent *s, const struct tcp_sent_in *in,
		     struct tcp_sent_out *out)
{
	const struct range32 *b = in->sack;

	if (in->n_sack == 0 || !seq_lt(b[0].lo, b[0].hi) ||
	    seq_gt(b[0].hi, s->nxt)) {
		return false;
	}
	if (!seq_lt(b[0].lo, in->ack) &&
	    (in->n_sack < 2 || !seq_lt(b[1].lo, b[1].hi) ||
	     seq_lt(b[0].lo, b[1].lo) || seq_gt(b[0].hi, b[1].hi))) {
		return false;
	}
	out->dsack = true;
	out->dsack_range = b[0];
	return true;
}

void tcp_sent_ack(struct tcp_sent *s, const struct tcp_sent_in *in,
		  struct tcp_sent_out *out)
{
	unsigned i;

	memset(out, 0, sizeof(*out));
	out->rtt = -1;
	out->rtt_newest = -1;
	if (in->ack - s->una > s->nxt - s->una) {
		return;
	}
	i = is_dsack(s, in, out) ? 1 : 0;
	ack_cumulative(s, in, out);
	for (; i < in->n_sack && s->n > 0; i++) {
		const struct range32 *b = &in->sack[i];

		/* una itself cannot be reported and yet not acknowledged */
		if (seq_gt(b->lo, s->una) && seq_lt(b->lo, b->hi) &&
		    seq_leq(b->hi, s->nxt)) {
			ack_block(s, b->lo, b->hi, in, out);
		}
	}
	if (out->rtx_delivered) {
		/* What lay behind the hole may have arrived long ago: its time
		 * is that of the repair, not of the path (Karn). */
		out->rtt = -1;
		out->rtt_newest = -1;
	}
	/* Reordering is measured against what earlier ACKs reported, so fack
	 * moves only now. */
	s->fack = seq_max(s->fack, s->una);
	if (out->delivered > 0) {
		s->fack = seq_max(s->fack, out->hi);
		s->delivered += out->delivered;
		s->delivered_at = in->now;
	}
}
