/* RFC 8548 4.2: only the data of frames comes out, in whatever slices they
 * came */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp_strip.h"
#include "stack/wire/crypt_msg.h"
#include "tests/lib/fake.h"

static struct fake f;
static struct mp_strip st;
static struct list q;
static uint8_t wire[400000], plain[400000], got[400000];
static uint32_t n_wire, n_plain;

static int setup(void **state)
{
	(void)state;
	fake_init(&f, 5);
	st = (struct mp_strip){ 0 };
	list_init(&q);
	n_wire = n_plain = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	slice_free_all(&f.mem, &q);
	fake_fini(&f);
	return 0;
}

/* as an opened frame looks: the tag is still there */
static void frame(uint32_t data, uint8_t flags)
{
	uint32_t prefix = flags & CRYPT_FRAME_URG ? 3 : 1;
	uint8_t *p = wire + n_wire;

	*p++ = CRYPT_FRAME_REKEY;
	be16_put(p, (uint16_t)(data + prefix + CRYPT_FRAME_TAG));
	p[2] = flags;
	p += 2 + prefix;
	rng_fill(&f.rng, p, data + CRYPT_FRAME_TAG);
	memcpy(plain + n_plain, p, data);
	n_plain += data;
	n_wire = (uint32_t)(p + data + CRYPT_FRAME_TAG - wire);
}

static void released(struct pkt *p)
{
	free(p);
}

/* a slice of a packet of its own, which pins `more` octets besides */
static struct slice *arrived(uint32_t lo, uint32_t hi, uint32_t more)
{
	struct pkt *p = calloc(1, sizeof(*p) + (hi - lo));
	struct slice *s;

	assert_non_null(p);
	*p = (struct pkt){ .data = (uint8_t *)(p + 1), .len = hi - lo,
			   .truesize = hi - lo + more, .refs = 1,
			   .release = released };
	memcpy(p->data, wire + lo, hi - lo);
	s = slice_make(&f.mem, p, p->data, hi - lo);
	pkt_put(p);
	return s;
}

static unsigned slices(void)
{
	unsigned n = 0;

	list_each (p, &q) {
		n++;
	}
	return n;
}

/* q is the plain text so far; returns the octets its packets pin */
static uint64_t is_plain(uint64_t total)
{
	uint64_t n = 0, pinned = 0;
	const struct pkt *last = NULL;

	list_each (p, &q) {
		const struct slice *s = list_entry(p, struct slice, node);

		memcpy(got + n, s->p, s->len);
		n += s->len;
		/* each packet once */
		pinned += s->pkt && s->pkt != last ? s->pkt->truesize : 0;
		last = s->pkt;
	}
	assert_int_equal(n, total);
	assert_memory_equal(got, plain, n);
	return pinned;
}

static void one_frame(void **state)
{
	(void)state;
	frame(18, 0);
	assert_int_equal(n_wire, 38);
	assert_int_equal(mp_strip(&st, &f.mem, arrived(0, 38, 0), &q), 18);
	is_plain(18);
	frame(0, CRYPT_FRAME_FIN);
	assert_int_equal(mp_strip(&st, &f.mem, arrived(38, n_wire, 0), &q), 0);
	assert_int_equal(slices(), 1);
}

static void urgent_field_goes(void **state)
{
	(void)state;
	frame(6, CRYPT_FRAME_URG);
	frame(0, CRYPT_FRAME_URG | CRYPT_FRAME_FIN);
	assert_int_equal(n_wire, 28 + 22);
	assert_int_equal(mp_strip(&st, &f.mem, arrived(0, n_wire, 0), &q), 6);
	is_plain(6);
}

/* smtcp(7), Urgent data: a place in the program's stream, wherever slices are cut */
static void urgent_place(void **state)
{
	(void)state;
	for (uint32_t cut = 1; cut < 60; cut++) {
		st = (struct mp_strip){ 0 };
		slice_free_all(&f.mem, &q);
		n_wire = n_plain = 0;
		frame(18, 0);
		frame(6, CRYPT_FRAME_URG);
		be16_put(wire + 38 + 4, 3);
		mp_strip(&st, &f.mem, arrived(0, cut, 0), &q);
		mp_strip(&st, &f.mem, arrived(cut, n_wire, 0), &q);
		assert_int_equal(st.mark, 18 + 4);
		assert_int_equal(st.passed, 24);
	}
	/* it may be in a frame to come */
	st = (struct mp_strip){ 0 };
	slice_free_all(&f.mem, &q);
	be16_put(wire + 38 + 4, 600);
	mp_strip(&st, &f.mem, arrived(0, n_wire, 0), &q);
	assert_int_equal(st.mark, 18 + 601);
}

