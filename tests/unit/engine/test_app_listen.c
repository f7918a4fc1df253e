#include "tests/unit/engine/app_rig.h"

static void accept_shows_both_addresses(void **st)
{
	struct chan_name n, c;
	struct sockaddr_in in;
	socklen_t len = sizeof(in);
	uint16_t port;
	char b[4];
	int l = prog_listen(&n, 5, &port), peer, fd;

	(void)st;
	peer = peer_connect(port, true);
	getsockname(peer, (struct sockaddr *)&in, &len);
	fd = prog_accept(l, &c);
	assert_true(fd >= 0);
	assert_int_equal(c.local.port, port);
	assert_int_equal(c.remote.port, ntohs(in.sin_port));
	assert_int_equal(c.remote.addr.b[0], 127);
	assert_int_equal(write(peer, "abc", 3), 3);
	turn(3);
	assert_int_equal(read(fd, b, sizeof(b)), 3);
	assert_int_equal(ask(CHAN_OP_NAMES, &c, 0), 0);
	assert_int_equal(rep.remote.port, c.remote.port);
	close(peer);
	assert_int_equal(events(fd), POLLIN | POLLOUT | POLLRDHUP);
	close(fd);
	close(l);
}

/* a program that connects to itself finds the connection waiting */
static void own_connections_are_there_at_once(void **st)
{
	struct chan_name n, m, c;
	struct sockaddr_un un;
	socklen_t len = sizeof(un);
	uint16_t port;
	int l = prog_listen(&n, 5, &port), fd = prog_socket(&m), a;

	(void)st;
	assert_int_equal(prog_connect(fd, &m, lo(port), true), 0);
	a = accept4(l, (struct sockaddr *)&un, &len, SOCK_NONBLOCK);
	assert_true(a >= 0);
	assert_true(
		chan_addr_un_get(&rig.e.run, &un, len, &c));
	assert_int_equal(write(fd, "x", 1), 1);
	turn(3);
	assert_int_equal(read(a, &un, 1), 1);
	close(a);
	close(fd);
	close(l);
}

static void a_full_backlog_waits(void **st)
{
	struct chan_name n, c;
	uint16_t port;
	int l = prog_listen(&n, 1, &port), peer[4], fd[4];

	(void)st;
	for (unsigned i = 0; i < 4; i++) {
		peer[i] = peer_connect(port, false);
		turn(2);
	}
	assert_true(count(APP_BACKLOG_WAIT) > 0);
	for (unsigned i = 0; i < 4; i++) {
		fd[i] = prog_accept(l, &c);
		for (unsigned k = 0; k < 30 && fd[i] < 0; k++) {
			usleep(100000); /* a SYN may have to come again */
			fd[i] = prog_accept(l, &c);
		}
		assert_true(fd[i] >= 0);
	}
	for (unsigned i = 0; i < 4; i++) {
		close(peer[i]);
		close(fd[i]);
	}
	close(l);
}

static void a_closed_listener_refuses(void **st)
{
	struct chan_name n, m;
	uint16_t port;
	int l = prog_listen(&n, 5, &port), fd = prog_socket(&m);

	(void)st;
	close(l);
	/* a program of the run: found out before the connect */
	assert_int_equal(prog_connect(fd, &m, lo(port), true), ECONNREFUSED);
	assert_int_equal(count(APP_LISTENER_GONE), 1);
	close(fd);
	/* others: by the sweep */
	l = prog_listen(&n, 5, &port);
	close(l);
	rig.e.app->next_sweep = io_now();
	turn(2);
	assert_int_equal(peer_connect(port, true), -1);
	assert_int_equal(count(APP_LISTENER_GONE), 2);
}

static void closed_between_two_connections(void **st)
{
	struct chan_name n;
	uint16_t port;
	char b;
	int l = prog_listen(&n, 5, &port), peer = peer_connect(port, true);

	(void)st;
	close(l);
	turn(3);
	assert_int_equal(count(APP_LISTENER_GONE), 1);
	assert_true(recv(peer, &b, 1, MSG_DONTWAIT) <= 0);
	close(peer);
	assert_int_equal(peer_connect(port, true), -1);
}

static void never_accepted(void **st)
{
	struct chan_name n;
	uint16_t port;
	char b;
	int l = prog_listen(&n, 5, &port), peer = peer_connect(port, true);

	(void)st;
	assert_int_equal(write(peer, "abc", 3), 3);
	turn(3);
	close(l); /* with a connection in its queue, and octets in that */
	turn(3);
	assert_int_equal(recv(peer, &b, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, ECONNRESET);
	close(peer);
}

static void shutdown_stops_listening(void **st)
{
	struct chan_name n;
	uint16_t port;
	int l = prog_listen(&n, 5, &port);

	(void)st;
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_WR), 0);
	close(peer_connect(port, true));
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_RD), 0);
	assert_int_equal(peer_connect(port, true), -1);
	close(l);
}

static void the_wildcard_is_both(void **st)
{
	struct chan_name n, c;
	int fd = prog_socket(&n), k = kernel_socket(), peer, a;
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	struct chan_req q;

	(void)st;
	chan_req_init(&q, &rig.e.run, CHAN_OP_LISTEN, &n);
	q.level = 5;
	q.addr = endpoint_make(addr_any(4), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(ask_fd(&q, NULL, 0), CHAN_NEED_KERNEL);
	assert_int_equal(bind(k, (struct sockaddr *)&in, len), 0);
	getsockname(k, (struct sockaddr *)&in, &len);
	q.addr.port = ntohs(in.sin_port);
	assert_int_equal(ask_fd(&q, &k, 1), 0);
	close(k);
	assert_int_equal(rep.local.port, q.addr.port);
	peer = peer_connect(q.addr.port, true);
	a = prog_accept(fd, &c);
	assert_true(a >= 0);
	close(a);
	close(peer);
	/* the core holds the port as well */
	chan_req_init(&q, &rig.e.run, CHAN_OP_BIND,
		      &(struct chan_name){
			      .kind = CHAN_KIND_SOCK, .family = 4, .id = 1 });
	q.addr = endpoint_make(addr_v4(10, 9, 0, 2), ntohs(in.sin_port));
	assert_int_equal(ask_fd(&q, NULL, 0), EADDRINUSE);
	close(fd);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_up, rig_down)

int main(void)
{
	const struct CMUnitTest t[] = {
		T(accept_shows_both_addresses),
		T(own_connections_are_there_at_once),
		T(a_full_backlog_waits),
		T(a_closed_listener_refuses),
		T(closed_between_two_connections),
		T(never_accepted),
		T(shutdown_stops_listening),
		T(the_wildcard_is_both),
	};

	return run_apart(t);
}
