#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "stack/engine/io.h"
#include "stack/engine/life.h"

static const struct life_load none;
static struct io *io;
static struct life *l;
static int sv[2];

static int setup(void **state)
{
	(void)state;
	io = io_new(IO_EPOLL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv),
			 0);
	l = life_new(io, sv[0]);
	return io && l ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	io_free(io);
	life_free(l);
	close(sv[0]);
	close(sv[1]);
	return 0;
}

static struct instant in(nanos d)
{
	return instant_add(io_now(), d);
}

static void turns(void)
{
	for (unsigned i = 0; i < 5; i++) {
		io_turn(io, in(10 * NANOS_MS));
	}
}

static bool on(nanos later, struct life_load load)
{
	return life_goes_on(l, in(later), load);
}

static void test_grace(void **state)
{
	(void)state;
	assert_true(on(0, none));
	assert_true(on(9900 * NANOS_MS, none));
	assert_true(instant_since(life_deadline(l), io_now()) > 9 * NANOS_S);
	assert_true(instant_since(life_deadline(l), io_now()) <= 10 * NANOS_S);
	assert_false(on(10 * NANOS_S, none));
}

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

static void test_processes(void **state)
{
	pid_t a = child(), b = child();

	(void)state;
	life_watch_pid(l, a);
	life_watch_pid(l, a);
	life_watch_pid(l, b);
	turns();
	assert_true(on(100 * NANOS_S, none));
	assert_true(instant_never(life_deadline(l)));
	kill(a, SIGKILL);
	waitpid(a, NULL, 0);
	turns();
	assert_true(on(100 * NANOS_S, none));
	kill(b, SIGKILL);
	turns(); /* a zombie is gone already */
	waitpid(b, NULL, 0);
	assert_true(on(9 * NANOS_S, none));
	assert_false(on(10 * NANOS_S, none));
	/* one that is gone before it is watched; and no process at all */
	life_watch_pid(l, b);
	life_watch_pid(l, -1);
	life_watch_pid(l, 0);
	assert_false(on(10 * NANOS_S, none));
}

static void test_what_keeps_it(void **state)
{
	(void)state;
	assert_true(on(1000 * NANOS_S, (struct life_load){ .busy = 1 }));
	assert_true(on(1000 * NANOS_S, (struct life_load){ .owing = 1 }));
	/* TIME-WAIT: one second after everything else has ended */
	assert_true(on(1000 * NANOS_S, (struct life_load){ .timewait = 9 }));
	assert_true(
		on(1000900 * NANOS_MS, (struct life_load){ .timewait = 9 }));
	assert_false(
		on(1001100 * NANOS_MS, (struct life_load){ .timewait = 9 }));
	assert_false(on(1000900 * NANOS_MS, none));
	/* ... counted anew after it was busy again */
	assert_true(on(1000900 * NANOS_MS, (struct life_load){ .owing = 1 }));
	assert_true(
		on(1001100 * NANOS_MS, (struct life_load){ .timewait = 9 }));
}

static void test_end_word(void **state)
{
	pid_t a = child();

	(void)state;
	/* mptcp-run itself is watched, and says this when it is alone */
	life_watch_pid(l, a);
	assert_true(on(0, none));
	assert_int_equal(write(sv[1], "end\n", 4), 4);
	turns();
	assert_true(on(0, (struct life_load){ .busy = 1 }));
	assert_false(on(0, none));
	kill(a, SIGKILL);
	waitpid(a, NULL, 0);
}

static void test_caller_gone(void **state)
{
	(void)state;
	shutdown(sv[1], SHUT_WR);
	turns();
	assert_true(on(5 * NANOS_S, none));
}

static void test_term(void **state)
{
	pid_t a = child();

	(void)state;
	life_watch_pid(l, a);
	kill(getpid(), SIGTERM);
	turns();
	assert_true(on(0, (struct life_load){ .busy = 1 }));
	assert_true(on(4 * NANOS_S, (struct life_load){ .owing = 1 }));
	assert_false(on(5 * NANOS_S, (struct life_load){ .owing = 1 }));
	assert_false(on(0, none));
	kill(a, SIGKILL);
	waitpid(a, NULL, 0);
}

static void test_wanted(void **state)
{
	pid_t a = child();

	(void)state;
	life_watch_pid(l, a);
	kill(getpid(), SIGUSR1);
	turns();
	assert_true(on(0, none));
	kill(a, SIGKILL);
	waitpid(a, NULL, 0);
	turns();
	assert_true(on(0, (struct life_load){ .busy = 1 }));
	assert_false(on(0, none));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_grace),    T(test_processes),   T(test_what_keeps_it),
		T(test_end_word), T(test_caller_gone), T(test_term),
		T(test_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
