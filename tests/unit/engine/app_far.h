/* app_far.h - app_rig.h with a second stack at the other end of the path, which
 * listens at port 80
 */
#ifndef TESTS_UNIT_ENGINE_APP_FAR_H
#define TESTS_UNIT_ENGINE_APP_FAR_H

#include "tests/unit/engine/app_rig.h"

static struct sock *far_listener;

/* behind rig_up() */
static void far_start(void)
{
	struct endpoint e = far(80);

	rig.far = stack_at(&rig.far_fake, 2, e.addr);
	far_listener = sock_open(rig.far, 4);
	assert_int_equal(sock_bind(far_listener, &e), 0);
	assert_int_equal(sock_listen(far_listener, rig.e.now, 10), 0);
}

MAYBE static int far_up(void **st)
{
	rig_up(st);
	far_start();
	return 0;
}

MAYBE static uint32_t far_write(struct sock *sk, const void *p, uint32_t n)
{
	struct iov_mut v[2];
	unsigned k = sock_write_vec(sk, n, v);
	uint32_t done;

	if (k == 0) {
		return 0;
	}
	done = min_u32(n, (uint32_t)v[0].n);
	memcpy(v[0].p, p, done);
	sock_write_done(sk, rig.e.now, done);
	return done;
}

MAYBE static uint64_t far_read(struct sock *sk)
{
	uint64_t n = sock_read_len(sk);

	if (n > 0) {
		sock_read_done(sk, rig.e.now, n);
	}
	return n;
}

/* a program's socket connected to the far stack; MPTCP connections are
 * accepted there with their first octets, so one goes along */
MAYBE static int far_pair(struct chan_name *n, struct sock **peer)
{
	int fd = prog_socket(n);

	assert_int_equal(prog_connect(fd, n, far(80), false), EINPROGRESS);
	assert_int_equal(events(fd), POLLOUT);
	assert_int_equal(ask(CHAN_OP_ERROR, n, 0), 0);
	assert_int_equal(int_of_rep(), 0);
	assert_int_equal(write(fd, "!", 1), 1);
	turn(4);
	*peer = sock_accept(far_listener, rig.e.now);
	assert_non_null(*peer);
	/* one octet, none of the stuffing */
	assert_int_equal(far_read(*peer), 1);
	turn(2);
	return fd;
}

MAYBE static uint64_t fill_far(struct sock *peer)
{
	static char b[65536];
	uint64_t total = 0;
	uint32_t n;

	for (unsigned i = 0; i < 2000; i++) {
		while ((n = far_write(peer, b, sizeof(b))) > 0) {
			total += n;
		}
		turn(1);
	}
	return total;
}

#endif
