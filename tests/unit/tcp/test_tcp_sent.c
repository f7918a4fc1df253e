#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "stack/tcp/tcp_sent.h"
#include "tests/lib/fake.h"

#define MS NANOS_MS

static struct fake fake;
static struct tcp_sent s;

static struct instant at(nanos ns)
{
	return (struct instant){ ns };
}

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 1);
	tcp_sent_init(&s, &fake.mem, 0xffffff00u, at(0));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tcp_sent_fini(&s);
	fake_fini(&fake);
	return 0;
}

/* everything the header promises about the structure */
static void audit(void)
{
	uint32_t seq = s.una, flight = 0, lost = 0, sacked = 0, resent = 0;
	uint32_t on_flight = 0, on_lost = 0, n_flight = 0, n_lost = 0;
	uint32_t segs = 0;
	bool last_sacked = false;

	for (uint32_t i = 0; i < s.n; i++) {
		const struct tcp_sent_entry *e = tcp_sent_at(&s, i);

		assert_int_equal(e->seq, seq);
		assert_true(e->len > 0);
		assert_true(seq_leq(e->base, e->seq));
		seq += e->len;
		if (e->state == TCP_SENT_FLIGHT) {
			flight += e->len;
			resent += e->rtx ? e->len : 0;
			n_flight++;
		} else if (e->state == TCP_SENT_LOST) {
			lost += e->len;
			n_lost++;
		} else {
			sacked += e->len;
			segs += e->segs;
			assert_false(last_sacked); /* merged */
			assert_false(list_linked(&e->node));
		}
		last_sacked = e->state == TCP_SENT_SACKED;
	}
	assert_int_equal(seq, s.nxt);
	assert_int_equal(flight, s.in_flight);
	assert_int_equal(lost, s.n_lost);
	assert_int_equal(sacked, s.n_sacked);
	assert_int_equal(segs, s.sacked_segs);
	assert_int_equal(resent, s.n_resent);
	list_each (p, &s.flight) {
		const struct tcp_sent_entry *e =
			list_entry(p, struct tcp_sent_entry, node);

		assert_int_equal(e->state, TCP_SENT_FLIGHT);
		on_flight++;
	}
	list_each (p, &s.lost) {
		const struct tcp_sent_entry *e =
			list_entry(p, struct tcp_sent_entry, node);

		assert_int_equal(e->state, TCP_SENT_LOST);
		on_lost++;
	}
	assert_int_equal(on_flight, n_flight);
	assert_int_equal(on_lost, n_lost);
	assert_true(s.n <= TCP_SENT_MAX);
}

static struct tcp_sent_out ack(nanos now, uint32_t a, const struct range32 *b,
			       unsigned n)
{
	struct tcp_sent_in in = { .now = at(now),
				  .ack = a,
				  .sack = b,
				  .n_sack = n,
				  .echo_before = INSTANT_NEVER };
	struct tcp_sent_out out;

	tcp_sent_ack(&s, &in, &out);
	audit();
	return out;
}

static void cumulative(void **state)
{
	uint32_t q = s.una;
	struct tcp_sent_out o;

	(void)state;
	assert_true(tcp_sent_add(&s, at(1 * MS), 1000, 100, false));
	assert_true(tcp_sent_add(&s, at(2 * MS), 1000, 100, false));
	audit();
	o = ack(11 * MS, q + 1500, NULL, 0);
	assert_int_equal(o.acked, 1500);
	assert_int_equal(o.delivered, 1500);
	assert_int_equal(o.rtt, 10 * MS);
	assert_int_equal(o.rtt_newest, 9 * MS);
	assert_true(o.orig_delivered && !o.rtx_delivered && !o.reordered);
	assert_true(o.rack && o.rack_tx.ns == 2 * MS);
	assert_int_equal(o.rack_end, q + 1500);
	assert_int_equal(s.in_flight, 500);
	/* beyond what was sent, or before una: nothing */
	o = ack(12 * MS, q + 2001, NULL, 0);
	assert_int_equal(o.acked, 0);
	o = ack(12 * MS, q + 1499, NULL, 0);
	assert_int_equal(o.delivered, 0);
	o = ack(13 * MS, q + 2000, NULL, 0);
	assert_int_equal(o.acked, 500);
	assert_true(tcp_sent_empty(&s));
}

