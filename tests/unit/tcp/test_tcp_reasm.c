#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "stack/tcp/tcp_reasm.h"
#include "tests/lib/fake.h"

#define BASE 0xffffff00u

static struct fake fake;
static struct tcp_reasm r;

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 1);
	tcp_reasm_init(&r, &fake.mem, 1 << 24);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tcp_reasm_fini(&r);
	fake_fini(&fake);
	return 0;
}

static void release(struct pkt *p)
{
	free(p->data);
	free(p);
}

/* a slice of len octets from fill(); big: it pins its packet, else a copy */
static struct slice *slice_of(uint32_t seq, uint32_t len, bool big,
			      uint8_t (*octet)(uint32_t seq))
{
	struct pkt *p = calloc(1, sizeof(*p));
	struct slice *s;

	check(p != NULL);
	*p = (struct pkt){ .data = malloc(len + 40),
			   .len = len + 40,
			   .truesize = big ? len + 40 : 8 * len + 2000,
			   .refs = 1,
			   .release = release };
	for (uint32_t i = 0; i < len; i++) {
		p->data[40 + i] = octet(seq + i);
	}
	s = slice_make(&fake.mem, p, p->data + 40, len);
	if (s) {
		s->seq = seq;
	}
	pkt_put(p);
	return s;
}

static uint8_t plain(uint32_t seq)
{
	return (uint8_t)(seq * 7 + (seq >> 8));
}

static uint8_t other(uint32_t seq)
{
	return (uint8_t)~plain(seq);
}

static enum tcp_reasm_result put(uint32_t nxt, uint32_t seq, uint32_t len)
{
	return tcp_reasm_insert(&r, nxt, slice_of(seq, len, true, plain));
}

static void audit(uint32_t nxt)
{
	uint32_t n = 0, charge = 0, octets = 0, run = 0, seq = nxt;

	list_each (p, &r.q) {
		const struct slice *s = list_entry(p, struct slice, node);

		assert_true(run < r.n_run);
		if (r.run[run].first == s) {
			assert_true(run == 0 || seq_gt((uint32_t)s->seq, seq));
			assert_int_equal(r.run[run].lo, (uint32_t)s->seq);
		} else {
			assert_int_equal((uint32_t)s->seq, seq);
		}
		seq = (uint32_t)s->seq + s->len;
		if (r.run[run].last == s) {
			assert_int_equal(r.run[run].hi, seq);
			run++;
		}
		n++;
		charge += s->charge;
		octets += s->len;
	}
	assert_int_equal(run, r.n_run);
	assert_int_equal(n, r.n_slice);
	assert_int_equal(charge, r.charge);
	assert_int_equal(octets, r.octets);
}

static uint32_t drain(uint32_t nxt)
{
	struct slice *s;

	while ((s = tcp_reasm_pop(&r, nxt))) {
		assert_int_equal((uint32_t)s->seq, nxt);
		for (uint32_t i = 0; i < s->len; i++) {
			assert_int_equal(s->p[i], plain(nxt + i));
		}
		nxt += s->len;
		slice_free(&fake.mem, s);
	}
	return nxt;
}

static void expect_sack(const struct range32 *want, unsigned n, unsigned max)
{
	struct range32 got[4];

	assert_int_equal(tcp_reasm_sack(&r, got, max), n);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(got[i].lo, BASE + want[i].lo);
		assert_int_equal(got[i].hi, BASE + want[i].hi);
	}
}

/* RFC 2018 section 5, case 3: of eight segments the 2nd, 4th, 6th and 8th are
 * lost; then the 4th and the 2nd arrive */
static void rfc2018_example(void **state)
{
	uint32_t nxt = BASE + 500;

	(void)state;
	put(nxt, BASE + 1000, 500);
	expect_sack((struct range32[]){ { 1000, 1500 } }, 1, 4);
	put(nxt, BASE + 2000, 500);
	expect_sack((struct range32[]){ { 2000, 2500 }, { 1000, 1500 } }, 2, 4);
	put(nxt, BASE + 3000, 500);
	expect_sack((struct range32[]){ { 3000, 3500 },
					{ 2000, 2500 },
					{ 1000, 1500 } },
		    3, 4);
	expect_sack((struct range32[]){ { 3000, 3500 }, { 2000, 2500 } }, 2, 2);
	put(nxt, BASE + 1500, 500);
	expect_sack((struct range32[]){ { 1000, 2500 }, { 3000, 3500 } }, 2, 4);
	put(nxt, BASE + 500, 500);
	nxt = drain(nxt);
	assert_int_equal(nxt, BASE + 2500);
	expect_sack((struct range32[]){ { 3000, 3500 } }, 1, 4);
	put(nxt, BASE + 2500, 500);
	assert_int_equal(drain(nxt), BASE + 3500);
	assert_false(tcp_reasm_has_sack(&r));
	expect_sack(NULL, 0, 4);
}

