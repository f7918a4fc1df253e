/* SOL_SOCKET against the kernel's own answers */
#include "tests/unit/sock/native.h"

#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

static void test_switches_as_the_kernel(void **state)
{
	static const int names[] = { SO_REUSEADDR, SO_REUSEPORT, SO_BROADCAST,
				     SO_KEEPALIVE };
	static const int values[] = { 1, 0, 7, -1, 0, INT_MIN, 0, INT_MAX };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		native_same_get(SOL_SOCKET, names[i], 4);
		for (unsigned j = 0; j < ARRAY_SIZE(values); j++) {
			native_same(SOL_SOCKET, names[i], values[j]);
		}
	}
}

static void test_only_to_be_read(void **state)
{
	static const int names[] = { SO_TYPE, SO_PROTOCOL, SO_DOMAIN, SO_ERROR,
				     SO_ACCEPTCONN, SO_SNDLOWAT };
	int v = 1;

	(void)state;
	for (uint8_t family = 4; family <= 6; family += 2) {
		native_open(family);
		for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
			native_same_len(SOL_SOCKET, names[i], &v, sizeof(v));
			for (uint32_t len = 0; len <= 8; len++) {
				native_same_get(SOL_SOCKET, names[i], len);
			}
		}
	}
	native_same_len(SOL_SOCKET, 9999, &v, sizeof(v));
	native_same_get(SOL_SOCKET, 9999, 4);
}

static void test_lengths_as_the_kernel(void **state)
{
	struct linger l[2] = { { 1, 5 }, { 0, 0 } };

	(void)state;
	for (uint32_t len = 0; len <= 12; len++) {
		native_same_len(SOL_SOCKET, SO_KEEPALIVE, l, len);
		native_same_len(SOL_SOCKET, SO_LINGER, l, len);
		native_same_get(SOL_SOCKET, SO_LINGER, len);
	}
	assert_int_equal(sock_getopt(ours, two.now, SOL_SOCKET, SO_TYPE, l,
				     &(uint32_t){ 0x80000000u }),
			 EINVAL);
}

static void test_linger(void **state)
{
	struct linger l = { 1, 30 };

	(void)state;
	native_same_len(SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	native_same_get(SOL_SOCKET, SO_LINGER, sizeof(l));
	assert_false(sock_linger_zero(ours));
	l.l_onoff = 0; /* the time stays, without meaning */
	l.l_linger = 7;
	native_same_len(SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	native_same_get(SOL_SOCKET, SO_LINGER, sizeof(l));
	l = (struct linger){ 5, 0 };
	native_same_len(SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	native_same_get(SOL_SOCKET, SO_LINGER, sizeof(l));
	assert_true(sock_linger_zero(ours));
	l.l_onoff = 0;
	native_same_len(SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	assert_false(sock_linger_zero(ours));
}

/* doubled, with a floor; the kernel's ceiling is its own sysctl */
static void test_buffers(void **state)
{
	static const int values[] = { 0, 1, 1151, 1152, 1153, 2303, 2304, 2305,
				      4607, 4608, 65536, 100001 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		native_same(SOL_SOCKET, SO_RCVBUF, values[i]);
		native_same(SOL_SOCKET, SO_SNDBUF, values[i]);
		assert_int_equal(ours->conf->sndbuf * 2, ours->opt.sndbuf);
		assert_int_equal(ours->conf->rcvbuf * 2, ours->opt.rcvbuf);
	}
	/* as unsigned: the most that may be */
	assert_int_equal(ours_set_int(SOL_SOCKET, SO_RCVBUF, -1), 0);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_RCVBUF), 128 << 20);
	assert_int_equal(ours_set_int(SOL_SOCKET, SO_SNDBUF, INT_MAX), 0);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_SNDBUF), 128 << 20);
	assert_int_equal(ours_set_int(SOL_SOCKET, SO_SNDBUF, 64 << 20), 0);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_SNDBUF), 128 << 20);
}

static void test_rcvlowat(void **state)
{
	static const int values[] = { 1, 0, 100, 1000, 5 };

	(void)state;
	native_same_get(SOL_SOCKET, SO_RCVLOWAT, 4);
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		native_same(SOL_SOCKET, SO_RCVLOWAT, values[i]);
	}
	/* as unsigned, and half of the buffer at most */
	assert_int_equal(ours_set_int(SOL_SOCKET, SO_RCVLOWAT, -1), 0);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_RCVLOWAT), 3 << 20);
	assert_int_equal(ours_set_int(SOL_SOCKET, SO_RCVBUF, 10000), 0);
	assert_int_equal(ours_set_int(SOL_SOCKET, SO_RCVLOWAT, 9000), 0);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_RCVLOWAT), 5000);
}

