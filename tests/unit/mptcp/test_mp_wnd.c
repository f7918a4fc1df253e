/* RFC 8684 3.3.4 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/mptcp/mp_wnd.h"

#define SPARE (1ull << 30)

static struct instant at(nanos t)
{
	return (struct instant){ t };
}

/* statement 96 */
static void edge_never_moves_left(void **state)
{
	struct mp_rwnd w;
	uint64_t edge;

	(void)state;
	mp_wnd_init(&w, &(struct mp_wnd_conf){ .max = 1 << 20 }, at(0));
	assert_int_equal(mp_wnd_offer(&w, 0, 0), MP_WND_INITIAL);
	edge = w.edge;
	/* 100,000 octets came, nobody read them */
	assert_int_equal(mp_wnd_offer(&w, 100000, 100000),
			 MP_WND_INITIAL - 100000);
	assert_true(w.edge == edge);
	/* the application's socket holds some, too */
	w.held = 50000;
	assert_int_equal(mp_wnd_offer(&w, 200000, 150000),
			 MP_WND_INITIAL - 200000);
	mp_wnd_set(&w, &(struct mp_wnd_conf){ .max = 4096 });
	assert_int_equal(mp_wnd_offer(&w, 200000, 0), MP_WND_INITIAL - 200000);
	assert_int_equal(mp_wnd_offer(&w, MP_WND_INITIAL, 0), 0);
}

/* smtcp(7), Sizes: a frame must fit, whatever the program's buffer is */
static void floor_is_kept(void **state)
{
	struct mp_rwnd w;

	(void)state;
	mp_wnd_init(&w, &(struct mp_wnd_conf){ .max = 4096 }, at(0));
	assert_int_equal(mp_wnd_offer(&w, 0, 0), 4096);
	w.floor = 65535;
	assert_int_equal(mp_wnd_offer(&w, 0, 0), 65535);
	assert_int_equal(mp_wnd_offer(&w, 0, 60000), 65535); /* promised */
	assert_int_equal(mp_wnd_offer(&w, 60000, 60000), 5535);
	/* what was not data takes no place: 20 of 1020 */
	assert_int_equal(mp_wnd_offer(&w, 61020, 61000), 4535);
	assert_int_equal(mp_wnd_offer(&w, 61020, 0), 65535);
}

/* a stream of which little is data needs the window all the same */
static void what_is_no_data_counts_as_read(void **state)
{
	struct mp_rwnd w;
	nanos t = 0;

	(void)state;
	mp_wnd_init(&w, &(struct mp_wnd_conf){ .max = 6 << 20 }, at(0));
	for (unsigned i = 0; i < 20; i++) {
		t += 50 * NANOS_MS;
		mp_wnd_gone(&w, w.size / 2);
		mp_wnd_read(&w, 1, 50 * NANOS_MS, SPARE,
			    at(t));
	}
	assert_int_equal(w.size, 6 << 20);
}

static void held_counts(void **state)
{
	struct mp_rwnd w;

	(void)state;
	mp_wnd_init(&w, &(struct mp_wnd_conf){ .max = 100000 }, at(0));
	assert_int_equal(w.size, 100000);
	mp_wnd_offer(&w, 0, 0);
	w.held = 30000;
	assert_int_equal(mp_wnd_offer(&w, 100000, 0), 70000);
	w.held = 0;
	assert_int_equal(mp_wnd_offer(&w, 100000, 0), 100000);
}

/* doubles and more while the sender does, never above the buffer */
static void grows_with_what_is_read(void **state)
{
	struct mp_rwnd w;
	nanos t = 0;

	(void)state;
	mp_wnd_init(&w, &(struct mp_wnd_conf){ .max = 6 << 20 }, at(0));
	for (unsigned i = 0; i < 20; i++) {
		t += 50 * NANOS_MS;
		mp_wnd_read(&w, w.size / 2, 50 * NANOS_MS, SPARE,
			    at(t));
	}
	assert_int_equal(w.size, 6 << 20);
	/* a slow reader gets no more than it needs */
	mp_wnd_init(&w, &(struct mp_wnd_conf){ .max = 6 << 20 }, at(0));
	for (t = 0; t < 10 * NANOS_S; t += 10 * NANOS_MS) {
		mp_wnd_read(&w, 1000, 50 * NANOS_MS, SPARE,
			    at(t));
	}
	assert_int_equal(w.size, MP_WND_INITIAL);
}

/* what the program chose is had at once, and stays */
static void chosen_size(void **state)
{
	struct mp_wnd_conf conf = { .max = 1 << 20, .fixed = true };
	struct mp_rwnd w;

	(void)state;
	mp_wnd_init(&w, &conf, at(0));
	assert_int_equal(mp_wnd_offer(&w, 0, 0), 1 << 20);
	mp_wnd_read(&w, 10 << 20, NANOS_MS, SPARE, at(NANOS_S));
	assert_int_equal(w.size, 1 << 20);
	conf.max = 5000;
	mp_wnd_set(&w, &conf);
	assert_int_equal(w.size, 5000);
	/* what was promised stays so */
	assert_int_equal(mp_wnd_offer(&w, 0, 0), 1 << 20);
}

/* TCP_WINDOW_CLAMP bounds what is promised; a frame must fit all the same */
static void clamped(void **state)
{
	struct mp_wnd_conf conf = { .max = 6 << 20, .clamp = 3000 };
	struct mp_rwnd w;

	(void)state;
	mp_wnd_init(&w, &conf, at(0));
	assert_int_equal(mp_wnd_offer(&w, 0, 0), 3000);
	assert_int_equal(mp_wnd_offer(&w, 1000, 0), 3000);
	assert_int_equal(mp_wnd_offer(&w, 1000, 1000), 3000); /* promised */
	assert_int_equal(mp_wnd_offer(&w, 4000, 3000), 0);
	w.floor = 65535;
	assert_int_equal(mp_wnd_offer(&w, 4000, 0), 65535);
	w.floor = 0;
	conf.clamp = 0;
	mp_wnd_set(&w, &conf);
	assert_int_equal(mp_wnd_offer(&w, 4000, 0), MP_WND_INITIAL);
}

/* SO_RCVLOWAT: who waits for that many octets must be able to get them */
static void holds_what_a_reader_waits_for(void **state)
{
	struct mp_wnd_conf conf = { .max = 6 << 20, .lowat = 3 << 20 };
	struct mp_rwnd w;

	(void)state;
	mp_wnd_init(&w, &conf, at(0));
	assert_int_equal(mp_wnd_offer(&w, 0, 0), 3 << 20);
}

/* one connection takes a part of what memory is left, not all */
static void memory_bounds_growth(void **state)
{
	struct mp_rwnd w;

	(void)state;
	mp_wnd_init(&w, &(struct mp_wnd_conf){ .max = 6 << 20 }, at(0));
	mp_wnd_read(&w, 6 << 20, NANOS_MS, 400000, at(NANOS_S));
	assert_int_equal(w.size, MP_WND_INITIAL + 100000);
	mp_wnd_read(&w, 6 << 20, NANOS_MS, 0, at(2 * NANOS_S));
	assert_int_equal(w.size, MP_WND_INITIAL + 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edge_never_moves_left),
		cmocka_unit_test(floor_is_kept),
		cmocka_unit_test(what_is_no_data_counts_as_read),
		cmocka_unit_test(held_counts),
		cmocka_unit_test(grows_with_what_is_read),
		cmocka_unit_test(chosen_size),
		cmocka_unit_test(clamped),
		cmocka_unit_test(holds_what_a_reader_waits_for),
		cmocka_unit_test(memory_bounds_growth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