/* RFC 2883 section 4: duplicates of delivered and of queued data */
static void rfc2883_examples(void **state)
{
	uint32_t nxt = BASE + 1000;

	(void)state;
	/* 4.1.1: a full segment again */
	assert_int_equal(put(nxt, BASE + 500, 500), TCP_REASM_DUP);
	expect_sack((struct range32[]){ { 500, 1000 } }, 1, 4);
	expect_sack(NULL, 0, 4); /* once */
	/* 4.1.2: with data queued above */
	put(nxt, BASE + 1500, 500);
	tcp_reasm_dup(&r, BASE + 500, BASE + 1000);
	expect_sack((struct range32[]){ { 500, 1000 }, { 1500, 2000 } }, 2, 4);
	/* 4.1.3: a duplicate above the ACK, within its block */
	put(nxt, BASE + 2000, 500);
	put(nxt, BASE + 3000, 500);
	assert_int_equal(put(nxt, BASE + 2000, 500), TCP_REASM_DUP);
	expect_sack((struct range32[]){ { 2000, 2500 },
					{ 1500, 2500 },
					{ 3000, 3500 } },
		    3, 4);
	/* 4.2.1: partly new, partly below the ACK */
	assert_int_equal(put(nxt, BASE + 500, 1000), TCP_REASM_OK);
	expect_sack((struct range32[]){ { 500, 1000 },
					{ 1000, 2500 },
					{ 3000, 3500 } },
		    3, 4);
	assert_int_equal(drain(nxt), BASE + 2500);
}

static void first_received_wins(void **state)
{
	uint32_t nxt = BASE;
	struct slice *s;

	(void)state;
	put(nxt, BASE + 100, 50);
	put(nxt, BASE + 200, 50);
	/* one segment over both: three pieces are new */
	assert_int_equal(
		tcp_reasm_insert(&r, nxt,
				 slice_of(BASE + 50, 250, true, other)),
		TCP_REASM_OK);
	audit(nxt);
	assert_int_equal(r.n_run, 1);
	assert_int_equal(r.n_slice, 5);
	nxt += 50;
	while ((s = tcp_reasm_pop(&r, nxt))) {
		for (uint32_t i = 0; i < s->len; i++) {
			uint32_t off = nxt + i - BASE;
			bool old = (off >= 100 && off < 150) ||
				   (off >= 200 && off < 250);

			assert_int_equal(s->p[i],
					 old ? plain(nxt + i) : other(nxt + i));
		}
		nxt += s->len;
		slice_free(&fake.mem, s);
	}
	assert_int_equal(nxt, BASE + 300);
}

static void bounds(void **state)
{
	uint32_t nxt = BASE, i, n = 0;

	(void)state;
	r.max_charge = 10000;
	for (i = 1; i < 100; i++) {
		enum tcp_reasm_result res = put(nxt, BASE + 200 * i, 100);

		assert_true(res == TCP_REASM_OK || res == TCP_REASM_FULL);
		n += res == TCP_REASM_OK;
		assert_true(r.charge <= r.max_charge);
	}
	assert_true(n > 10 && n < 99);
	/* what is in order always gets in, so that the queue can drain */
	assert_int_equal(put(nxt, BASE, 200), TCP_REASM_OK);
	nxt = drain(nxt);
	assert_int_equal(nxt, BASE + 300);
	r.max_charge = 1 << 30;
	for (i = 0; i < 3 * TCP_REASM_MAX_RUNS; i++) {
		put(nxt, nxt + 2 + 2 * i, 1);
	}
	assert_int_equal(r.n_run, TCP_REASM_MAX_RUNS);
	for (i = 0; i < 2 * TCP_REASM_MAX_SLICES; i++) {
		put(nxt, nxt + 10000 + i, 1);
	}
	assert_true(r.n_slice <= TCP_REASM_MAX_SLICES);
	audit(nxt);
}

/* memory is scarce: a small queue, and what fills the gap in any case */
static void scarce(void **state)
{
	void *others = mem_alloc(&fake.mem, 100000);
	uint32_t nxt = BASE, i;

	(void)state;
	fake.mem.limit = 200000;
	for (i = 1; i < 100; i++) {
		put(nxt, BASE + 500 * i, 400);
	}
	assert_true(r.charge > 12000 && r.charge <= 16384);
	assert_int_equal(put(nxt, BASE, 500), TCP_REASM_OK);
	assert_int_equal(drain(nxt), BASE + 900);
	audit(BASE + 900);
	mem_free(&fake.mem, others, 100000);
}

