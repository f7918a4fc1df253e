/* IPPROTO_TCP: every value at and beside each bound, against the kernel's own
 * answer; then what an option does to a connection */
#include "tests/unit/sock/native.h"

#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

static void test_values_as_the_kernel(void **state)
{
	static const int names[] = {
		TCP_NODELAY,   TCP_CORK,    TCP_MAXSEG,       TCP_KEEPIDLE,
		TCP_KEEPINTVL, TCP_KEEPCNT, TCP_SYNCNT,       TCP_LINGER2,
		TCP_DEFER_ACCEPT, TCP_USER_TIMEOUT, TCP_WINDOW_CLAMP,
	};
	static const int values[] = {
		1,     0,     -1,    2,     6,     7,	  8,	 60,
		63,    64,    87,    88,    119,   120,	  121,	 126,
		127,   128,   129,   255,   256,   536,	  1151,	 1152,
		1153,  1460,  7200,  32766, 32767, 32768, 65535, 65536,
		-2,    99999, INT_MAX, INT_MIN,
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		native_open(i % 2 ? 6 : 4);
		native_same_get(IPPROTO_TCP, names[i], 4);
		for (unsigned j = 0; j < ARRAY_SIZE(values); j++) {
			native_same(IPPROTO_TCP, names[i], values[j]);
		}
		/* what a refusal left behind is the last value taken */
		native_same_get(IPPROTO_TCP, names[i], 4);
	}
}

static void test_lengths_as_the_kernel(void **state)
{
	static const int names[] = { TCP_NODELAY, TCP_KEEPIDLE, TCP_MAXSEG,
				     TCP_USER_TIMEOUT };
	int v[2] = { 100, 0 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		for (uint32_t len = 0; len <= 8; len++) {
			native_same_len(IPPROTO_TCP, names[i], v, len);
			native_same_get(IPPROTO_TCP, names[i], len);
		}
	}
}

static void test_not_settable_or_unknown(void **state)
{
	int v = 1;

	(void)state;
	native_same_len(IPPROTO_TCP, TCP_INFO, &v, sizeof(v));
	native_same_len(IPPROTO_TCP, 0, &v, sizeof(v));
	native_same_len(IPPROTO_TCP, 9999, &v, sizeof(v));
	native_same_get(IPPROTO_TCP, 0, 4);
	native_same_get(IPPROTO_TCP, 9999, 4);
	assert_int_equal(ours_set_int(IPPROTO_TCP, LX_TCP_IS_MPTCP, 1),
			 ENOPROTOOPT);
}

static void test_congestion(void **state)
{
	static const char *const names[] = { "reno", "cubic" };
	char junk[40];

	(void)state;
	memset(junk, 'q', sizeof(junk));
	native_same_len(IPPROTO_TCP, TCP_CONGESTION, "", 0);
	native_same_len(IPPROTO_TCP, TCP_CONGESTION, "no-such", 7);
	native_same_len(IPPROTO_TCP, TCP_CONGESTION, junk, sizeof(junk));
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		uint32_t n = (uint32_t)strlen(names[i]);

		/* with and without the terminator */
		native_same_len(IPPROTO_TCP, TCP_CONGESTION, names[i], n);
		native_same_get(IPPROTO_TCP, TCP_CONGESTION, 16);
		native_same_len(IPPROTO_TCP, TCP_CONGESTION, names[i], n + 1);
		native_same_get(IPPROTO_TCP, TCP_CONGESTION, 2);
		native_same_get(IPPROTO_TCP, TCP_CONGESTION, 40);
	}
	/* a prefix of a name is another name */
	assert_int_equal(ours_set(IPPROTO_TCP, TCP_CONGESTION, "cub", 3),
			 ENOENT);
}

/* Linux' table of 1, 3, 7, 15, 31, 63, 127, 247 .. seconds */
static void test_defer_accept_rounds_up(void **state)
{
	(void)state;
	for (int v = 0; v < 2000; v += v < 300 ? 1 : 97) {
		native_same(IPPROTO_TCP, TCP_DEFER_ACCEPT, v);
	}
}

