#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/rng.h"
#include "stack/wire/cksum.h"
#include "tests/unit/wire/hex.h"

/* RFC 1071 1, word by word, with an end-around carry after each */
static uint16_t naive(uint16_t sum, const uint8_t *p, size_t n)
{
	uint32_t s = sum;

	for (size_t i = 0; i < n; i++) {
		s += i & 1 ? p[i] : (uint32_t)p[i] << 8;
		s = (s & 0xffff) + (s >> 16);
	}
	return (uint16_t)s;
}

/* 0 and 0xffff are the same number */
static void same(uint16_t a, uint16_t b)
{
	assert_int_equal(a % 0xffff, b % 0xffff);
}

static void gives_the_rfc_example(void **st)
{
	static const uint8_t p[] = { 0x00, 0x01, 0xf2, 0x03,
				     0xf4, 0xf5, 0xf6, 0xf7 };

	(void)st;
	assert_int_equal(cksum_fold(cksum_add(0, p, 8)), 0xddf2);
	assert_int_equal(cksum_finish(cksum_add(0, p, 8)), 0x220d);
}

static void agrees_with_the_naive_sum(void **st)
{
	uint8_t buf[700];
	struct rng r;

	(void)st;
	rng_seed(&r, 1);
	for (unsigned i = 0; i < 20000; i++) {
		size_t at = rng_below(&r, 64), n = rng_below(&r, 600);
		uint16_t start = (uint16_t)rng_u64(&r);

		rng_fill(&r, buf, sizeof(buf));
		if (i % 3 == 0) { /* all carries at once */
			memset(buf, 0xff, sizeof(buf));
		}
		assert_int_equal(cksum_fold(cksum_add(start, buf + at, n)),
				 naive(start, buf + at, n));
	}
}

static void every_length_alone(void **st)
{
	(void)st;
	for (size_t n = 0; n < 200; n++) {
		uint8_t src[200], *p;

		memset(src, (int)n + 1, sizeof(src));
		p = heap_copy(src, n);
		assert_int_equal(cksum_fold(cksum_add(0, p, n)),
				 naive(0, p, n));
		free(p);
	}
}

static void nothing_but_zeros_sums_to_zero(void **st)
{
	static const uint8_t zero[100], ones[64] = { 0xff, 0xff };

	(void)st;
	assert_int_equal(cksum_fold(cksum_add(0, zero, 100)), 0);
	assert_int_equal(cksum_finish(0), 0xffff);
	assert_int_equal(cksum_fold(cksum_add(0, ones, 64)), 0xffff);
	assert_int_equal(cksum_fold(UINT64_MAX), 0xffff);
	assert_int_equal(cksum_fold(0xffffffff00000000), 0xffff);
	assert_int_equal(cksum_fold(0x1fffe), 0xffff);
}

static void large_pieces_lose_no_carry(void **st)
{
	size_t n = 3u << 20;
	uint8_t *p = malloc(n);

	(void)st;
	assert_non_null(p);
	memset(p, 0xff, n);
	p[n - 1] = 0xfe;
	same(cksum_fold(cksum_add(0, p, n)), naive(0, p, n));
	free(p);
}

static void pieces_sum_like_the_whole(void **st)
{
	uint8_t buf[300];
	struct rng r;

	(void)st;
	rng_seed(&r, 2);
	for (unsigned i = 0; i < 20000; i++) {
		struct iov v[4];
		size_t at = 0;

		rng_fill(&r, buf, sizeof(buf));
		for (unsigned k = 0; k < 4; k++) {
			v[k] = (struct iov){ buf + at, rng_below(&r, 70) };
			at += v[k].n;
		}
		same(cksum_fold(cksum_add_iov(7, v, 4)), naive(7, buf, at));
	}
}

static void an_odd_piece_is_swapped(void **st)
{
	static const uint8_t p[] = { 0x12, 0x34, 0x56 };

	(void)st;
	same(cksum_fold(cksum_add_odd(0x1200, p + 1, 2)),
	     cksum_fold(cksum_add(0, p, 3)));
}

static void pseudo_headers_have_their_layout(void **st)
{
	uint8_t src[16], dst[16], four[12], six[40];
	struct addr a, b;
	struct rng r;

	(void)st;
	rng_seed(&r, 3);
	rng_fill(&r, src, 16);
	rng_fill(&r, dst, 16);
	a = addr_from(4, src);
	b = addr_from(4, dst);
	memcpy(four, src, 4);
	memcpy(four + 4, dst, 4);
	be16_put(four + 8, 6);
	be16_put(four + 10, 1234);
	same(cksum_fold(cksum_pseudo(&a, &b, 6, 1234)), naive(0, four, 12));
	a = addr_from(6, src);
	b = addr_from(6, dst);
	memcpy(six, src, 16);
	memcpy(six + 16, dst, 16);
	be32_put(six + 32, 70000);
	be32_put(six + 36, 58);
	same(cksum_fold(cksum_pseudo(&a, &b, 58, 70000)), naive(0, six, 40));
}

static void updates_as_if_summed_anew(void **st)
{
	uint8_t buf[20];
	struct rng r;

	(void)st;
	/* the example of RFC 1624 4 */
	assert_int_equal(cksum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
	rng_seed(&r, 4);
	for (unsigned i = 0; i < 20000; i++) {
		uint16_t was, from, to = (uint16_t)rng_u64(&r);

		rng_fill(&r, buf, sizeof(buf));
		was = cksum_finish(cksum_add(0, buf, sizeof(buf)));
		from = be16_get(buf + 6);
		be16_put(buf + 6, to);
		assert_int_equal(cksum_update(was, from, to),
				 cksum_finish(cksum_add(0, buf, sizeof(buf))));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_rfc_example),
		cmocka_unit_test(agrees_with_the_naive_sum),
		cmocka_unit_test(every_length_alone),
		cmocka_unit_test(nothing_but_zeros_sums_to_zero),
		cmocka_unit_test(large_pieces_lose_no_carry),
		cmocka_unit_test(pieces_sum_like_the_whole),
		cmocka_unit_test(an_odd_piece_is_swapped),
		cmocka_unit_test(pseudo_headers_have_their_layout),
		cmocka_unit_test(updates_as_if_summed_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
