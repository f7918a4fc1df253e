#include "tests/unit/engine/app_rig.h"

/* --- requests ---------------------------------------------------------------- */

static void hello(void **st)
{
	(void)st;
	assert_int_equal(ask(CHAN_OP_HELLO, NULL, CHAN_MSG_VERSION), 0);
	assert_int_equal(app_busy(&rig.e), 0);
}

static void requests_that_are_refused(void **st)
{
	struct chan_name n = { .kind = CHAN_KIND_SOCK, .family = 4, .id = 5 };
	struct chan_req q;

	(void)st;
	chan_req_init(&q, &rig.e.run, CHAN_OP_NAMES, &n);
	q.secret[15] ^= 1;
	assert_int_equal(ask_fd(&q, NULL, 0), -1);
	assert_int_equal(count(APP_CTL_SECRET), 1);
	q.secret[15] ^= 1;
	q.version++;
	assert_int_equal(ask_fd(&q, NULL, 0), EPROTO);
	assert_int_equal(count(APP_CTL_VERSION), 1);
	q.version--;
	assert_int_equal(answer_of(raw_ask(&q, 9, NULL, 0)), -1);
	assert_int_equal(count(APP_CTL_FORMAT), 1);
	assert_int_equal(app_busy(&rig.e), 0); /* none left an entry */
}

static void a_flood_of_silent_requests_is_bounded(void **st)
{
	static int s[APP_CTL_MAX + 20];

	(void)st;
	for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
		s[i] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		connect_name(s[i], CHAN_KIND_CTL);
		if (i % 100 == 0) {
			turn(1);
		}
	}
	turn(8);
	assert_int_equal(rig.e.app->n_ctl, APP_CTL_MAX);
	assert_int_equal(count(APP_CTL_FULL), 20);
	for (unsigned i = 0; i < ARRAY_SIZE(s); i++) {
		close(s[i]);
	}
	turn(8);
	assert_int_equal(rig.e.app->n_ctl, 0);
	assert_int_equal(ask(CHAN_OP_HELLO, NULL, 0), 0);
}

static void strangers_at_the_data_name(void **st)
{
	struct chan_name n;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), peer, fd;

	(void)st;
	connect_name(s, CHAN_KIND_DATA);
	fd = pair(&n, &peer);
	assert_int_equal(count(APP_DATA_FOREIGN), 1);
	assert_int_equal(recv(s, &n, 1, MSG_DONTWAIT), 0);
	close(s);
	close(fd);
	close(peer);
}

static void an_unbound_socket(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);

	(void)st;
	assert_int_equal(ask(CHAN_OP_NAMES, &n, 0), 0);
	assert_int_equal(rep.local.port, 0);
	assert_int_equal(rep.remote.addr.family, 0);
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_WR), ENOTCONN);
	assert_int_equal(ask(CHAN_OP_URGENT, &n, 0), ENOTCONN);
	assert_int_equal(ask(CHAN_OP_ERROR, &n, 0), 0);
	assert_int_equal(int_of_rep(), 0);
	assert_int_equal(app_busy(&rig.e), 1);
	close(fd); /* nobody tells: the sweep finds out */
	rig.e.app->next_sweep = io_now();
	turn(2);
	assert_int_equal(app_busy(&rig.e), 0);
}

/* a look at a name that nobody else would take: the rarer, the longer nothing
 * happens */
static void sweeps_become_rare(void **st)
{
	static const nanos gap[] = { 2, 4, 8, 8 };
	struct chan_name n, m;
	struct app *a = rig.e.app;
	int fd, fd2;

	(void)st;
	turn(2);
	assert_true(instant_never(a->next_sweep)); /* no entry: none at all */
	fd = prog_socket(&n);
	assert_int_equal(ask(CHAN_OP_NAMES, &n, 0), 0);
	assert_true(instant_since(a->next_sweep, io_now()) <= APP_SWEEP);
	turn(1);
	for (unsigned i = 0; i < ARRAY_SIZE(gap); i++) {
		a->next_sweep = io_now();
		turn(1);
		assert_int_equal(a->sweep_gap, gap[i] * NANOS_S);
		assert_true(instant_since(a->next_sweep, io_now()) >
			    (gap[i] - 1) * NANOS_S);
	}
	/* a request: soon again */
	fd2 = prog_socket(&m);
	assert_int_equal(ask(CHAN_OP_NAMES, &m, 0), 0);
	assert_true(instant_since(a->next_sweep, io_now()) <= APP_SWEEP);
	close(fd);
	a->sweep_gap = APP_SWEEP_CALM;
	a->next_sweep = io_now();
	turn(2);
	assert_int_equal(app_busy(&rig.e), 1);
	assert_int_equal(a->sweep_gap, APP_SWEEP); /* one was gone: more may be */
	close(fd2);
	app_sweep_soon(&rig.e);
	turn(2);
	assert_int_equal(app_busy(&rig.e), 0);
	assert_true(instant_never(a->next_sweep));
}

