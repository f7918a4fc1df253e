/* connections over kernel sockets, both ways, and how they end */
#include "tests/unit/engine/app_rig.h"

static void octets_both_ways(void **st)
{
	struct chan_name n;
	char b[16];
	int peer, fd = pair(&n, &peer);

	(void)st;
	assert_int_equal(write(fd, "hello", 5), 5);
	turn(2);
	assert_int_equal(recv(peer, b, sizeof(b), MSG_DONTWAIT), 5);
	assert_int_equal(write(peer, "world!", 6), 6);
	turn(2);
	assert_int_equal(read(fd, b, sizeof(b)), 6);
	assert_int_equal(ask(CHAN_OP_NAMES, &n, 0), 0);
	assert_true(rep.flags & CHAN_F_KERNEL);
	assert_int_equal(rep.remote.addr.b[0], 127);
	close(fd);
	turn(2);
	assert_int_equal(recv(peer, b, sizeof(b), MSG_DONTWAIT), 0);
	close(peer);
	assert_int_equal(app_busy(&rig.e), 0);
}

static void half_closes(void **st)
{
	struct chan_name n;
	char b[16];
	int peer, fd = pair(&n, &peer);

	(void)st;
	shutdown(peer, SHUT_WR);
	assert_int_equal(events(fd), POLLIN | POLLOUT | POLLRDHUP);
	assert_int_equal(read(fd, b, 1), 0);
	assert_int_equal(write(fd, "late", 4), 4);
	turn(2);
	assert_int_equal(recv(peer, b, sizeof(b), MSG_DONTWAIT), 4);
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_WR), 0);
	shutdown(fd, SHUT_WR);
	turn(3);
	assert_int_equal(recv(peer, b, sizeof(b), MSG_DONTWAIT), 0);
	assert_int_equal(read(fd, b, 1), 0);
	assert_int_equal(ask(CHAN_OP_WHY, &n, 0), 0); /* a true end */
	close(fd);
	close(peer);
}

static void a_reset_by_the_peer(void **st)
{
	struct chan_name n;
	char b[16];
	int peer, fd = pair(&n, &peer);

	(void)st;
	assert_int_equal(write(peer, "abc", 3), 3);
	turn(2);
	reset(peer);
	assert_true((events(fd) & POLLHUP) != 0);
	assert_int_equal(read(fd, b, sizeof(b)), 3); /* as natively */
	assert_int_equal(read(fd, b, sizeof(b)), 0);
	assert_int_equal(ask(CHAN_OP_WHY, &n, 0), ECONNRESET);
	assert_int_equal(ask(CHAN_OP_WHY, &n, 0), 0); /* told once */
	assert_int_equal(ask(CHAN_OP_NAMES, &n, 0), 0);
	assert_int_equal(rep.remote.addr.family, 0);
	assert_true(rep.local.port > 0);
	close(fd);
}

static void closing_with_unread_octets_resets(void **st)
{
	struct chan_name n;
	char b;
	int peer, fd = pair(&n, &peer);

	(void)st;
	assert_int_equal(write(peer, "abc", 3), 3);
	turn(2);
	close(fd);
	turn(2);
	assert_int_equal(recv(peer, &b, 1, MSG_DONTWAIT), -1);
	assert_int_equal(errno, ECONNRESET);
	close(peer);
}

static void linger_zero_resets(void **st)
{
	const struct linger l = { .l_onoff = 1 };
	struct chan_name n;
	char b[8];
	int peer, fd = pair(&n, &peer);

	(void)st;
	assert_int_equal(set_opt(&n, SOL_SOCKET, SO_LINGER, &l, sizeof(l)), 0);
	assert_int_equal(write(fd, "abc", 3), 3);
	close(fd);
	turn(2);
	assert_int_equal(recv(peer, b, sizeof(b), MSG_DONTWAIT), 3);
	assert_int_equal(recv(peer, b, sizeof(b), MSG_DONTWAIT), -1);
	assert_int_equal(errno, ECONNRESET);
	close(peer);
}

static uint64_t fill(int fd)
{
	static char b[65536];
	uint64_t total = 0;
	ssize_t n;

	for (unsigned i = 0; i < 2000; i++) {
		while ((n = send(fd, b, sizeof(b),
				 MSG_DONTWAIT | MSG_NOSIGNAL)) > 0) {
			total += (uint64_t)n;
		}
		turn(1);
	}
	return total;
}

static uint64_t drain(int fd)
{
	static char b[65536];
	uint64_t total = 0;
	ssize_t n;

	for (unsigned i = 0; i < 300; i++) {
		while ((n = recv(fd, b, sizeof(b), MSG_DONTWAIT)) > 0) {
			total += (uint64_t)n;
		}
		turn(1);
	}
	return total;
}

/* nothing is lost, nothing grows without bound, and nothing spins */
static void back_pressure(void **st)
{
	struct chan_name n;
	int peer, fd = pair(&n, &peer);
	uint64_t sent, turns;

	(void)st;
	sent = fill(fd);
	assert_true(sent > RELAY_BUF && sent < (64u << 20));
	assert_true(rig.e.app->mem.used < (2u << 20));
	turns = io_stats(rig.e.io)->completions;
	turn(50);
	assert_true(io_stats(rig.e.io)->completions - turns < 10);
	assert_true(drain(peer) == sent);
	sent = fill(peer);
	assert_true(drain(fd) == sent);
	close(fd);
	close(peer);
}