static void no_memory(void **state)
{
	struct slice *s = slice_of(BASE + 10, 10, true, plain);

	(void)state;
	fake.fail_at = 1;
	assert_int_equal(tcp_reasm_insert(&r, BASE, s), TCP_REASM_NOMEM);
	assert_true(tcp_reasm_empty(&r));
	put(BASE, BASE + 100, 10);
	s = slice_of(BASE + 90, 50, true, plain);
	fake.fail_at = 1; /* for the piece behind */
	assert_int_equal(tcp_reasm_insert(&r, BASE, s), TCP_REASM_NOMEM);
	audit(BASE);
}

static void pop_after_delivery_elsewhere(void **state)
{
	struct slice *s;

	(void)state;
	put(BASE, BASE + 100, 100);
	put(BASE, BASE + 200, 100);
	assert_null(tcp_reasm_pop(&r, BASE + 50));
	s = tcp_reasm_pop(&r, BASE + 250); /* the first is dropped */
	assert_int_equal((uint32_t)s->seq, BASE + 250);
	assert_int_equal(s->len, 50);
	slice_free(&fake.mem, s);
	assert_true(tcp_reasm_empty(&r));
	assert_int_equal(r.charge, 0);
	assert_int_equal(tcp_reasm_end(&r, BASE), BASE);
}

/* --- against an array of flags -------------------------------------------- */

enum {
	SPAN = 3000
};

static void check_sacks(uint32_t nxt, const uint8_t *held, uint32_t seq,
			bool dup_only)
{
	struct range32 b[4];
	bool dsack = r.dsack;
	unsigned n = tcp_reasm_sack(&r, b, 4);

	for (unsigned i = dsack ? 1 : 0; i < n; i++) {
		uint32_t lo = b[i].lo - nxt, hi = b[i].hi - nxt;

		/* whole runs, and each only once */
		assert_true(lo < hi && hi <= SPAN);
		assert_true(lo > 0 && !held[lo - 1] && !held[hi]);
		for (uint32_t k = lo; k < hi; k++) {
			assert_true(held[k]);
		}
		for (unsigned k = dsack ? 1 : 0; k < i; k++) {
			assert_true(b[k].lo != b[i].lo);
		}
	}
	/* RFC 2018 4: the first block holds what just came */
	if (seq_geq(seq, nxt) && held[seq - nxt] && n > (dsack ? 1u : 0u) &&
	    !dup_only) {
		const struct range32 *f = &b[dsack ? 1 : 0];

		assert_true(seq_leq(f->lo, seq) && seq_lt(seq, f->hi));
	}
}

static void random_against_model(void **state)
{
	static uint8_t held[SPAN + 1];
	uint32_t nxt = BASE;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	memset(held, 0, sizeof(held));
	for (int i = 0; i < 40000; i++) {
		uint32_t lo = (uint32_t)rng_below(&rng, SPAN - 1) + 1;
		uint32_t len = (uint32_t)rng_below(&rng, 80) + 1, now, fresh;
		uint32_t back = 0;
		enum tcp_reasm_result res;

		if (rng_below(&rng, 9) == 0) {
			lo = 0;
			back = (uint32_t)rng_below(&rng, 30);
		}
		len = min_u32(len, SPAN - lo);
		fresh = 0;
		for (uint32_t k = lo; k < lo + len; k++) {
			fresh += !held[k];
			held[k] = 1;
		}
		res = tcp_reasm_insert(&r, nxt,
				       slice_of(nxt + lo - back, len + back,
						rng_below(&rng, 2), plain));
		assert_int_equal(res, fresh ? TCP_REASM_OK : TCP_REASM_DUP);
		audit(nxt);
		now = drain(nxt);
		fresh = 0;
		while (fresh < SPAN && held[fresh]) {
			fresh++;
		}
		assert_int_equal(now - nxt, fresh);
		memmove(held, held + fresh, SPAN - fresh);
		memset(held + SPAN - fresh, 0, fresh);
		check_sacks(now, held, nxt + lo, false);
		nxt = now;
		audit(nxt);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(rfc2018_example),
		T(rfc2883_examples),
		T(first_received_wins),
		T(bounds),
		T(scarce),
		T(no_memory),
		T(pop_after_delivery_elsewhere),
		T(random_against_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
