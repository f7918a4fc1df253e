/* RFC 8684 3.3.1: the checksum of a mapping, both directions */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/mptcp/mp.h"
#include "stack/mptcp/mp_cksum.h"
#include "tests/lib/fake.h"

static struct fake fake;
static struct mp_conn conn; /* as much of one as sending looks at */
static struct mp_sub sub;

static int setup(void **state)
{
	(void)state;
	fake_init(&fake, 1);
	memset(&conn, 0, sizeof(conn));
	memset(&sub, 0, sizeof(sub));
	conn.mode = MP_MODE_MPTCP;
	ring_init(&conn.snd.ring, &fake.mem, 1 << 17, 0);
	sub.c = &conn;
	mp_map_init(&sub.tx, &fake.mem, 64);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ring_fini(&conn.snd.ring);
	mp_map_fini(&sub.tx);
	fake_fini(&fake);
	return 0;
}

/* the pseudo-header and the octets in one piece, word after word */
static uint16_t naive(uint64_t dsn, uint32_t ssn, uint16_t len,
		      const uint8_t *p, uint32_t n)
{
	static uint8_t all[16 + 70000];
	uint64_t sum = 0;

	for (unsigned i = 0; i < 8; i++) {
		all[i] = (uint8_t)(dsn >> (56 - 8 * i));
	}
	for (unsigned i = 0; i < 4; i++) {
		all[8 + i] = (uint8_t)(ssn >> (24 - 8 * i));
	}
	all[12] = (uint8_t)(len >> 8);
	all[13] = (uint8_t)len;
	all[14] = all[15] = 0;
	if (n) {
		memcpy(all + 16, p, n);
	}
	all[16 + n] = 0;
	for (uint32_t i = 0; i < 16 + n; i += 2) {
		sum += (uint64_t)all[i] << 8 | all[i + 1];
	}
	while (sum >> 16) {
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}

static struct mp_map *push(uint32_t ssn, const void *p, uint32_t n)
{
	uint64_t off = conn.snd.ring.tail;

	assert_int_equal(ring_put(&conn.snd.ring, p, n), n);
	return mp_map_push(&sub.tx, ssn, n, off, 0);
}

/* values worked out by hand from the text of the RFC */
static void known(void **state)
{
	struct mp_map *m;

	(void)state;
	assert_int_equal(mp_cksum_fin(0x5a), 0xffa4);
	assert_int_equal(mp_cksum_fin(0x5a), naive(0x5a, 0, 1, NULL, 0));
	m = push(1, "hello", 5);
	assert_int_equal(mp_cksum_tx(&sub, m, 0xf5a101d3d29d6f73), 0x82a1);
	assert_int_equal(naive(0xf5a101d3d29d6f73, 1, 5,
			       (const uint8_t *)"hello", 5),
			 0x82a1);
	mp_map_drop(&sub.tx, 6, false);
	m = push(1, "0123456789", 10);
	assert_int_equal(mp_cksum_tx(&sub, m, 0xffffffff), 0xfaea);
}

/* all 64 bits of the DSN count, whatever travels */
static void fin_of_any_dsn(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		uint64_t dsn = UINT64_C(0x8000000000000001) >> i;

		assert_int_equal(mp_cksum_fin(dsn), naive(dsn, 0, 1, NULL, 0));
	}
}

static void fill(uint8_t *p, uint32_t n)
{
	rng_fill(&fake.rng, p, n);
}

/* once computed it stays, for a retransmission when the ring has forgotten */
static void sent_is_kept(void **state)
{
	uint8_t data[999];
	struct mp_map *m;
	uint16_t sum;

	(void)state;
	fill(data, sizeof(data));
	m = push(4000000000, data, sizeof(data));
	assert_false(m->has_csum);
	sum = mp_cksum_tx(&sub, m, 77);
	assert_int_equal(sum, naive(77, 4000000000, 999, data, 999));
	assert_true(m->has_csum);
	assert_int_equal(m->csum, sum);
	ring_drop(&conn.snd.ring, 500);
	assert_int_equal(mp_cksum_tx(&sub, m, 77), sum);
}

/* in two pieces of the ring, the first of odd length */
static void sent_around_the_ring(void **state)
{
	static uint8_t data[4096];

	(void)state;
	fill(data, sizeof(data));
	for (uint32_t first = 1; first < 6; first++) {
		uint32_t off = 4096 - first, n = 100 + first;
		struct mp_map *m;
		struct iov v[2];

		setup(NULL);
		push(1, data, off);
		ring_drop(&conn.snd.ring, off);
		m = push(1 + off, data, n);
		assert_int_equal(ring_slice(&conn.snd.ring, off, n, v), 2);
		assert_int_equal(v[0].n, first);
		assert_int_equal(mp_cksum_tx(&sub, m, off),
				 naive(off, 1 + off, (uint16_t)n, data, n));
		teardown(NULL);
	}
	setup(NULL);
}

/* --- received ------------------------------------------------------------ */

