#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/idle.h"

static struct io *io;
static struct io_op op;
static int p[2];
static unsigned left, came;

static bool work(void *ctx)
{
	(void)ctx;
	if (left == 0) {
		return false;
	}
	left--;
	return true;
}

static void readable(struct io_op *o, int res, unsigned flags)
{
	(void)o;
	(void)flags;
	came += res > 0;
}

static int with(enum io_backend b)
{
	io = io_new(b);
	came = 0;
	op = (struct io_op){ .done = readable };
	return pipe(p) == 0 ? 0 : -1;
}

static int setup_epoll(void **state)
{
	(void)state;
	return with(IO_EPOLL);
}

static int setup_auto(void **state)
{
	(void)state;
	return with(IO_AUTO);
}

static int teardown(void **state)
{
	(void)state;
	io_free(io);
	close(p[0]);
	close(p[1]);
	return 0;
}

static struct instant in(nanos d)
{
	return instant_add(io_now(), d);
}

/* one piece a turn, no waiting meanwhile; then none, and it sleeps again */
static void test_one_piece(void **state)
{
	struct idle w = { .want = true, .work = work };
	struct instant begin = io_now();

	(void)state;
	left = 3;
	for (unsigned i = 1; i <= 3; i++) {
		idle_turn(&w, io, in(60 * NANOS_S));
		assert_int_equal(w.done, i);
		assert_true(w.want);
	}
	idle_turn(&w, io, in(60 * NANOS_S));
	assert_false(w.want);
	assert_int_equal(w.done, 3);
	assert_true(instant_since(io_now(), begin) < 10 * NANOS_S);
	left = 1; /* nobody asked for it */
	begin = io_now();
	idle_turn(&w, io, in(20 * NANOS_MS));
	assert_true(instant_since(io_now(), begin) >= 20 * NANOS_MS);
	assert_int_equal(w.done, 3);
}

/* what has come goes first, and what is due */
static void test_busy(void **state)
{
	struct idle w = { .want = true, .work = work };

	(void)state;
	left = 10;
	assert_int_equal(write(p[1], "x", 1), 1);
	io_poll(io, &op, p[0], POLLIN, false);
	for (unsigned i = 0; i < 5 && !came; i++) {
		uint64_t before = w.done;

		idle_turn(&w, io, in(60 * NANOS_S));
		assert_true(!came || w.done == before);
	}
	assert_int_equal(came, 1);
	left = 10;
	w.done = 0;
	for (unsigned i = 0; i < 5; i++) {
		idle_turn(&w, io, in(-1));
	}
	assert_int_equal(w.done, 0);
	assert_true(w.want);
	idle_turn(&w, io, in(60 * NANOS_S));
	assert_int_equal(w.done, 1);
}

int main(void)
{
#define BOTH(f)                                                    \
	cmocka_unit_test_setup_teardown(f, setup_epoll, teardown), \
		cmocka_unit_test_setup_teardown(f, setup_auto, teardown)
	const struct CMUnitTest tests[] = {
		BOTH(test_one_piece),
		BOTH(test_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