static void sack_splits_at_segments(void **state)
{
	uint32_t q = s.una;
	struct range32 b = { q + 250, q + 770 };
	struct tcp_sent_out o;

	(void)state;
	tcp_sent_add(&s, at(0), 1000, 100, false);
	o = ack(MS, q, &b, 1);
	assert_int_equal(o.sacked, 400); /* [300, 700) */
	assert_int_equal(s.n, 3);
	assert_int_equal(tcp_sent_at(&s, 1)->seq, q + 300);
	/* the same again: nothing new */
	o = ack(MS, q, &b, 1);
	assert_int_equal(o.delivered, 0);
	/* the last, short segment is whole at the entry's end */
	tcp_sent_add(&s, at(0), 50, 100, false);
	b = (struct range32){ q + 1000, q + 1050 };
	assert_int_equal(ack(MS, q, &b, 1).sacked, 50);
	/* a lone octet is no segment */
	b = (struct range32){ q + 100, q + 101 };
	assert_int_equal(ack(MS, q, &b, 1).sacked, 0);
	o = ack(MS, q + 1050, NULL, 0);
	assert_int_equal(o.acked, 1050);
	assert_int_equal(o.delivered, 600);
}

/* RFC 2018 section 5, segments 5000.. of 500 octets; the first one of eight is
 * lost, then every second one */
static void rfc2018_examples(void **state)
{
	uint32_t q = s.una;
	struct range32 b[3];

	(void)state;
	for (int i = 0; i < 8; i++) {
		tcp_sent_add(&s, at(i), 500, 500, false);
	}
	for (uint32_t i = 1; i < 8; i++) { /* case 2 */
		b[0] = (struct range32){ q + 500, q + 500 * (i + 1) };
		assert_int_equal(ack(MS, q, b, 1).sacked, 500);
		assert_int_equal(s.n_sacked, 500 * i);
	}
	assert_int_equal(s.n, 2);
	ack(MS, q + 4000, NULL, 0);
	q += 4000;
	for (int i = 0; i < 8; i++) {
		tcp_sent_add(&s, at(i), 500, 500, false);
	}
	ack(MS, q + 500, NULL, 0); /* case 3: 2nd, 4th, 6th, 8th lost */
	b[0] = (struct range32){ q + 1000, q + 1500 };
	ack(MS, q + 500, b, 1);
	b[1] = b[0];
	b[0] = (struct range32){ q + 2000, q + 2500 };
	ack(MS, q + 500, b, 2);
	b[2] = b[1];
	b[1] = b[0];
	b[0] = (struct range32){ q + 3000, q + 3500 };
	ack(MS, q + 500, b, 3);
	assert_int_equal(s.n_sacked, 1500);
	assert_int_equal(s.in_flight, 2000);
	/* the 4th arrives, then the 2nd */
	b[0] = (struct range32){ q + 1000, q + 2500 };
	b[1] = (struct range32){ q + 3000, q + 3500 };
	ack(MS, q + 500, b, 2);
	assert_int_equal(s.n_sacked, 2000);
	ack(MS, q + 2500, b + 1, 1);
	assert_int_equal(s.n_sacked, 500);
	assert_int_equal(s.in_flight, 1000);
}

/* RFC 2883 section 4: 4.1 duplicate below the ACK, 4.2 below a second block,
 * 4.3 part of a larger block above the ACK */
