/* watched descriptors: when they are let go nothing of them is reported, whoever
 * else holds them */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/app_watch.h"

struct end {
	struct app_watch w;
	struct end *other; /* closed by the first event of this one */
	unsigned events;
};

static struct app_watch_set set;

static void event(struct app_watch *w, uint32_t ev)
{
	struct end *e = (struct end *)(void *)w;

	(void)ev;
	e->events++;
	if (e->other) {
		app_watch_close(&set, &e->other->w);
	}
}

/* its peer */
static int watched(struct end *e)
{
	int s[2];

	*e = (struct end){ .events = 0 };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	assert_int_equal(app_watch_add(&set, &e->w, s[0], EPOLLIN, event), 0);
	return s[1];
}

static int up(void **st)
{
	(void)st;
	return app_watch_open(&set);
}

static int down(void **st)
{
	(void)st;
	app_watch_shut(&set);
	return 0;
}

static void closed_with_one_call(void **st)
{
	struct end e;
	int peer = watched(&e);
	uint64_t calls = set.calls;

	(void)st;
	assert_int_equal(write(peer, "x", 1), 1);
	app_watch_close(&set, &e.w);
	assert_int_equal(set.calls - calls, 1);
	assert_int_equal(e.w.fd, -1);
	app_watch_run(&set);
	assert_int_equal(e.events, 0);
	assert_int_equal(write(peer, "x", 1), -1);
	close(peer);
}

/* a handler closes another one that is in the same batch */
static void closed_by_another_handler(void **st)
{
	struct end e[2];
	int peer[2] = { watched(&e[0]), watched(&e[1]) };

	(void)st;
	e[0].other = &e[1];
	e[1].other = &e[0];
	assert_int_equal(write(peer[0], "x", 1), 1);
	assert_int_equal(write(peer[1], "x", 1), 1);
	app_watch_run(&set);
	assert_int_equal(e[0].events + e[1].events, 1);
	app_watch_close(&set, &e[0].w);
	app_watch_close(&set, &e[1].w);
	close(peer[0]);
	close(peer[1]);
}

/* the set does not forget what somebody else still holds */
static void shared_ones_are_taken_out(void **st)
{
	struct end e;
	int peer = watched(&e), two = dup(e.w.fd);

	(void)st;
	e.w.shared = true;
	app_watch_close(&set, &e.w);
	assert_int_equal(write(peer, "x", 1), 1);
	app_watch_run(&set);
	assert_int_equal(e.events, 0);
	close(two);
	close(peer);
}

static void taken_out_and_kept(void **st)
{
	struct end e;
	int peer = watched(&e), fd = app_watch_take(&set, &e.w);
	char c;

	(void)st;
	assert_int_equal(write(peer, "x", 1), 1);
	app_watch_run(&set);
	assert_int_equal(e.events, 0);
	assert_int_equal(read(fd, &c, 1), 1);
	assert_int_equal(app_watch_take(&set, &e.w), -1);
	close(fd);
	close(peer);
}

#define T(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
	const struct CMUnitTest t[] = {
		T(closed_with_one_call),
		T(closed_by_another_handler),
		T(shared_ones_are_taken_out),
		T(taken_out_and_kept),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(t, NULL, NULL);
}
