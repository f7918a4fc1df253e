/* octets between the core's connections and the programs' descriptors: two real
 * stacks joined by hand, one of them with app.c in front */
#include "tests/unit/engine/app_far.h"

static void octets_both_ways(void **st)
{
	struct chan_name n;
	struct sock *peer;
	char b[16];
	int fd = far_pair(&n, &peer);

	(void)st;
	assert_int_equal(write(fd, "hello", 5), 5);
	turn(3);
	assert_int_equal(far_read(peer), 5);
	assert_int_equal(far_write(peer, "world!", 6), 6);
	turn(3);
	assert_int_equal(read(fd, b, sizeof(b)), 6);
	assert_memory_equal(b, "world!", 6);
	assert_int_equal(ask(CHAN_OP_NAMES, &n, 0), 0);
	assert_int_equal(rep.remote.port, 80);
	assert_false(rep.flags & CHAN_F_KERNEL);
	assert_int_equal(prog_connect(fd, &n, far(80), false), 0);
	assert_int_equal(prog_connect(fd, &n, far(80), false), EISCONN);
	close(fd);
	turn(3);
	assert_true(sock_read_eof(peer));
	assert_int_equal(app_busy(&rig.e), 0);
	sock_close(peer, rig.e.now, false);
}

static void half_closes(void **st)
{
	struct chan_name n;
	struct sock *peer;
	char b;
	int fd = far_pair(&n, &peer);

	(void)st;
	sock_shutdown_write(peer, rig.e.now);
	turn(2);
	assert_int_equal(events(fd), POLLIN | POLLOUT | POLLRDHUP);
	assert_int_equal(read(fd, &b, 1), 0);
	assert_int_equal(write(fd, "late", 4), 4);
	turn(3);
	assert_int_equal(far_read(peer), 4);
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_WR), 0);
	shutdown(fd, SHUT_WR);
	turn(4);
	assert_true(sock_read_eof(peer));
	assert_int_equal(read(fd, &b, 1), 0);
	assert_int_equal(ask(CHAN_OP_WHY, &n, 0), 0);
	close(fd);
	sock_close(peer, rig.e.now, false);
}

static uint64_t fill_prog(int fd)
{
	static char b[65536];
	uint64_t total = 0;
	ssize_t n;

	for (unsigned i = 0; i < 300; i++) {
		while ((n = send(fd, b, sizeof(b), MSG_NOSIGNAL)) > 0) {
			total += (uint64_t)n;
		}
		turn(1);
	}
	return total;
}

/* the program writes more than the connection takes, and closes: everything
 * arrives, the entry goes, nothing spins meanwhile */
static void a_close_under_back_pressure(void **st)
{
	struct chan_name n;
	struct sock *peer;
	int fd = far_pair(&n, &peer);
	uint64_t sent = fill_prog(fd), got = 0, done;

	(void)st;
	assert_true(sent > 65536);
	done = io_stats(rig.e.io)->completions;
	turn(50);
	assert_true(io_stats(rig.e.io)->completions - done < 20);
	close(fd);
	turn(3);
	assert_int_equal(app_busy(&rig.e), 1);
	for (unsigned i = 0; i < 3000 && !sock_read_eof(peer); i++) {
		turn(1);
		got += far_read(peer);
	}
	assert_true(got == sent);
	assert_int_equal(app_busy(&rig.e), 0);
	sock_close(peer, rig.e.now, false);
}

/* a program that does not read: bounded, and its close is seen at once */
static void a_program_that_does_not_read(void **st)
{
	struct chan_name n;
	struct sock *peer;
	int fd = far_pair(&n, &peer);
	uint64_t sent = fill_far(peer);

	(void)st;
	assert_true(sent > 65536 && sent < (64u << 20));
	close(fd);
	turn(6);
	assert_int_equal(sock_error(peer), ECONNRESET);
	assert_int_equal(app_busy(&rig.e), 0);
	sock_close(peer, rig.e.now, false);
}

static void shut_read_discards(void **st)
{
	struct chan_name n;
	struct sock *peer;
	char b;
	int fd = far_pair(&n, &peer);
	uint64_t sent;

	(void)st;
	assert_int_equal(ask(CHAN_OP_SHUTDOWN, &n, SHUT_RD), 0);
	assert_int_equal(read(fd, &b, 1), 0);
	sent = fill_far(peer);
	assert_true(sent > (64u << 20)); /* as much as it likes */
	assert_int_equal(write(fd, "x", 1), 1);
	turn(3);
	assert_int_equal(far_read(peer), 1);
	close(fd);
	sock_close(peer, rig.e.now, true);
}

/* room for what is there, not for all that might be */
static void a_few_octets_take_little_memory(void **st)
{
	uint64_t before = rig.fake.mem.used, few, many;
	struct chan_name n;
	struct sock *peer;
	int fd = far_pair(&n, &peer);

	(void)st;
	few = rig.fake.mem.used - before;
	assert_true(few < (32u << 10));
	assert_true(fill_prog(fd) > 65536);
	many = rig.fake.mem.used - before;
	assert_true(many > (256u << 10));
	close(fd);
	sock_close(peer, rig.e.now, true);
}

#define T(f) cmocka_unit_test_setup_teardown(f, far_up, rig_down)

int main(void)
{
	const struct CMUnitTest t[] = {
		T(octets_both_ways),
		T(half_closes),
		T(a_close_under_back_pressure),
		T(a_program_that_does_not_read),
		T(shut_read_discards),
		T(a_few_octets_take_little_memory),
	};

	return run_apart(t);
}