static void dsack(void **state)
{
	uint32_t q = s.una;
	struct range32 b[2];
	struct tcp_sent_out o;

	(void)state;
	for (int i = 0; i < 8; i++) {
		tcp_sent_add(&s, at(i), 500, 500, false);
	}
	b[0] = (struct range32){ q + 500, q + 1000 };
	o = ack(MS, q + 1500, b, 1);
	assert_true(o.dsack);
	assert_int_equal(o.dsack_range.lo, q + 500);
	assert_int_equal(o.sacked, 0);
	b[1] = (struct range32){ q + 2000, q + 2500 };
	o = ack(MS, q + 1500, b, 2);
	assert_true(o.dsack);
	assert_int_equal(o.sacked, 500);
	b[0] = (struct range32){ q + 2000, q + 2500 };
	b[1] = (struct range32){ q + 2000, q + 3000 };
	o = ack(MS, q + 1500, b, 2);
	assert_true(o.dsack);
	assert_int_equal(o.sacked, 500);
	/* a block that says something new is none */
	b[0] = (struct range32){ q + 3500, q + 4000 };
	o = ack(MS, q + 1500, b, 2);
	assert_false(o.dsack);
	assert_int_equal(o.sacked, 500);
}

static void nonsense_blocks(void **state)
{
	uint32_t q = s.una;
	struct range32 b[] = {
		{ q + 600, q + 600 },         { q + 700, q + 600 },
		{ q + 900, q + 1100 },        { q, q + 500 },
		{ q - 500, q + 500 },         { q + 0x80000000u, q + 700 },
		{ q + 100, q + 0x7fffffffu },
	};

	(void)state;
	tcp_sent_add(&s, at(0), 1000, 100, false);
	for (unsigned i = 0; i < ARRAY_SIZE(b); i++) {
		assert_int_equal(ack(MS, q, b + i, 1).sacked, 0);
	}
	assert_int_equal(s.in_flight, 1000);
}

static void karn_and_rack(void **state)
{
	uint32_t q = s.una;
	struct tcp_sent_entry *e;
	struct tcp_sent_in in = { .now = at(40 * MS),
				  .ack = q + 100,
				  .echo_before = INSTANT_NEVER,
				  .min_rtt = 20 * MS };
	struct tcp_sent_out o;

	(void)state;
	tcp_sent_add(&s, at(0), 200, 100, false);
	assert_int_equal(tcp_sent_mark_head_lost(&s, 100), 100);
	e = tcp_sent_next_lost(&s, 1000);
	assert_int_equal(e->len, 100);
	tcp_sent_resent(&s, e, at(30 * MS), 100);
	assert_int_equal(s.n_resent, 100);
	audit();
	tcp_sent_ack(&s, &in, &o); /* 10 ms: below the least RTT */
	assert_true(o.rtx_delivered && !o.orig_delivered);
	assert_int_equal(o.rtt, -1);
	assert_false(o.rack);
	/* the second segment: sent once */
	in.ack = q + 200;
	tcp_sent_ack(&s, &in, &o);
	assert_int_equal(o.rtt, 40 * MS);
	assert_true(o.rack && !o.rack_rtx);
	/* by the echo */
	tcp_sent_add(&s, at(50 * MS), 100, 100, false);
	e = tcp_sent_tail(&s, 100);
	tcp_sent_resent(&s, e, at(60 * MS), 100);
	in = (struct tcp_sent_in){ .now = at(100 * MS),
				   .ack = q + 300,
				   .echo_before = at(60 * MS) };
	tcp_sent_ack(&s, &in, &o);
	assert_false(o.rack);
	tcp_sent_add(&s, at(110 * MS), 100, 100, false);
	tcp_sent_resent(&s, tcp_sent_tail(&s, 100), at(120 * MS), 100);
	in.ack = q + 400;
	in.now = at(150 * MS);
	in.echo_before = at(121 * MS);
	tcp_sent_ack(&s, &in, &o);
	assert_true(o.rack && o.rack_rtx);
}

