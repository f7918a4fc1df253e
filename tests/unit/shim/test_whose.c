/* whose descriptor is it: told from names only, with errno left alone */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "shim/init.h"
#include "shim/libc.h"
#include "shim/whose.h"
#include "stack/chan/chan_addr.h"

static struct chan_run run, foreign;
static int fd, other;

static int setup(void **state)
{
	(void)state;
	libc_load();
	memset(run.secret, 's', sizeof(run.secret));
	run.id = (uint64_t)getpid() << 20;
	foreign = run;
	foreign.secret[0] = 't';
	init.run = run;
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	other = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd < 0 || other < 0;
}

static int teardown(void **state)
{
	(void)state;
	close(fd);
	close(other);
	return 0;
}

static void name(int s, const struct chan_run *r, uint8_t kind, uint8_t family,
		 uint64_t id)
{
	struct chan_name n = { .kind = kind, .family = family, .id = id };
	struct sockaddr_un un;
	socklen_t len;

	if (kind == CHAN_KIND_CONN) {
		n.local = endpoint_make(addr_v4(10, 0, 0, 1), 80);
		n.remote = endpoint_make(addr_v4(10, 0, 0, 2), 4000);
	}
	len = chan_addr_un(r, &n, &un);
	assert_int_equal(bind(s, (struct sockaddr *)&un, len), 0);
}

static void join(int from, int to)
{
	struct sockaddr_un un;
	socklen_t len = sizeof(un);

	assert_int_equal(listen(to, 1), 0);
	assert_int_equal(getsockname(to, (struct sockaddr *)&un, &len), 0);
	assert_int_equal(connect(from, (struct sockaddr *)&un, len), 0);
}

static void test_fresh(void **state)
{
	struct whose w;

	(void)state;
	name(fd, &run, CHAN_KIND_SOCK, 6, 42);
	errno = 77;
	assert_true(whose(fd, &w));
	assert_int_equal(errno, 77);
	assert_int_equal(w.id.kind, CHAN_KIND_SOCK);
	assert_int_equal(w.id.id, 42);
	assert_int_equal(w.id.family, 6);
	assert_int_equal(w.own.id, 42);
	assert_false(w.peer);
	assert_false(whose_listens(fd));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(whose_listens(fd));
	assert_true(whose(fd, &w));
	assert_false(w.peer);
}

static void test_connected(void **state)
{
	struct whose w;

	(void)state;
	name(fd, &run, CHAN_KIND_SOCK, 4, 42);
	name(other, &run, CHAN_KIND_DATA, 0, 1);
	join(fd, other);
	assert_true(whose(fd, &w));
	assert_true(w.peer);
	assert_int_equal(w.id.id, 42); /* the peer's name is no connection's */
	assert_false(whose_hung_up(fd));
	close(other);
	assert_true(whose_hung_up(fd));
	assert_true(whose(fd, &w)); /* a dead stack's sockets are still ours */
	assert_true(w.peer);
}

/* accepted: its own name is the listener's, the connection's is the peer's */
static void test_accepted(void **state)
{
	struct whose w;
	int c;

	(void)state;
	name(fd, &run, CHAN_KIND_SOCK, 4, 42);
	name(other, &run, CHAN_KIND_CONN, 4, 99);
	join(other, fd);
	c = accept(fd, NULL, NULL);
	errno = 77;
	assert_true(whose(c, &w));
	assert_int_equal(errno, 77);
	assert_true(w.peer);
	assert_int_equal(w.own.id, 42);
	assert_int_equal(w.id.id, 99);
	assert_int_equal(w.id.kind, CHAN_KIND_CONN);
	assert_int_equal(w.id.remote.port, 4000);
	close(c);
}

/* a stranger that connected to the listener is no connection of ours */
static void test_stranger_at_the_listener(void **state)
{
	struct whose w;
	int c;

	(void)state;
	name(fd, &run, CHAN_KIND_SOCK, 4, 42);
	name(other, &foreign, CHAN_KIND_CONN, 4, 99);
	join(other, fd);
	c = accept(fd, NULL, NULL);
	assert_true(whose(c, &w));
	assert_int_equal(w.id.id, 42);
	assert_int_equal(w.id.kind, CHAN_KIND_SOCK);
	close(c);
}

static void test_not_ours(void **state)
{
	int p[2], t = socket(AF_INET, SOCK_STREAM, 0);
	struct whose w;

	(void)state;
	assert_false(whose(fd, &w)); /* without a name */
	name(fd, &foreign, CHAN_KIND_SOCK, 4, 42);
	assert_false(whose(fd, &w)); /* another run's, or made up */
	name(other, &run, CHAN_KIND_CTL, 0, 1);
	assert_false(whose(other, &w)); /* the stack's own */
	assert_false(whose(t, &w));
	close(t);
	assert_int_equal(pipe(p), 0);
	errno = 0;
	assert_false(whose(p[0], &w));
	assert_int_equal(errno, ENOTSOCK);
	close(p[0]);
	close(p[1]);
	assert_false(whose(p[0], &w));
	assert_int_equal(errno, EBADF);
	assert_false(whose(-1, &w));
	assert_int_equal(errno, EBADF);
}

static void test_flags(void **state)
{
	(void)state;
	assert_true(whose_blocks(fd));
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_false(whose_blocks(fd));
	assert_false(whose_blocks(-1));
	assert_false(whose_listens(-1));
	assert_false(whose_listens(fd));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_fresh),
		T(test_connected),
		T(test_accepted),
		T(test_stranger_at_the_listener),
		T(test_not_ours),
		T(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