static void an_accepted_socket_that_was_forgotten(void **st)
{
	struct chan_name n = { .kind = CHAN_KIND_CONN, .family = 4, .id = 77 };

	(void)st;
	assert_int_equal(ask(CHAN_OP_WHY, &n, 0), ECONNRESET);
	assert_int_equal(ask(CHAN_OP_NAMES, &n, 0), 0);
	assert_int_equal(rep.remote.addr.family, 0);
	assert_int_equal(ask(CHAN_OP_SETSOCKOPT, &n, 0), ENOTCONN);
	assert_int_equal(app_busy(&rig.e), 0);
}

/* --- options ------------------------------------------------------------------- */

static void options_follow_to_a_kernel_socket(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);
	struct chan_req q;

	(void)st;
	assert_int_equal(set_int(&n, SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	assert_int_equal(set_int(&n, SOL_SOCKET, SO_REUSEADDR, 0), 0);
	assert_int_equal(set_int(&n, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	assert_int_equal(set_int(&n, SOL_SOCKET, 9999, 1), ENOPROTOOPT);
	assert_int_equal(get_int(&n, SOL_SOCKET, SO_KEEPALIVE), 1);
	chan_req_init(&q, &rig.e.run, CHAN_OP_BIND, &n);
	q.addr = lo(0);
	assert_int_equal(ask_fd(&q, NULL, 0), CHAN_NEED_KERNEL);
	assert_int_equal(rep.n_opt, 2);
	assert_int_equal(rep.opt[1].name, SO_REUSEADDR);
	assert_int_equal(rep.opt[1].val[0], 1);
	close(fd);
}

static void options_of_a_kernel_connection(void **st)
{
	struct chan_name n;
	int peer, fd = pair(&n, &peer);

	(void)st;
	assert_int_equal(set_int(&n, IPPROTO_TCP, 1 /* TCP_NODELAY */, 1), 0);
	assert_int_equal(get_int(&n, IPPROTO_TCP, 1), 1);
	assert_int_equal(get_int(&n, SOL_SOCKET, SO_DOMAIN), AF_INET);
	close(fd);
	close(peer);
}

/* --- who carries it -------------------------------------------------------------- */

static void scope(void **st)
{
	struct engine *e = &rig.e;
	struct addr a;

	(void)st;
	e->exclude[0] = (struct engine_net){ addr_v4(192, 168, 0, 0), 16 };
	e->n_exclude = 1;
	a = addr_v4(127, 3, 2, 1);
	assert_int_equal(app_scope_bind(e, &a), APP_SCOPE_KERNEL);
	assert_int_equal(app_scope_connect(e, &a), APP_SCOPE_KERNEL);
	a = addr_map(a);
	assert_int_equal(app_scope_connect(e, &a), APP_SCOPE_KERNEL);
	a = addr_v4(192, 168, 7, 7);
	assert_int_equal(app_scope_bind(e, &a), APP_SCOPE_KERNEL);
	a = addr_v4(192, 169, 7, 7);
	assert_int_equal(app_scope_connect(e, &a), APP_SCOPE_CORE);
	a = addr_any(6);
	assert_int_equal(app_scope_bind(e, &a), APP_SCOPE_BOTH);
	assert_int_equal(app_scope_connect(e, &a), APP_SCOPE_KERNEL);
}

static void bind_elsewhere(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);
	struct chan_req q;

	(void)st;
	chan_req_init(&q, &rig.e.run, CHAN_OP_BIND, &n);
	q.addr = endpoint_make(addr_v4(10, 9, 9, 9), 80);
	assert_int_equal(ask_fd(&q, NULL, 0), EADDRNOTAVAIL);
	q.addr = endpoint_make(addr_v4(10, 9, 0, 2), 0); /* the path's own */
	assert_int_equal(ask_fd(&q, NULL, 0), 0);
	assert_true(rep.local.port > 0);
	q.addr.port = 81;
	assert_int_equal(ask_fd(&q, NULL, 0), EINVAL);
	close(fd);
}

static void a_port_of_a_dead_socket_is_free(void **st)
{
	struct chan_name n, m;
	int fd = prog_socket(&n), fd2 = prog_socket(&m);
	struct chan_req q;

	(void)st;
	chan_req_init(&q, &rig.e.run, CHAN_OP_BIND, &n);
	q.addr = endpoint_make(addr_v4(10, 9, 0, 2), 80);
	assert_int_equal(ask_fd(&q, NULL, 0), 0);
	chan_req_init(&q, &rig.e.run, CHAN_OP_BIND, &m);
	q.addr = endpoint_make(addr_v4(10, 9, 0, 2), 80);
	assert_int_equal(ask_fd(&q, NULL, 0), EADDRINUSE);
	close(fd);
	assert_int_equal(ask_fd(&q, NULL, 0), 0);
	close(fd2);
}

/* --- connecting over the core ------------------------------------------------------ */

static void a_pending_connect_is_not_writable(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n), size = 64;

	(void)st;
	assert_int_equal(prog_connect(fd, &n, far(80), false), EINPROGRESS);
	assert_int_equal(events(fd), 0);
	assert_int_equal(send(fd, &size, 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EAGAIN);
	assert_true(rig.sent > 0);
	assert_int_equal(prog_connect(fd, &n, far(80), false), EALREADY);
	assert_int_equal(ask(CHAN_OP_NAMES, &n, 0), 0);
	assert_true(rep.local.port > 0);
	assert_int_equal(rep.remote.addr.family, 0);
	close(fd);
	turn(1);
	assert_int_equal(app_busy(&rig.e), 0);
}

static void closing_a_pending_connect_ends_it_at_once(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);
	unsigned sent;

	(void)st;
	assert_int_equal(prog_connect(fd, &n, far(80), false), EINPROGRESS);
	turn(1);
	sent = rig.sent;
	close(fd);
	turn(1);
	assert_int_equal(count(APP_CONNECT_GONE), 1);
	assert_int_equal(stack_conns(rig.e.stack), 0);
	usleep(1200000); /* longer than the first retransmission takes */
	turn(3);
	assert_int_equal(rig.sent, sent);
}

static void errors_of_the_call_leave_the_descriptor_alone(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n), peer;
	uint16_t port;
	int l = peer_listen(1, &port);

	(void)st;
	assert_int_equal(prog_connect(fd, &n,
				      endpoint_make(addr_v4(224, 0, 0, 1), 9),
				      false),
			 ENETUNREACH);
	assert_int_equal(events(fd), POLLOUT | POLLHUP);
	assert_int_equal(prog_connect(fd, &n, lo(port), true), 0);
	peer = accept(l, NULL, NULL);
	close(l);
	close(peer);
	close(fd);
}

