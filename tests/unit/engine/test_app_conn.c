/* how the core's connections begin and end at the programs' descriptors: two
 * real stacks joined by hand, one of them with app.c in front */
#include "tests/unit/engine/app_far.h"

static void refused(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);

	(void)st;
	assert_int_equal(prog_connect(fd, &n, far(81), false), EINPROGRESS);
	turn(3);
	assert_int_equal(events(fd), ALL_GONE);
	assert_int_equal(ask(CHAN_OP_ERROR, &n, 0), 0);
	assert_int_equal(int_of_rep(), ECONNREFUSED);
	assert_int_equal(prog_connect(fd, &n, far(80), false), ECONNABORTED);
	assert_int_equal(prog_connect(fd, &n, far(80), false), CHAN_NEED_FRESH);
	close(fd);
}

static void a_reset_after_octets(void **st)
{
	struct chan_name n;
	struct sock *peer;
	char b[8];
	int fd = far_pair(&n, &peer);

	(void)st;
	assert_int_equal(far_write(peer, "abc", 3), 3);
	turn(3);
	sock_close(peer, rig.e.now, true);
	turn(3);
	assert_true((events(fd) & POLLHUP) != 0);
	assert_int_equal(read(fd, b, sizeof(b)), 3);
	assert_int_equal(read(fd, b, sizeof(b)), 0);
	assert_int_equal(send(fd, b, 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(ask(CHAN_OP_WHY, &n, 0), ECONNRESET);
	assert_int_equal(ask(CHAN_OP_WHY, &n, 0), 0);
	assert_int_equal(ask(CHAN_OP_NAMES, &n, 0), 0);
	assert_int_equal(rep.remote.addr.family, 0);
	assert_int_equal(rep.local.addr.b[0], 10);
	close(fd);
	rig.e.app->next_sweep = io_now();
	turn(2);
	assert_int_equal(rig.e.app->n_dead, 0);
}

static void closing_with_unread_octets_resets(void **st)
{
	struct chan_name n;
	struct sock *peer;
	int fd = far_pair(&n, &peer);

	(void)st;
	assert_int_equal(far_write(peer, "abc", 3), 3);
	turn(3);
	assert_int_equal(write(fd, "last words", 10), 10);
	close(fd);
	turn(5);
	assert_int_equal(far_read(peer), 10); /* those went before */
	assert_int_equal(sock_error(peer), ECONNRESET);
	assert_int_equal(app_busy(&rig.e), 0);
	sock_close(peer, rig.e.now, false);
}

static void linger_zero_resets(void **st)
{
	const struct linger l = { .l_onoff = 1 };
	struct chan_name n;
	struct sock *peer;
	int fd = far_pair(&n, &peer);

	(void)st;
	assert_int_equal(set_opt(&n, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	close(fd);
	turn(5);
	assert_int_equal(sock_error(peer), ECONNRESET);
	sock_close(peer, rig.e.now, false);
}

/* a reset while the program's buffer is full: it gets all that had arrived */
static void a_reset_under_back_pressure(void **st)
{
	static char b[65536];
	struct chan_name n;
	struct sock *peer;
	int fd = far_pair(&n, &peer);
	uint64_t sent = fill_far(peer), got = 0;
	ssize_t k = 0;

	(void)st;
	sock_close(peer, rig.e.now, true);
	turn(3);
	assert_int_equal(send(fd, b, 1, MSG_NOSIGNAL), -1); /* now */
	assert_int_equal(errno, EPIPE);
	for (unsigned i = 0; i < 4000; i++) {
		k = recv(fd, b, sizeof(b), MSG_DONTWAIT);
		if (k == 0) {
			break;
		}
		got += k > 0 ? (uint64_t)k : 0;
		turn(1);
	}
	assert_int_equal(k, 0);
	assert_true(got > 65536 && got <= sent);
	assert_int_equal(ask(CHAN_OP_WHY, &n, 0), ECONNRESET);
	close(fd);
}

/* ... and one that shuts both ways instead of reading it is not asked after
 * again: what is left of it is for who wants to know its error */
static void a_reset_and_a_shutdown(void **st)
{
	struct app *a = rig.e.app;
	struct chan_name n;
	struct sock *peer;
	int fd = far_pair(&n, &peer);

	(void)st;
	assert_true(fill_far(peer) > 65536);
	sock_close(peer, rig.e.now, true);
	turn(3);
	assert_int_equal(app_busy(&rig.e), 1);
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_RDWR), 0);
	turn(1);
	assert_int_equal(app_busy(&rig.e), 0);
	assert_int_equal(a->n_dead, 1);
	/* nothing but the sweep's cursor */
	assert_ptr_equal(list_first(&a->live), &a->sweep_at);
	assert_ptr_equal(list_last(&a->live), &a->sweep_at);
	assert_false(list_empty(&a->dead));
	close(fd);
}

/* who holds a connection's other end is seen by its descriptor */
static void connected_ones_need_no_sweep(void **st)
{
	struct app *a = rig.e.app;
	struct chan_name n;
	struct sock *peer;
	int fd = far_pair(&n, &peer);

	(void)st;
	assert_int_equal(app_busy(&rig.e), 1);
	assert_false(app_ent_unsure(a));
	assert_true(instant_never(a->next_sweep));
	assert_true(instant_never(app_deadline(&rig.e)));
	/* until the program says that it shut both ways */
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_RDWR), 0);
	turn(1);
	assert_true(app_ent_unsure(a));
	assert_false(instant_never(a->next_sweep));
	close(fd);
	app_sweep_soon(&rig.e);
	turn(2);
	assert_int_equal(app_busy(&rig.e), 0);
	sock_close(peer, rig.e.now, false);
}