static void test_seconds_reach_the_connection(void **state)
{
	struct sock *l = two_listen(80, 1);

	(void)state;
	ours = two_connect(80);
	two_run(100 * NANOS_MS);
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_KEEPIDLE, 11), 0);
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_KEEPINTVL, 12), 0);
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_KEEPCNT, 13), 0);
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_USER_TIMEOUT, 14), 0);
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_LINGER2, 15), 0);
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_SYNCNT, 16), 0);
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_MAXSEG, 1000), 0);
	assert_true(ours->conf->tcp.keep_idle == 11 * NANOS_S);
	assert_true(ours->conf->tcp.keep_intvl == 12 * NANOS_S);
	assert_int_equal(ours->conf->tcp.keep_cnt, 13);
	assert_true(ours->conf->tcp.user_timeout == 14 * NANOS_MS);
	assert_true(ours->conf->tcp.linger2 == 15 * NANOS_S);
	assert_int_equal(ours->conf->tcp.syn_retries, 16);
	assert_int_equal(ours->conf->tcp.mss_clamp, 1000);
	/* Linux: a window clamp of 0 only before there is a connection */
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_WINDOW_CLAMP, 0),
			 EINVAL);
	assert_int_equal(ours_get_int(IPPROTO_TCP, LX_TCP_IS_MPTCP), 1);
	sock_close(ours, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

/* a dead peer is found after idle + count * interval, no sooner */
static void test_keepalive_by_options(void **state)
{
	struct sock *l;

	(void)state;
	two_teardown(state);
	two_setup(state);
	l = two_listen(80, 1);
	ours = two_connect(80);
	two_run(100 * NANOS_MS);
	ours_set_int(IPPROTO_TCP, TCP_KEEPIDLE, 10);
	ours_set_int(IPPROTO_TCP, TCP_KEEPINTVL, 2);
	ours_set_int(IPPROTO_TCP, TCP_KEEPCNT, 3);
	assert_int_equal(ours_set_int(SOL_SOCKET, SO_KEEPALIVE, 1), 0);
	two_run(60 * NANOS_S);
	assert_true(sock_connected(ours));
	two.cut = true;
	two_run(4 * NANOS_S);
	assert_true(sock_connected(ours));
	two_run(90 * NANOS_S);
	assert_false(sock_connected(ours));
	assert_int_equal(sock_error(ours), ETIMEDOUT);
	sock_close(ours, two.now, false);
	sock_close(l, two.now, false);
}

static void test_maxseg_in_the_syn(void **state)
{
	struct endpoint e = endpoint_make(two.end[1].addr, 80);
	struct pkt_out out;

	(void)state;
	assert_int_equal(ours_set_int(IPPROTO_TCP, TCP_MAXSEG, 999), 0);
	assert_int_equal(sock_connect(ours, two.now, &e), EINPROGRESS);
	assert_int_equal(stack_output(two.end[0].stack, two.now, &out, 1), 1);
	assert_int_equal(out.hdr[40], 2);
	assert_int_equal(out.hdr[41], 4);
	assert_int_equal(be16_get(out.hdr + 42), 999);
	sock_close(ours, two.now, true);
}

static void test_timing(void **state)
{
	struct sock *l = two_listen(80, 1);
	struct mp_info m;

	(void)state;
	assert_int_equal(ours_get_int(IPPROTO_TCP, LX_TCP_RTO_MAX_MS), 120000);
	assert_int_equal(ours_get_int(IPPROTO_TCP, LX_TCP_RTO_MIN_US), 200000);
	assert_int_equal(ours_get_int(IPPROTO_TCP, LX_TCP_DELACK_MAX_US),
			 200000);
	assert_int_equal(ours_set_int(IPPROTO_TCP, LX_TCP_RTO_MAX_MS, 999),
			 EINVAL);
	assert_int_equal(ours_set_int(IPPROTO_TCP, LX_TCP_RTO_MIN_US, 200001),
			 EINVAL);
	assert_int_equal(ours_set_int(IPPROTO_TCP, LX_TCP_DELACK_MAX_US, 10),
			 EINVAL);
	ours = two_connect(80);
	two_run(100 * NANOS_MS);
	two_write(ours, 1);
	two_run(NANOS_S);
	assert_true(sock_info(ours, &m));
	assert_int_equal(m.sub[0].tcp.rto / NANOS_MS, 200);
	assert_int_equal(ours_set_int(IPPROTO_TCP, LX_TCP_RTO_MIN_US, 50000),
			 0);
	assert_true(sock_info(ours, &m));
	assert_true(m.sub[0].tcp.rto < 100 * NANOS_MS);
	assert_int_equal(ours_set_int(IPPROTO_TCP, LX_TCP_RTO_MAX_MS, 1000), 0);
	two.cut = true;
	two_write(ours, 1);
	two_run(8 * NANOS_S);
	assert_true(sock_info(ours, &m));
	/* 50, 100, .. 800 ms, and then each second */
	assert_int_equal(m.sub[0].tcp.rto / NANOS_MS, 1000);
	assert_true(m.sub[0].tcp.rto_count >= 9);
	two.cut = false;
	sock_close(ours, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATIVE_TEST(test_values_as_the_kernel),
		NATIVE_TEST(test_lengths_as_the_kernel),
		NATIVE_TEST(test_not_settable_or_unknown),
		NATIVE_TEST(test_congestion),
		NATIVE_TEST(test_defer_accept_rounds_up),
		NATIVE_TEST(test_seconds_reach_the_connection),
		NATIVE_TEST(test_keepalive_by_options),
		NATIVE_TEST(test_maxseg_in_the_syn),
		NATIVE_TEST(test_timing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