static void disconnect(void **st)
{
	struct chan_name n;
	int fd = prog_socket(&n);

	(void)st;
	assert_int_equal(prog_connect(fd, &n, far(80), false), EINPROGRESS);
	assert_int_equal(prog_connect(fd, &n, (struct endpoint){ 0 }, false),
			 0);
	assert_int_equal(stack_conns(rig.e.stack), 0);
	assert_int_equal(prog_connect(fd, &n, far(80), false), CHAN_NEED_FRESH);
	close(fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_up, rig_down)

int main(void)
{
	const struct CMUnitTest t[] = {
		T(hello),
		T(sweeps_become_rare),
		T(requests_that_are_refused),
		T(a_flood_of_silent_requests_is_bounded),
		T(strangers_at_the_data_name),
		T(an_unbound_socket),
		T(an_accepted_socket_that_was_forgotten),
		T(options_follow_to_a_kernel_socket),
		T(options_of_a_kernel_connection),
		T(scope),
		T(bind_elsewhere),
		T(a_port_of_a_dead_socket_is_free),
		T(a_pending_connect_is_not_writable),
		T(closing_a_pending_connect_ends_it_at_once),
		T(errors_of_the_call_leave_the_descriptor_alone),
		T(disconnect),
	};

	return run_apart(t);
}