/* HUP is seen while neither side can be written */
static void a_close_under_back_pressure(void **st)
{
	struct chan_name n;
	int peer, fd = pair(&n, &peer);

	(void)st;
	fill(peer);
	close(fd);
	turn(3);
	assert_int_equal(app_busy(&rig.e), 0);
	assert_int_equal(send(peer, "x", 1, MSG_NOSIGNAL), -1);
	close(peer);
}

static void what_was_written_before_the_close_arrives(void **st)
{
	struct chan_name n;
	int peer, fd = pair(&n, &peer);
	uint64_t sent = fill(fd);

	(void)st;
	close(fd);
	turn(3);
	assert_int_equal(app_busy(&rig.e), 1); /* it carries octets */
	assert_true(drain(peer) == sent);
	assert_int_equal(app_busy(&rig.e), 0);
	close(peer);
}

static void shut_read_discards(void **st)
{
	struct chan_name n;
	char b;
	int peer, fd = pair(&n, &peer);

	(void)st;
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_RD), 0);
	assert_int_equal(read(fd, &b, 1), 0);
	assert_int_equal(write(peer, "abc", 3), 3);
	turn(3);
	assert_int_equal(read(fd, &b, 1), 0);
	assert_int_equal(write(fd, "x", 1), 1);
	turn(2);
	assert_int_equal(recv(peer, &b, 1, MSG_DONTWAIT), 1);
	close(fd);
	turn(2);
	assert_int_equal(recv(peer, &b, 1, MSG_DONTWAIT), 0); /* no reset */
	close(peer);
}

static void urgent_octets(void **st)
{
	struct chan_name n;
	char b[8];
	int peer, fd = pair(&n, &peer);

	(void)st;
	assert_int_equal(send(fd, "abc!", 4, MSG_OOB), 4);
	assert_int_equal(write(fd, "more", 4), 4);
	turn(2);
	assert_int_equal(recv(peer, b, sizeof(b), MSG_DONTWAIT), 3);
	assert_int_equal(recv(peer, b, 1, MSG_OOB | MSG_DONTWAIT), 1);
	assert_int_equal(b[0], '!');
	assert_int_equal(recv(peer, b, sizeof(b), MSG_DONTWAIT), 4);
	assert_int_equal(send(peer, "de?", 3, MSG_OOB), 3);
	assert_int_equal(write(peer, "more", 4), 4);
	turn(3);
	assert_int_equal(recv(fd, b, sizeof(b), MSG_DONTWAIT), 2);
	assert_int_equal(recv(fd, b, 1, MSG_OOB | MSG_DONTWAIT), 1);
	assert_int_equal(b[0], '?');
	close(fd);
	close(peer);
}

/* descriptors sent along with data must not reach anybody */
static void descriptors_are_dropped(void **st)
{
	union {
		struct cmsghdr h;
		char b[CMSG_SPACE(sizeof(int))];
	} c;
	struct iovec v = { (char[]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = c.b,
			    .msg_controllen = sizeof(c.b) };
	struct chan_name n;
	int peer, fd = pair(&n, &peer), p[2];
	char b[4];

	(void)st;
	assert_int_equal(pipe2(p, O_NONBLOCK), 0);
	c.h.cmsg_level = SOL_SOCKET;
	c.h.cmsg_type = SCM_RIGHTS;
	c.h.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&c.h), &p[1], sizeof(int));
	assert_int_equal(sendmsg(fd, &m, 0), 1);
	assert_int_equal(write(fd, "yz", 2), 2);
	close(p[1]);
	turn(3);
	assert_int_equal(recv(peer, b, sizeof(b), MSG_DONTWAIT), 3);
	assert_int_equal(read(p[0], b, 1), 0); /* nobody holds the other end */
	close(p[0]);
	close(fd);
	close(peer);
}

static void outq_counts_the_whole_way(void **st)
{
	struct chan_name n;
	int peer, fd = pair(&n, &peer);
	uint64_t sent = fill(fd);

	(void)st;
	assert_int_equal(ask(CHAN_OP_OUTQ, &n, 0), 0);
	assert_true(int_of_rep() > 0 && (uint64_t)int_of_rep() <= sent);
	drain(peer);
	assert_int_equal(ask(CHAN_OP_OUTQ, &n, 0), 0);
	assert_int_equal(int_of_rep(), 0);
	close(fd);
	close(peer);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_up, rig_down)

int main(void)
{
	const struct CMUnitTest t[] = {
		T(octets_both_ways),
		T(half_closes),
		T(a_reset_by_the_peer),
		T(closing_with_unread_octets_resets),
		T(linger_zero_resets),
		T(back_pressure),
		T(a_close_under_back_pressure),
		T(what_was_written_before_the_close_arrives),
		T(shut_read_discards),
		T(urgent_octets),
		T(descriptors_are_dropped),
		T(outq_counts_the_whole_way),
	};

	return run_apart(t);
}
