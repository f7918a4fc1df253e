#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/base/ring.h"
#include "tests/lib/fake.h"

/* what stands at each offset of the stream */
static uint8_t octet(uint64_t off)
{
	return (uint8_t)(off * 131 ^ off >> 8);
}

static void verify(const struct ring *r, uint64_t off, uint32_t n)
{
	struct iov v[2];
	unsigned pieces = ring_slice(r, off, n, v);
	uint64_t at = off;

	for (unsigned i = 0; i < pieces; i++) {
		assert_true(v[i].n > 0);
		for (size_t k = 0; k < v[i].n; k++, at++) {
			assert_int_equal(v[i].p[k], octet(at));
		}
	}
	assert_true(at == off + n);
}

static uint32_t write_some(struct ring *r, struct fake *f, bool starved)
{
	uint32_t want = (uint32_t)rng_below(&f->rng, 6000);
	uint8_t copy[6000];
	struct iov_mut v[2];
	uint32_t n = 0;
	unsigned pieces;

	if (rng_below(&f->rng, 2)) {
		for (uint32_t i = 0; i < want; i++) {
			copy[i] = octet(r->tail + i);
		}
		return ring_put(r, copy, want);
	}
	pieces = ring_space(r, want, v);
	for (unsigned i = 0; i < pieces; i++) {
		for (size_t k = 0; k < v[i].n; k++) {
			v[i].p[k] = octet(r->tail + n++);
		}
	}
	assert_true(n <= want);
	if (!starved) {
		assert_int_equal(n, want < ring_free(r) ? want : ring_free(r));
	}
	/* not all that was reserved need be used */
	if (n && rng_below(&f->rng, 4) == 0) {
		n = (uint32_t)rng_below(&f->rng, n);
	}
	ring_commit(r, n);
	return n;
}

static void run(uint32_t max, uint64_t start, bool starve)
{
	struct fake f;
	struct ring r;
	uint64_t head = start, tail = start;

	fake_init(&f, max);
	ring_init(&r, &f.mem, max, start);
	assert_int_equal(f.mem.used, 0);
	for (unsigned i = 0; i < 3000; i++) {
		if (starve) {
			f.fail_at = rng_below(&f.rng, 2);
		}
		tail += write_some(&r, &f, starve);
		assert_true(r.tail == tail && r.head == head);
		assert_true(ring_len(&r) == tail - head);
		assert_int_equal(ring_free(&r), max - (tail - head));
		verify(&r, head, (uint32_t)(tail - head));
		if (tail > head) {
			uint64_t a = head + rng_below(&f.rng, tail - head);
			uint64_t b = a + rng_below(&f.rng, tail - a + 1);

			verify(&r, a, (uint32_t)(b - a));
			head += rng_below(&f.rng, tail - head + 1);
			ring_drop(&r, head);
		}
		if (rng_below(&f.rng, 16) == 0) {
			ring_drop(&r, head = tail);
			ring_trim(&r);
			assert_int_equal(f.mem.used, 0);
		} else {
			ring_trim(&r);
		}
	}
	ring_fini(&r);
	fake_fini(&f);
}

static void agrees_with_the_stream(void **st)
{
	(void)st;
	run(65536, 0, false);
	run(5000, 123456789, false); /* no power of two */
	run(65536, (uint64_t)1 << 32, false);
	run(1, 7, false);
	run(20000, UINT64_MAX - 100000, false); /* wraps */
}

static void lives_with_refused_memory(void **st)
{
	(void)st;
	run(65536, 99, true);
}

static void gives_all_that_is_free(void **st)
{
	struct fake f;
	struct ring r;
	struct iov_mut v[2];

	(void)st;
	fake_init(&f, 1);
	ring_init(&r, &f.mem, 10000, 5);
	assert_int_equal(ring_space(&r, 0, v), 0);
	assert_int_equal(ring_space(&r, 1 << 30, v), 1);
	assert_int_equal(v[0].n, 10000);
	ring_commit(&r, 10000);
	assert_int_equal(ring_space(&r, 1, v), 0);
	assert_int_equal(ring_put(&r, "x", 1), 0);
	ring_fini(&r);
	/* growth refused: what the ring has must still be offered */
	ring_init(&r, &f.mem, 10000, 0);
	assert_int_equal(ring_put(&r, "abc", 3), 3);
	f.fail_at = 1;
	assert_int_equal(ring_space(&r, 9000, v), 1);
	assert_int_equal(v[0].n, r.cap - 3);
	ring_fini(&r);
	fake_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_stream),
		cmocka_unit_test(lives_with_refused_memory),
		cmocka_unit_test(gives_all_that_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
