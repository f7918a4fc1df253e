/* TCP_INFO: the state as programs know it, and the figures of a transfer */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include <linux/tcp.h>

#include "stack/mptcp/mp.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_opt_info.h"
#include "stack/sock/sock_state.h"

static struct sock *l, *c, *a;

static int setup_plain(void **state)
{
	two_setup(state);
	two.end[0].stack->mp->cfg.policy = MP_OFF;
	return 0;
}

static void join(void)
{
	l = two_listen(80, 5);
	/* the ends scale their windows differently */
	two_set(l, 1, 8, 60000);
	c = two_connect(80);
	two_run(50 * NANOS_MS);
	two_write(c, 10);
	two_run(500 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	sock_read_done(a, two.now, 10);
}

static void part(void)
{
	sock_close(c, two.now, true);
	sock_close(a, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static struct lx_tcp_info get(struct sock *sk)
{
	struct lx_tcp_info o;

	sock_opt_info_tcp(sk, two.now, &o);
	return o;
}

static unsigned st(struct sock *sk)
{
	return get(sk).state;
}

#define SAME(f, g)                                                             \
	assert_int_equal(offsetof(struct tcp_info, tcpi_##f),                  \
			 offsetof(struct lx_tcp_info, g))

static void test_layout(void **state)
{
	(void)state;
	SAME(retransmits, retransmits);
	SAME(options, options);
	SAME(ato, ato);
	SAME(snd_mss, snd_mss);
	SAME(rcv_mss, rcv_mss);
	SAME(sacked, sacked);
	SAME(lost, lost);
	SAME(retrans, retrans);
	SAME(last_data_sent, last_data_sent);
	SAME(last_ack_recv, last_ack_recv);
	SAME(rttvar, rttvar);
	SAME(snd_ssthresh, snd_ssthresh);
	SAME(advmss, advmss);
	SAME(rcv_space, rcv_space);
	SAME(pacing_rate, pacing_rate);
	SAME(bytes_acked, bytes_acked);
	SAME(bytes_received, bytes_received);
	SAME(segs_out, segs_out);
	SAME(segs_in, segs_in);
	SAME(notsent_bytes, notsent_bytes);
	SAME(min_rtt, min_rtt);
	SAME(delivery_rate, delivery_rate);
	SAME(bytes_sent, bytes_sent);
	SAME(bytes_retrans, bytes_retrans);
	SAME(reord_seen, reord_seen);
	SAME(snd_wnd, snd_wnd);
	SAME(data_segs_in, data_segs_in);
	SAME(busy_time, busy_time);
	SAME(rwnd_limited, rwnd_limited);
	SAME(delivered_ce, delivered_ce);
	SAME(dsack_dups, dsack_dups);
	assert_int_equal(LX_TCPI_OPT_TIMESTAMPS, TCPI_OPT_TIMESTAMPS);
	assert_int_equal(LX_TCPI_OPT_SACK, TCPI_OPT_SACK);
	assert_int_equal(LX_TCPI_OPT_WSCALE, TCPI_OPT_WSCALE);
}

/* include/net/tcp_states.h, spelled out */
static void test_states_plain(void **state)
{
	struct sock *f = sock_open(two.end[0].stack, 4);

	(void)state;
	assert_int_equal(st(f), 7); /* CLOSE */
	c = two_connect(80);
	assert_int_equal(st(c), 2); /* SYN_SENT */
	sock_close(c, two.now, true);
	join();
	assert_int_equal(st(l), 10); /* LISTEN */
	assert_int_equal(st(c), 1);  /* ESTABLISHED */
	assert_int_equal(st(a), 1);
	two.cut = true;
	sock_shutdown_write(c, two.now);
	two_run(NANOS_MS);
	assert_int_equal(st(c), 4); /* FIN_WAIT1 */
	two.cut = false;
	two_run(2 * NANOS_S);
	assert_int_equal(st(c), 5); /* FIN_WAIT2 */
	assert_int_equal(st(a), 8); /* CLOSE_WAIT */
	two.cut = true;
	sock_shutdown_write(a, two.now);
	two_run(NANOS_MS);
	assert_int_equal(st(a), 9); /* LAST_ACK */
	two.cut = false;
	two_run(2 * NANOS_S);
	assert_int_equal(st(a), 7);
	part();
}

static void test_states_multipath(void **state)
{
	(void)state;
	join();
	assert_int_equal(st(c), 1);
	sock_shutdown_write(c, two.now);
	two_run(500 * NANOS_MS);
	assert_int_equal(st(c), 5);
	assert_int_equal(st(a), 8);
	sock_shutdown_write(a, two.now);
	assert_int_equal(st(a), 9);
	two_run(2 * NANOS_S);
	assert_int_equal(st(a), 7);
	part();
}

static void test_listener_queue(void **state)
{
	struct sock *x, *y;
	struct lx_tcp_info o;

	(void)state;
	l = two_listen(80, 7);
	x = two_connect(80);
	y = two_connect(80);
	two_run(50 * NANOS_MS);
	two_write(x, 1);
	two_write(y, 1);
	two_run(50 * NANOS_MS);
	o = get(l);
	assert_int_equal(o.unacked, 2);
	assert_int_equal(o.sacked, 7);
	sock_close(x, two.now, true);
	sock_close(y, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void test_figures(void **state)
{
	struct lx_tcp_info o, p;

	(void)state;
	join();
	two_write(c, 20000);
	two_run(NANOS_S);
	o = get(c);
	p = get(a);
	assert_int_equal(o.options, LX_TCPI_OPT_TIMESTAMPS | LX_TCPI_OPT_SACK |
					    LX_TCPI_OPT_WSCALE);
	assert_int_equal(o.snd_mss, 1448);
	assert_int_equal(o.pmtu, 1500);
	assert_int_equal(o.bytes_sent, 20010);
	assert_int_equal(o.bytes_acked, 20010);
	assert_int_equal(p.bytes_received, 20010);
	assert_int_equal(o.unacked, 0);
	assert_int_equal(o.notsent_bytes, 0);
	assert_int_equal(o.total_retrans, 0);
	/* the SYN made the connection */
	assert_int_equal(o.segs_out, p.segs_in + 1);
	assert_int_equal(o.segs_in, p.segs_out);
	assert_true(o.segs_out >= 2 + 20010 / 1448);
	assert_true(o.snd_cwnd >= 10 && o.snd_cwnd < 1000);
	assert_int_equal(o.snd_ssthresh, INT32_MAX);
	/* the peer's scale goes with what it offers, and the reverse */
	assert_int_not_equal(o.wscale & 15, o.wscale >> 4);
	assert_int_equal(p.wscale >> 4, 0); /* 60000 need none */
	assert_int_equal(o.wscale & 15, p.wscale >> 4);
	assert_int_equal(o.wscale >> 4, p.wscale & 15);
	assert_int_equal(o.rto / 1000, 200); /* microseconds; RTO's floor */
	assert_in_range(o.last_data_sent, 900, 1100); /* milliseconds */
	assert_int_equal(o.advmss, 1460);
	assert_in_range(p.rcv_mss, 1400, 1460);
	assert_in_range(o.data_segs_out, 2, 30);
	assert_int_equal(p.data_segs_in, o.data_segs_out);
	assert_int_equal(o.ca_state, TCP_CA_Open);
	assert_int_equal(o.total_rto, 0);
	/* who only receives knows the round trip, too */
	assert_true(p.rcv_rtt > 0 && p.rcv_rtt <= 2 * o.rtt + 2000);
	assert_in_range(o.busy_time, 0, 100000);
	assert_int_equal(o.rwnd_limited, 0);
	part();
}

static void test_in_flight_and_lost(void **state)
{
	struct lx_tcp_info o;

	(void)state;
	join();
	two_set(c, 6, 1, 1);
	two.cut = true;
	two_write(c, 2 * 1448 + 100); /* TCP_NODELAY: three segments */
	while (two_move(0)) {
	}
	o = get(c);
	assert_int_equal(o.unacked, 3);
	assert_int_equal(o.bytes_acked, 10);
	two_run(3 * NANOS_S);
	o = get(c);
	assert_true(o.retransmits >= 2);
	assert_int_equal(o.ca_state, TCP_CA_Loss);
	assert_true(o.total_rto >= 2);
	assert_in_range(o.unacked, 3, 6); /* perhaps of a smaller MSS by now */
	assert_in_range(o.busy_time, 2900000, 3600000);
	assert_int_equal(o.backoff, o.retransmits);
	assert_true(o.total_retrans >= 2);
	assert_int_equal(o.bytes_sent, 10 + 2 * 1448 + 100 + o.bytes_retrans);
	assert_true(o.rto > 400000);
	assert_true(o.snd_cwnd <= 3);
	two.cut = false;
	two_run(10 * NANOS_S);
	o = get(c);
	assert_int_equal(o.retransmits, 0);
	assert_int_equal(o.ca_state, TCP_CA_Open);
	assert_int_equal(o.lost, 0);
	assert_int_equal(o.unacked, 0);
	assert_int_equal(o.bytes_acked, 10 + 2 * 1448 + 100);
	assert_true(o.snd_ssthresh < 1000);
	part();
}

/* the peer's program does not read: that is what the sender waits for */
static void test_window_limits(void **state)
{
	struct lx_tcp_info o;

	(void)state;
	join();
	two_write(c, 60000);
	two_run(NANOS_S);
	two_write(c, 60000);
	two_run(2 * NANOS_S);
	o = get(c);
	assert_true(o.rwnd_limited > 1000000);
	assert_true(o.rwnd_limited <= o.busy_time);
	assert_true(o.notsent_bytes > 40000);
	part();
}

static void test_over_several_subflows(void **state)
{
	struct lx_tcp_info o;
	struct mp_info m;
	uint32_t cwnd = 0, segs = 0;

	(void)state;
	join();
	assert_true(sock_info(c, &m));
	assert_true(m.n_subs >= 2);
	o = get(c);
	for (unsigned i = 0; i < m.n_subs; i++) {
		cwnd += m.sub[i].closed ? 0 : m.sub[i].tcp.cwnd /
						      m.sub[i].tcp.mss;
		segs += m.sub[i].tcp.segs_out;
	}
	assert_int_equal(o.snd_cwnd, cwnd);
	assert_int_equal(o.segs_out, segs);
	assert_int_equal(o.bytes_sent, 10);
	assert_int_equal(o.state, 1);
	part();
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup_plain, two_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_layout),
		T(test_states_plain),
		TWO_TEST(test_states_multipath),
		T(test_listener_queue),
		T(test_figures),
		T(test_in_flight_and_lost),
		T(test_window_limits),
		TWO_TEST(test_over_several_subflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