static void reordering_and_rate(void **state)
{
	uint32_t q = s.una;
	struct range32 b = { q + 200, q + 300 };
	struct tcp_sent_out o;

	(void)state;
	tcp_sent_add(&s, at(0), 100, 100, true);
	tcp_sent_add(&s, at(0), 200, 100, false);
	o = ack(10 * MS, q, &b, 1);
	assert_false(o.reordered);
	assert_int_equal(o.prior_delivered, 0);
	b.lo = q + 100;
	o = ack(11 * MS, q, &b, 1);
	assert_true(o.reordered); /* [100, 200) after [200, 300) */
	assert_int_equal(s.delivered, 200);
	tcp_sent_add(&s, at(12 * MS), 100, 100, false);
	o = ack(20 * MS, q + 400, NULL, 0);
	assert_int_equal(o.prior_delivered, 200);
	assert_int_equal(o.prior_delivered_at.ns, 11 * MS);
	assert_false(o.app_limited);
}

static void timeout_keeps_or_clears_sacks(void **state)
{
	uint32_t q = s.una;
	struct range32 b = { q + 300, q + 600 };
	struct tcp_sent_entry *e;

	(void)state;
	tcp_sent_add(&s, at(0), 1000, 100, false);
	ack(MS, q, &b, 1);
	assert_false(tcp_sent_reneged(&s));
	tcp_sent_mark_all_lost(&s, false);
	audit();
	assert_int_equal(s.n_lost, 700);
	assert_int_equal(s.n_sacked, 300);
	tcp_sent_unmark_lost(&s);
	audit();
	assert_int_equal(s.in_flight, 700);
	ack(MS, q + 300, NULL, 0);
	assert_true(tcp_sent_reneged(&s));
	tcp_sent_mark_all_lost(&s, true);
	audit();
	assert_int_equal(s.n_lost, 700);
	e = tcp_sent_next_lost(&s, 250);
	assert_int_equal(e->seq, q + 300);
	assert_int_equal(e->len, 250);
	audit();
}

static void tail_is_the_last_segment(void **state)
{
	uint32_t q = s.una;
	struct range32 b = { q + 900, q + 950 };
	struct tcp_sent_entry *e;

	(void)state;
	assert_null(tcp_sent_tail(&s, 100));
	tcp_sent_add(&s, at(0), 950, 100, false);
	e = tcp_sent_tail(&s, 100);
	assert_int_equal(e->seq, q + 900);
	assert_int_equal(e->len, 50);
	ack(MS, q, &b, 1);
	e = tcp_sent_tail(&s, 100);
	assert_int_equal(e->seq, q + 800);
	assert_int_equal(e->len, 100);
	audit();
}

/* The SACK attack: every second segment, from the end, thousands of entries,
 * then the rest.  Bounded entries, and no work beyond a few steps per block
 * (the count of entries proves the merging). */
static void many_holes(void **state)
{
	uint32_t q = s.una, n = 3 * TCP_SENT_MAX;

	(void)state;
	for (uint32_t i = 0; i < n / 45; i++) {
		assert_true(tcp_sent_add(&s, at(i), 45, 1, false));
	}
	n = n / 45 * 45;
	for (uint32_t i = n - 1; i > 1; i -= 2) {
		struct range32 b = { q + i, q + i + 1 };
		struct tcp_sent_in in = { .now = at(MS),
					  .ack = q,
					  .sack = &b,
					  .n_sack = 1,
					  .echo_before = INSTANT_NEVER };
		struct tcp_sent_out out;

		tcp_sent_ack(&s, &in, &out);
		if (i < 3) {
			break;
		}
	}
	audit();
	assert_int_equal(s.n, TCP_SENT_MAX);
	assert_true(s.n_refused > 0);
	assert_false(tcp_sent_can_add(&s));
	ack(MS, q, &(struct range32){ q + 1, q + n }, 1);
	assert_true(s.n < 10); /* merged; now there is room for the split */
	ack(MS, q, &(struct range32){ q + 1, q + n }, 1);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.n_sacked, n - 1);
	ack(MS, q + n, NULL, 0);
	tcp_sent_trim(&s);
	assert_int_equal(fake.mem.used, 0);
}