static struct slice piece[32];
static struct list held;
static unsigned n_held;

static void hold_none(void)
{
	list_init(&held);
	n_held = 0;
}

static void hold(uint32_t ssn, const uint8_t *p, uint32_t n)
{
	piece[n_held] = (struct slice){ .p = p, .len = n, .seq = ssn };
	list_push_back(&held, &piece[n_held].node);
	n_held++;
}

/* the DATA_FIN is an octet of the mapping that is not there */
static void with_fin(void **state)
{
	const uint8_t *p = (const uint8_t *)"abcdefghij";
	struct mp_map m = { .ssn = 101, .len = 10, .has_csum = true,
			    .fin = true, .csum = 0x0440 };

	(void)state;
	hold_none();
	hold(101, p, 10);
	assert_true(mp_cksum_rx(&held, &m, 80));
	m.fin = false;
	assert_false(mp_cksum_rx(&held, &m, 80));
	m.csum = naive(80, 101, 10, p, 10);
	assert_true(mp_cksum_rx(&held, &m, 80));
	assert_false(mp_cksum_rx(&held, &m, 81));
	m.ssn++;
	assert_false(mp_cksum_rx(&held, &m, 80));
}

static void incomplete(void **state)
{
	const uint8_t zeros[10] = { 0 };
	struct mp_map m = { .ssn = 5, .len = 10, .has_csum = true };

	(void)state;
	/* missing zeros would not change the sum */
	m.csum = naive(9, 5, 10, zeros, 10);
	hold_none();
	assert_false(mp_cksum_rx(&held, &m, 9));
	hold(5, zeros, 9);
	assert_false(mp_cksum_rx(&held, &m, 9));
	hold(14, zeros, 1);
	assert_true(mp_cksum_rx(&held, &m, 9));
	hold_none();
	hold(0, zeros, 5); /* ends where the mapping begins */
	assert_false(mp_cksum_rx(&held, &m, 9));
	hold(5, zeros, 10);
	hold(15, (const uint8_t *)"\x5a", 1); /* what follows is not in it */
	assert_true(mp_cksum_rx(&held, &m, 9));
}

static uint32_t below(uint64_t n)
{
	return (uint32_t)rng_below(&fake.rng, n);
}

/* a piece in the middle, or the first, is not here any more */
static void gap(void **state)
{
	const uint8_t zeros[10] = { 0 };
	struct mp_map m = { .ssn = 5, .len = 10, .has_csum = true };

	(void)state;
	m.csum = naive(9, 5, 10, zeros, 10);
	hold_none();
	hold(6, zeros, 9);
	assert_false(mp_cksum_rx(&held, &m, 9));
	hold_none();
	hold(5, zeros, 3);
	hold(9, zeros, 6);
	assert_false(mp_cksum_rx(&held, &m, 9));
	hold_none();
	hold(20, zeros, 10);
	assert_false(mp_cksum_rx(&held, &m, 9));
}

/* Any mapping over any cut of any octets, also where the sequence wraps:
 * right, and wrong after one bit has changed. */
static void any_cut(void **state)
{
	static uint8_t data[4000];

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		uint32_t start = (uint32_t)(round % 3 ? rng_u64(&fake.rng) :
							0xfffffc00u);
		uint32_t n = 1 + below(sizeof(data));
		uint32_t lo = below(n);
		uint32_t len = 1 + below(n - lo);
		uint64_t dsn = rng_u64(&fake.rng);
		bool fin = below(2) != 0;
		struct mp_map m = { .ssn = start + lo, .len = len,
				    .has_csum = true, .fin = fin };
		uint32_t at = 0, bit;

		fill(data, n);
		m.csum = naive(dsn, m.ssn, (uint16_t)(len + fin), data + lo,
			       len);
		hold_none();
		while (at < n) {
			uint32_t k = 1 + below(round % 2 ? 9 : 900);

			k = n_held == 31 ? n - at : min_u32(k, n - at);
			hold(start + at, data + at, k);
			at += k;
		}
		assert_true(mp_cksum_rx(&held, &m, dsn));
		bit = below(len * 8);
		data[lo + bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(mp_cksum_rx(&held, &m, dsn));
	}
}

/* two octets swapped at an odd distance are not seen by the sum of a piece at
 * the wrong parity: they must be here */
static void parity(void **state)
{
	uint8_t data[] = { 1, 2, 3, 4, 5 };
	struct mp_map m = { .ssn = 8, .len = 5, .has_csum = true };

	(void)state;
	m.csum = naive(1, 8, 5, data, 5);
	hold_none();
	hold(8, data, 1);
	hold(9, data + 1, 4);
	assert_true(mp_cksum_rx(&held, &m, 1));
	data[1] = 3;
	data[2] = 2;
	assert_false(mp_cksum_rx(&held, &m, 1));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(known),
		T(fin_of_any_dsn),
		T(sent_is_kept),
		T(sent_around_the_ring),
		T(with_fin),
		T(incomplete),
		T(gap),
		T(any_cut),
		T(parity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