static void test_oobinline(void **state)
{
	(void)state;
	native_same_get(SOL_SOCKET, SO_OOBINLINE, 4);
	native_same(SOL_SOCKET, SO_OOBINLINE, 1);
	native_same(SOL_SOCKET, SO_OOBINLINE, 0);
	native_same(SOL_SOCKET, SO_OOBINLINE, 7);
}

static void test_error_is_read_once(void **state)
{
	(void)state;
	ours = two_connect(81);
	two_run(100 * NANOS_MS);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_ERROR), 0);
	sock_close(ours, two.now, false);
}

static void test_acceptconn(void **state)
{
	(void)state;
	ours = two_listen(80, 1);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_ACCEPTCONN), 1);
	assert_int_equal(sock_shutdown_read(ours, two.now), 0);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_ACCEPTCONN), 0);
	sock_close(ours, two.now, false);
}

/* what a listener was told holds for what it accepts */
static void test_accepted_inherit(void **state)
{
	struct linger lg = { 1, 9 };
	struct sock *l, *c;

	(void)state;
	l = two_listen(80, 1);
	ours = l;
	ours_set_int(SOL_SOCKET, SO_KEEPALIVE, 1);
	ours_set_int(SOL_SOCKET, SO_RCVBUF, 30000);
	ours_set(SOL_SOCKET, SO_LINGER, &lg, sizeof(lg));
	ours_set_int(IPPROTO_TCP, TCP_NODELAY, 1);
	c = two_connect(80);
	two_run(50 * NANOS_MS);
	two_write(c, 1);
	two_run(50 * NANOS_MS);
	ours = sock_accept(l, two.now);
	assert_non_null(ours);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_RCVBUF), 60000);
	assert_int_equal(ours_get_int(IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_ACCEPTCONN), 0);
	assert_int_equal(ours->opt.linger_s, 9);
	sock_close(ours, two.now, true);
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

/* nginx: options are set on the socket that listens already */
static void test_set_while_listening(void **state)
{
	struct endpoint e = endpoint_make(addr_any(4), 80);
	struct sock *c;
	struct pkt_out out;

	(void)state;
	ours = sock_open(two.end[1].stack, 4);
	assert_int_equal(sock_bind(ours, &e), 0);
	assert_int_equal(sock_listen(ours, two.now, 5), 0);
	assert_int_equal(ours_set_int(IPPROTO_IP, IP_TTL, 7), 0);
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_MAXSEG, 777), 0);
	c = two_connect(80);
	assert_int_equal(two_move(0), 1);
	assert_int_equal(stack_output(two.end[1].stack, two.now, &out, 1), 1);
	assert_int_equal(out.hdr[8], 7);
	assert_int_equal(be16_get(out.hdr + 42), 777);
	sock_close(c, two.now, true);
	sock_close(ours, two.now, true);
}

/* only what is on the path's own net */
static void test_dontroute(void **state)
{
	struct endpoint e = endpoint_make(two.end[1].addr, 80);

	(void)state;
	assert_int_equal(ours_set_int(SOL_SOCKET, SO_DONTROUTE, 1), 0);
	assert_int_equal(sock_connect(ours, two.now, &e), ENETUNREACH);
	assert_int_equal(ours_set_int(SOL_SOCKET, SO_DONTROUTE, 0), 0);
	assert_int_equal(sock_connect(ours, two.now, &e), EINPROGRESS);
	sock_close(ours, two.now, true);
}