static void no_memory(void **state)
{
	uint32_t q = s.una;
	struct range32 b = { q + 100, q + 200 };

	(void)state;
	fake.fail_at = 1;
	assert_false(tcp_sent_add(&s, at(0), 1000, 100, false));
	assert_int_equal(s.nxt, q);
	assert_true(tcp_sent_add(&s, at(0), 1000, 100, false));
	tcp_sent_trim(&s);
	fake.fail_at = 1;
	assert_int_equal(ack(MS, q, &b, 1).sacked, 0);
	assert_int_equal(ack(MS, q, &b, 1).sacked, 100);
}

/* --- against a map of octets ------------------------------------------------ */

enum {
	SPAN = 4096
};

static struct model {
	uint8_t state[SPAN]; /* of octet una + i */
	uint8_t rtx[SPAN];
	uint32_t len;
} m;

static void model_audit(void)
{
	uint32_t k = 0;

	assert_int_equal(s.nxt - s.una, m.len);
	for (uint32_t i = 0; i < s.n; i++) {
		const struct tcp_sent_entry *e = tcp_sent_at(&s, i);

		for (uint32_t j = 0; j < e->len; j++, k++) {
			assert_int_equal(m.state[k], e->state);
			if (e->state != TCP_SENT_SACKED) {
				assert_int_equal(m.rtx[k] > 0, e->rtx > 0);
			}
		}
	}
}

static void model_ack(struct rng *rng, nanos now)
{
	struct range32 b[4];
	unsigned n = (unsigned)rng_below(rng, 5), skip = 0;
	uint32_t k =
		rng_below(rng, 3) ? 0 : (uint32_t)rng_below(rng, m.len + 1);
	uint32_t sacked = 0, delivered = 0, late = 0;
	uint32_t una = s.una + k;
	struct tcp_sent_out o;

	for (unsigned i = 0; i < n; i++) {
		b[i].lo = s.una + (uint32_t)rng_below(rng, m.len + 20) - 10;
		b[i].hi = b[i].lo + (uint32_t)rng_below(rng, 60) - 2;
	}
	for (uint32_t i = 0; i < k; i++) {
		delivered += m.state[i] != TCP_SENT_SACKED;
		late += m.state[i] == TCP_SENT_LOST;
	}
	o = ack(now, una, b, n);
	memmove(m.state, m.state + k, m.len - k);
	memmove(m.rtx, m.rtx + k, m.len - k);
	m.len -= k;
	skip = o.dsack ? 1 : 0;
	for (unsigned i = skip; i < n; i++) {
		if (seq_leq(b[i].lo, una) || seq_geq(b[i].lo, b[i].hi) ||
		    seq_gt(b[i].hi, s.nxt)) {
			continue;
		}
		for (uint32_t j = b[i].lo - una; j < b[i].hi - una; j++) {
			sacked += m.state[j] != TCP_SENT_SACKED;
			late += m.state[j] == TCP_SENT_LOST;
			m.state[j] = TCP_SENT_SACKED;
		}
	}
	assert_int_equal(o.acked, k);
	assert_int_equal(o.sacked, sacked);
	assert_int_equal(o.delivered, delivered + sacked);
	assert_int_equal(o.late, late);
}

static void model_resend(struct rng *rng, nanos now)
{
	uint32_t max = (uint32_t)rng_below(rng, 30) + 1;
	struct tcp_sent_entry *e = rng_below(rng, 4)
					   ? tcp_sent_next_lost(&s, max)
					   : tcp_sent_tail(&s, max);

	if (!e) {
		return;
	}
	assert_true(e->len <= max);
	for (uint32_t i = 0; i < e->len; i++) {
		m.state[e->seq - s.una + i] = TCP_SENT_FLIGHT;
		m.rtx[e->seq - s.una + i] = 1;
	}
	tcp_sent_resent(&s, e, at(now), 1);
}

