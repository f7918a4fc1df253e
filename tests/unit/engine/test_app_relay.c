/* how connections over kernel sockets begin, or do not */
#include "tests/unit/engine/app_rig.h"

static void refused_without_blocking(void **st)
{
	struct chan_name n;
	uint16_t port;
	int l = peer_listen(1, &port), fd = prog_socket(&n);

	(void)st;
	close(l);
	assert_int_equal(prog_connect(fd, &n, lo(port), false), EINPROGRESS);
	assert_int_equal(events(fd), ALL_GONE);
	assert_int_equal(ask(CHAN_OP_ERROR, &n, 0), 0);
	assert_int_equal(int_of_rep(), ECONNREFUSED);
	assert_int_equal(ask(CHAN_OP_ERROR, &n, 0), 0);
	assert_int_equal(int_of_rep(), 0);
	/* Linux: SO_ERROR told it, so the next call says ECONNABORTED */
	assert_int_equal(prog_connect(fd, &n, lo(port), false), ECONNABORTED);
	assert_int_equal(prog_connect(fd, &n, lo(port), false),
			 CHAN_NEED_FRESH);
	close(fd);
}

static void refused_while_blocking(void **st)
{
	struct chan_name n;
	uint16_t port;
	int l = peer_listen(1, &port), fd = prog_socket(&n);

	(void)st;
	close(l);
	assert_int_equal(prog_connect(fd, &n, lo(port), true), ECONNREFUSED);
	assert_int_equal(prog_connect(fd, &n, lo(port), true), ECONNREFUSED);
	assert_int_equal(events(fd), POLLOUT | POLLHUP); /* untouched */
	close(fd);
}

/* a listener whose queue is full lets handshakes wait */
static void a_pending_connect(void **st)
{
	struct chan_name n;
	uint16_t port;
	int l = peer_listen(0, &port);
	int first = peer_connect(port, true), second, fd = prog_socket(&n);

	(void)st;
	assert_int_equal(prog_connect(fd, &n, lo(port), false), EINPROGRESS);
	assert_int_equal(events(fd), 0);
	assert_int_equal(app_busy(&rig.e), 1);
	close(fd);
	turn(1);
	assert_int_equal(count(APP_CONNECT_GONE), 1);
	assert_int_equal(app_busy(&rig.e), 0);
	fd = prog_socket(&n);
	assert_int_equal(prog_connect(fd, &n, lo(port), false), EINPROGRESS);
	assert_int_equal(events(fd), 0);
	close(accept(l, NULL, NULL));
	for (unsigned i = 0; i < 3000 && events(fd) == 0; i++) {
		usleep(1000); /* its SYN comes again after 1 s */
	}
	assert_int_equal(events(fd), POLLOUT);
	assert_int_equal(prog_connect(fd, &n, lo(port), false), 0);
	assert_int_equal(prog_connect(fd, &n, lo(port), false), EISCONN);
	second = accept(l, NULL, NULL);
	assert_int_equal(write(fd, "x", 1), 1);
	turn(2);
	/* none of the stuffing */
	assert_int_equal(recv(second, &port, 2, MSG_DONTWAIT), 1);
	close(first);
	close(second);
	close(fd);
	close(l);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_up, rig_down)

int main(void)
{
	const struct CMUnitTest t[] = {
		T(refused_without_blocking),
		T(refused_while_blocking),
		T(a_pending_connect),
	};

	return run_apart(t);
}