/* a device is a path: the connection begins there */
static void test_bind_to_device(void **state)
{
	struct endpoint e = endpoint_make(two.end[1].addr, 80);
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 1,
			     .bits = { 24 }, .name = "second" };
	struct pkt_out out;
	char name[16] = "";
	uint32_t len = 3;

	(void)state;
	assert_true(addr_parse("10.9.9.9", &p.addr[0]));
	assert_int_equal(stack_path_add(two.end[0].stack, two.now, &p), 1);
	native_same_len(SOL_SOCKET, SO_BINDTODEVICE, "nonesuch", 8);
	native_same_get(SOL_SOCKET, SO_BINDTODEVICE, 16); /* none: length 0 */
	assert_int_equal(ours_set(SOL_SOCKET, SO_BINDTODEVICE, "second", 7), 0);
	assert_int_equal(sock_getopt(ours, two.now, SOL_SOCKET,
				     SO_BINDTODEVICE, name, &len),
			 EINVAL);
	len = sizeof(name);
	assert_int_equal(sock_getopt(ours, two.now, SOL_SOCKET,
				     SO_BINDTODEVICE, name, &len),
			 0);
	assert_string_equal(name, "second");
	assert_int_equal(len, 7);
	assert_int_equal(ours->conf->only_path, 2); /* and none but this */
	assert_int_equal(sock_connect(ours, two.now, &e), EINPROGRESS);
	assert_int_equal(stack_output(two.end[0].stack, two.now, &out, 1), 1);
	assert_int_equal(out.dev, 1);
	assert_memory_equal(out.hdr + 12, "\012\011\011\011", 4);
	assert_int_equal(ours_set(SOL_SOCKET, SO_BINDTODEVICE, "second", 7),
			 EINVAL);
	sock_close(ours, two.now, true);
}

/* a descriptor outlives its connection: options stay, the connection does not */
static void test_heir(void **state)
{
	struct sock *h;

	(void)state;
	ours_set_int(SOL_SOCKET, SO_KEEPALIVE, 1);
	ours_set_int(SOL_SOCKET, SO_PRIORITY, 3);
	h = sock_heir(ours);
	assert_non_null(h);
	sock_close(ours, two.now, false);
	ours = h;
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(ours_get_int(SOL_SOCKET, SO_PRIORITY), 3);
	assert_false(sock_connected(ours));
	sock_close(ours, two.now, false);
}

static void test_pacing_rate(void **state)
{
	uint64_t rate = 1ull << 40, got;
	uint32_t len = sizeof(got);

	(void)state;
	native_same_get(SOL_SOCKET, SO_MAX_PACING_RATE, 4);
	native_same_get(SOL_SOCKET, SO_MAX_PACING_RATE, 8);
	native_same_len(SOL_SOCKET, SO_MAX_PACING_RATE, &rate, 8);
	native_same_get(SOL_SOCKET, SO_MAX_PACING_RATE, 4);
	native_same_get(SOL_SOCKET, SO_MAX_PACING_RATE, 8);
	assert_true(ours->conf->tcp.max_pacing_rate == rate);
	native_same(SOL_SOCKET, SO_MAX_PACING_RATE, 12345);
	assert_true(ours->conf->tcp.max_pacing_rate == 12345);
	native_same(SOL_SOCKET, SO_MAX_PACING_RATE, -1);
	assert_true(ours->conf->tcp.max_pacing_rate == 0);
	assert_int_equal(sock_getopt(ours, two.now, SOL_SOCKET,
				     SO_MAX_PACING_RATE, &got, &len),
			 0);
	assert_true(got == UINT64_MAX);
}

/* a size is locked by being chosen, and freed by SO_BUF_LOCK */
static void test_buf_lock(void **state)
{
	(void)state;
	assert_int_equal(ours_get_int(SOL_SOCKET, LX_SO_BUF_LOCK), 0);
	ours_set_int(SOL_SOCKET, SO_RCVBUF, 50000);
	assert_int_equal(ours_get_int(SOL_SOCKET, LX_SO_BUF_LOCK),
			 LX_RCVBUF_LOCK);
	assert_true(ours->conf->rcvbuf_fixed);
	assert_false(ours->conf->sndbuf_fixed);
	ours_set_int(SOL_SOCKET, LX_SO_BUF_LOCK, LX_SNDBUF_LOCK);
	assert_false(ours->conf->rcvbuf_fixed);
	assert_true(ours->conf->sndbuf_fixed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATIVE_TEST(test_switches_as_the_kernel),
		NATIVE_TEST(test_only_to_be_read),
		NATIVE_TEST(test_lengths_as_the_kernel),
		NATIVE_TEST(test_linger),
		NATIVE_TEST(test_buffers),
		NATIVE_TEST(test_rcvlowat),
		NATIVE_TEST(test_oobinline),
		NATIVE_TEST(test_error_is_read_once),
		NATIVE_TEST(test_acceptconn),
		NATIVE_TEST(test_accepted_inherit),
		NATIVE_TEST(test_set_while_listening),
		NATIVE_TEST(test_dontroute),
		NATIVE_TEST(test_bind_to_device),
		NATIVE_TEST(test_heir),
		NATIVE_TEST(test_pacing_rate),
		NATIVE_TEST(test_buf_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