static void model_lose(struct rng *rng)
{
	uint32_t i;
	struct tcp_sent_entry *e;
	bool clear = false;

	switch (rng_below(rng, 12)) {
	case 0:
		clear = rng_below(rng, 2);
		tcp_sent_mark_all_lost(&s, clear);
		for (i = 0; i < m.len; i++) {
			if (clear || m.state[i] != TCP_SENT_SACKED) {
				m.state[i] = TCP_SENT_LOST;
			}
		}
		/* entries that were merged have one count of copies */
		for (i = 0; clear && i < s.n; i++) {
			e = tcp_sent_at(&s, i);
			memset(m.rtx + (e->seq - s.una), e->rtx > 0, e->len);
		}
		return;
	case 1:
		tcp_sent_unmark_lost(&s);
		for (i = 0; i < m.len; i++) {
			if (m.state[i] == TCP_SENT_LOST) {
				m.state[i] = TCP_SENT_FLIGHT;
			}
		}
		return;
	case 2:
		i = tcp_sent_mark_head_lost(&s, 5);
		memset(m.state, TCP_SENT_LOST, i);
		return;
	default:
		break;
	}
	if (s.n == 0) {
		return;
	}
	e = tcp_sent_at(&s, (uint32_t)rng_below(rng, s.n));
	if (e->state == TCP_SENT_FLIGHT) {
		memset(m.state + (e->seq - s.una), TCP_SENT_LOST, e->len);
		tcp_sent_mark_lost(&s, e);
	}
}

static void random_operations(void **state)
{
	struct rng rng;
	nanos now = 0;

	(void)state;
	rng_seed(&rng, 11);
	memset(&m, 0, sizeof(m));
	for (int i = 0; i < 60000; i++) {
		uint32_t n = (uint32_t)rng_below(&rng, 60) + 1;

		now += (nanos)rng_below(&rng, MS);
		switch (rng_below(&rng, 5)) {
		case 0:
		case 1:
			if (m.len + n <= 1500 &&
			    tcp_sent_add(&s, at(now), n, 1, false)) {
				memset(m.state + m.len, 0, n);
				memset(m.rtx + m.len, 0, n);
				m.len += n;
			}
			break;
		case 2:
			model_ack(&rng, now);
			break;
		case 3:
			model_resend(&rng, now);
			break;
		default:
			model_lose(&rng);
			break;
		}
		audit();
		model_audit();
	}
}

/* real segment sizes and refused memory: only the structure can be checked,
 * and that nothing counts as delivered that was not reported */
static void random_hostile(void **state)
{
	struct rng rng;
	nanos now = 0;

	(void)state;
	rng_seed(&rng, 12);
	for (int i = 0; i < 30000; i++) {
		struct range32 b[4];
		uint32_t most = 0;
		struct tcp_sent_entry *e;

		now += (nanos)rng_below(&rng, MS);
		if (rng_below(&rng, 50) == 0) {
			fake.fail_at = rng_below(&rng, 4);
		}
		if (s.nxt - s.una < 200000) {
			tcp_sent_add(&s, at(now),
				     (uint32_t)rng_below(&rng, 65535) + 1,
				     (uint16_t)(rng_below(&rng, 1400) + 1),
				     false);
		}
		for (int k = 0; k < 4; k++) {
			b[k].lo = s.una + (uint32_t)rng_below(&rng, 220000) -
				  10000;
			b[k].hi = b[k].lo + (uint32_t)rng_below(&rng, 9000);
			most += b[k].hi - b[k].lo;
		}
		assert_true(ack(now, s.una, b, 4).sacked <= most);
		if (rng_below(&rng, 3) == 0) {
			ack(now,
			    s.una + (uint32_t)rng_below(
					    &rng, (s.nxt - s.una) / 2 + 1),
			    NULL, 0);
		}
		if (rng_below(&rng, 40) == 0) {
			tcp_sent_mark_all_lost(&s, rng_below(&rng, 2));
		}
		e = tcp_sent_next_lost(&s, 1400);
		if (e) {
			tcp_sent_resent(&s, e, at(now), 1400);
		}
		audit();
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(cumulative),
		T(sack_splits_at_segments),
		T(rfc2018_examples),
		T(dsack),
		T(nonsense_blocks),
		T(karn_and_rack),
		T(reordering_and_rate),
		T(timeout_keeps_or_clears_sacks),
		T(tail_is_the_last_segment),
		T(many_holes),
		T(no_memory),
		T(random_operations),
		T(random_hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