/* shut both ways and left open: the name tells when nobody holds it */
static void shut_both_ways(void **st)
{
	struct chan_name n;
	struct sock *peer;
	int fd = far_pair(&n, &peer);

	(void)st;
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_RDWR), 0);
	shutdown(fd, SHUT_WR);
	turn(3);
	assert_true(sock_read_eof(peer));
	assert_int_equal(far_write(peer, "abc", 3), 3);
	turn(3);
	assert_int_equal(sock_error_peek(peer), 0); /* no reset */
	assert_int_equal(app_busy(&rig.e), 1);
	close(fd);
	rig.e.app->next_sweep = io_now();
	turn(2);
	assert_int_equal(app_busy(&rig.e), 0);
	sock_close(peer, rig.e.now, false);
}

static void from_the_net_to_a_listener(void **st)
{
	struct chan_name n, c;
	struct chan_req q;
	struct endpoint e = endpoint_make(addr_v4(10, 9, 0, 2), 8080);
	struct sock *peer = sock_open(rig.far, 4);
	int l = prog_socket(&n), fd;
	char b[8];

	(void)st;
	chan_req_init(&q, &rig.e.run, CHAN_OP_BIND, &n);
	q.addr = e;
	assert_int_equal(ask_fd(&q, NULL, 0), 0);
	assert_int_equal(listen(l, 3), 0);
	assert_int_equal(ask(CHAN_OP_LISTEN, &n, 3), 0);
	assert_int_equal(sock_connect(peer, rig.e.now, &e), EINPROGRESS);
	turn(4);
	assert_true(sock_connected(peer));
	assert_int_equal(far_write(peer, "abc", 3), 3);
	fd = prog_accept(l, &c);
	assert_true(fd >= 0);
	assert_int_equal(c.local.port, 8080);
	assert_int_equal(c.remote.addr.b[3], 1);
	turn(2);
	assert_int_equal(read(fd, b, sizeof(b)), 3);
	sock_close(peer, rig.e.now, true);
	turn(3);
	assert_int_equal(read(fd, b, 1), 0);
	assert_int_equal(ask(CHAN_OP_WHY, &c, 0), ECONNRESET);
	close(fd);
	close(l);
}

#define T(f) cmocka_unit_test_setup_teardown(f, far_up, rig_down)

int main(void)
{
	const struct CMUnitTest t[] = {
		T(refused),
		T(a_reset_after_octets),
		T(closing_with_unread_octets_resets),
		T(linger_zero_resets),
		T(a_reset_under_back_pressure),
		T(a_reset_and_a_shutdown),
		T(connected_ones_need_no_sweep),
		T(shut_both_ways),
		T(from_the_net_to_a_listener),
	};

	return run_apart(t);
}