/* large frames in a large packet: references, nothing is copied */
static void large_ones_are_not_copied(void **state)
{
	uint64_t before;
	struct slice *s;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		frame(15980, 0);
	}
	s = arrived(0, n_wire, 2000);
	before = f.mem.used;
	assert_int_equal(mp_strip(&st, &f.mem, s, &q), n_plain);
	assert_int_equal(slices(), 4);
	assert_true(f.mem.used - before == 3 * sizeof(struct slice));
	is_plain(n_plain);
}

/* ... and without memory they are pushed together */
static void no_memory_is_no_matter(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		frame(15980, 0);
	}
	f.fail_at = 2;
	assert_int_equal(mp_strip(&st, &f.mem, arrived(0, n_wire, 2000), &q),
			 n_plain);
	assert_int_equal(slices(), 3);
	is_plain(n_plain);
}

/* many small frames pin no packet */
static void small_ones_do_not_pin(void **state)
{
	struct slice *s;

	(void)state;
	while (n_wire < 60000) {
		frame(1, 0);
	}
	s = arrived(0, n_wire, 4000);
	assert_non_null(s->pkt);
	assert_int_equal(mp_strip(&st, &f.mem, s, &q), n_plain);
	assert_int_equal(slices(), 1);
	assert_int_equal(is_plain(n_plain), 0);
	assert_true(f.mem.used < 2 * n_plain);
}

/* one large frame and the end of the one before, as segments bring them */
static void the_short_end_is_moved(void **state)
{
	(void)state;
	frame(100, 0);
	frame(16364, 0);
	assert_int_equal(mp_strip(&st, &f.mem, arrived(0, 60, 0), &q), 56);
	assert_int_equal(mp_strip(&st, &f.mem, arrived(60, n_wire, 0), &q),
			 n_plain - 56);
	assert_int_equal(slices(), 2);
	is_plain(n_plain);
}

/* any frames in any slices: no packet is pinned for less than a quarter of it,
 * but where memory was refused */
static void at_random(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 60; round++) {
		bool scarce = round & 1;
		uint32_t at = 0, most = 1u << rng_below(&f.rng, 17);
		uint32_t large = 1u << rng_below(&f.rng, 14);
		uint64_t total = 0, pinned;

		n_wire = n_plain = 0;
		while (n_wire < sizeof(wire) - 20000) {
			frame((uint32_t)rng_below(&f.rng, large + 1),
			      (uint8_t)(rng_below(&f.rng, 4) ? 0 :
							CRYPT_FRAME_URG));
		}
		while (at < n_wire) {
			uint32_t n = 1 + (uint32_t)rng_below(&f.rng, most);

			n = min_u32(n, n_wire - at);
			if (scarce && rng_below(&f.rng, 10) == 0) {
				f.fail_at = 2; /* behind the slice itself */
			}
			total += mp_strip(&st, &f.mem,
					  arrived(at, at + n, n / 2), &q);
			f.fail_at = 0;
			at += n;
		}
		assert_int_equal(total, n_plain);
		pinned = is_plain(n_plain);
		assert_true(scarce || pinned <= 4 * (uint64_t)n_plain);
		assert_int_equal(st.n, 0);
		slice_free_all(&f.mem, &q);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(urgent_field_goes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(urgent_place, setup, teardown),
		cmocka_unit_test_setup_teardown(large_ones_are_not_copied,
						setup, teardown),
		cmocka_unit_test_setup_teardown(no_memory_is_no_matter, setup,
						teardown),
		cmocka_unit_test_setup_teardown(small_ones_do_not_pin, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_short_end_is_moved, setup,
						teardown),
		cmocka_unit_test_setup_teardown(at_random, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
