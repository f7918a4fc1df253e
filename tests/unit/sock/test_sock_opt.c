/* our own numbers and layouts against the kernel headers', and the ranges of
 * each level */
#include "tests/unit/sock/two.h"

#include <errno.h>
#include <sys/socket.h>

#include <linux/mptcp.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include "stack/mptcp/mp.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

static struct sock *sk;

static int set(int level, int name, int v)
{
	return sock_setopt(sk, two.now, level, name, &v, sizeof(v));
}

static int get(int level, int name)
{
	int v = -12345;
	uint32_t len = sizeof(v);

	assert_int_equal(sock_getopt(sk, two.now, level, name, &v, &len), 0);
	return v;
}

static int setup(void **state)
{
	two_setup(state);
	sk = sock_open(two.end[0].stack, 4);
	return 0;
}

static void test_numbers_are_linuxs(void **state)
{
	(void)state;
	assert_int_equal(LX_SOL_SOCKET, SOL_SOCKET);
	assert_int_equal(LX_SO_KEEPALIVE, SO_KEEPALIVE);
	assert_int_equal(LX_SO_LINGER, SO_LINGER);
	assert_int_equal(LX_SO_REUSEPORT, SO_REUSEPORT);
	assert_int_equal(LX_SO_RCVLOWAT, SO_RCVLOWAT);
	assert_int_equal(LX_SO_ACCEPTCONN, SO_ACCEPTCONN);
	assert_int_equal(LX_SO_DOMAIN, SO_DOMAIN);
	assert_int_equal(LX_TCP_INFO, TCP_INFO);
	assert_int_equal(LX_TCP_USER_TIMEOUT, TCP_USER_TIMEOUT);
	assert_int_equal(LX_TCP_CONGESTION, TCP_CONGESTION);
	assert_int_equal(LX_IP_MTU, IP_MTU);
	assert_int_equal(LX_IPV6_TCLASS, IPV6_TCLASS);
	assert_int_equal(LX_IPV6_UNICAST_HOPS, IPV6_UNICAST_HOPS);
}

#define SAME(a, b)                                                             \
	assert_int_equal(offsetof(struct tcp_info, tcpi_##a),                  \
			 offsetof(struct lx_tcp_info, b))

static void test_layout_is_linuxs(void **state)
{
	(void)state;
	SAME(state, state);
	SAME(rto, rto);
	SAME(unacked, unacked);
	SAME(last_data_recv, last_data_recv);
	SAME(pmtu, pmtu);
	SAME(rtt, rtt);
	SAME(snd_cwnd, snd_cwnd);
	SAME(total_retrans, total_retrans);
	assert_int_equal(offsetof(struct mptcp_info, mptcpi_token),
			 offsetof(struct lx_mptcp_info, token));
	assert_int_equal(offsetof(struct mptcp_info, mptcpi_rcv_nxt),
			 offsetof(struct lx_mptcp_info, rcv_nxt));
}

static void test_unknown_is_never_a_success(void **state)
{
	(void)state;
	assert_int_equal(set(SOL_SOCKET, 25, 1), ENODEV); /* SO_BINDTODEVICE */
	assert_int_equal(set(SOL_SOCKET, 36, 1), EPERM);  /* SO_MARK */
	assert_int_equal(set(IPPROTO_TCP, 31, 1), ENOENT); /* TCP_ULP */
	assert_int_equal(set(IPPROTO_IP, 19, 1), EPERM);
	assert_int_equal(set(SOL_SOCKET, 84, 1), ENOPROTOOPT);
	assert_int_equal(set(IPPROTO_TCP, 47, 1), ENOPROTOOPT);
	assert_int_equal(set(99, 1, 1), ENOPROTOOPT);
	assert_int_equal(set(IPPROTO_IPV6, IPV6_TCLASS, 1), ENOPROTOOPT);
}

static void test_socket_level(void **state)
{
	struct linger l = { 1, 0 };
	uint32_t len = sizeof(l);

	(void)state;
	assert_int_equal(sock_setopt(sk, two.now, SOL_SOCKET, SO_KEEPALIVE,
				     &l, 3),
			 EINVAL);
	assert_int_equal(set(SOL_SOCKET, SO_KEEPALIVE, 7), 0);
	assert_int_equal(get(SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(set(SOL_SOCKET, SO_RCVBUF, 10000), 0);
	assert_int_equal(get(SOL_SOCKET, SO_RCVBUF), 20000);
	assert_int_equal(set(SOL_SOCKET, SO_RCVBUF, 1), 0);
	assert_int_equal(get(SOL_SOCKET, SO_RCVBUF), 2304);
	assert_int_equal(set(SOL_SOCKET, SO_SNDBUF, 0), 0);
	assert_int_equal(get(SOL_SOCKET, SO_SNDBUF), 4608);
	assert_int_equal(get(SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	assert_int_equal(get(SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
	assert_int_equal(get(SOL_SOCKET, SO_DOMAIN), AF_INET);
	assert_int_equal(get(SOL_SOCKET, SO_ACCEPTCONN), 0);
	assert_int_equal(set(SOL_SOCKET, SO_ACCEPTCONN, 1), ENOPROTOOPT);
	assert_int_equal(set(SOL_SOCKET, SO_RCVLOWAT, 0), 0);
	assert_int_equal(get(SOL_SOCKET, SO_RCVLOWAT), 1);
	assert_int_equal(sock_setopt(sk, two.now, SOL_SOCKET, SO_LINGER, &l,
				     7),
			 EINVAL);
	assert_false(sock_linger_zero(sk));
	assert_int_equal(sock_setopt(sk, two.now, SOL_SOCKET, SO_LINGER, &l,
				     sizeof(l)),
			 0);
	assert_true(sock_linger_zero(sk));
	memset(&l, 9, sizeof(l));
	assert_int_equal(sock_getopt(sk, two.now, SOL_SOCKET, SO_LINGER, &l,
				     &len),
			 0);
	assert_int_equal(l.l_onoff, 1);
	assert_int_equal(l.l_linger, 0);
}

static void test_tcp_level_ranges(void **state)
{
	static const struct {
		int name, lo, hi, below, above;
	} r[] = {
		{ TCP_KEEPIDLE, 1, 32767, 0, 32768 },
		{ TCP_KEEPINTVL, 1, 32767, 0, 32768 },
		{ TCP_KEEPCNT, 1, 127, 0, 128 },
		{ TCP_SYNCNT, 1, 127, 0, 128 },
		{ TCP_MAXSEG, 88, 32767, 87, 32768 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(r) / sizeof(r[0]); i++) {
		assert_int_equal(set(IPPROTO_TCP, r[i].name, r[i].below),
				 EINVAL);
		assert_int_equal(set(IPPROTO_TCP, r[i].name, r[i].above),
				 EINVAL);
		assert_int_equal(set(IPPROTO_TCP, r[i].name, r[i].lo), 0);
		assert_int_equal(set(IPPROTO_TCP, r[i].name, r[i].hi), 0);
		assert_int_equal(get(IPPROTO_TCP, r[i].name), r[i].hi);
	}
	assert_int_equal(set(IPPROTO_TCP, TCP_USER_TIMEOUT, -1), EINVAL);
	assert_int_equal(set(IPPROTO_TCP, TCP_USER_TIMEOUT, 1500), 0);
	assert_int_equal(get(IPPROTO_TCP, TCP_USER_TIMEOUT), 1500);
}

static void test_tcp_level_defaults(void **state)
{
	(void)state;
	assert_int_equal(get(IPPROTO_TCP, TCP_KEEPIDLE), 7200);
	assert_int_equal(get(IPPROTO_TCP, TCP_KEEPINTVL), 75);
	assert_int_equal(get(IPPROTO_TCP, TCP_KEEPCNT), 9);
	assert_int_equal(get(IPPROTO_TCP, TCP_SYNCNT), 6);
	assert_int_equal(get(IPPROTO_TCP, TCP_LINGER2), 60);
	assert_int_equal(get(IPPROTO_TCP, TCP_MAXSEG), 536);
	assert_int_equal(get(IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_equal(set(IPPROTO_TCP, TCP_LINGER2, 500), 0);
	assert_int_equal(get(IPPROTO_TCP, TCP_LINGER2), 120);
	assert_int_equal(set(IPPROTO_TCP, TCP_LINGER2, -3), 0);
	assert_int_equal(get(IPPROTO_TCP, TCP_LINGER2), -1);
	/* 1, 3, 7 .. seconds of SYN/ACK retransmission */
	assert_int_equal(set(IPPROTO_TCP, TCP_DEFER_ACCEPT, 5), 0);
	assert_int_equal(get(IPPROTO_TCP, TCP_DEFER_ACCEPT), 7);
}

static void test_congestion_name(void **state)
{
	char name[16] = "";
	uint32_t len = sizeof(name);

	(void)state;
	assert_int_equal(sock_setopt(sk, two.now, IPPROTO_TCP, TCP_CONGESTION,
				     "nosuch", 6),
			 ENOENT);
	assert_int_equal(sock_setopt(sk, two.now, IPPROTO_TCP, TCP_CONGESTION,
				     "reno", 4),
			 0);
	assert_int_equal(sock_getopt(sk, two.now, IPPROTO_TCP, TCP_CONGESTION,
				     name, &len),
			 0);
	assert_int_equal(len, 16);
	assert_string_equal(name, "reno");
}

static void test_ip_level(void **state)
{
	uint8_t octet = 0;
	uint32_t len = 1;

	(void)state;
	assert_int_equal(set(IPPROTO_IP, IP_TTL, 0), EINVAL);
	assert_int_equal(set(IPPROTO_IP, IP_TTL, 256), EINVAL);
	assert_int_equal(set(IPPROTO_IP, IP_TTL, 9), 0);
	assert_int_equal(get(IPPROTO_IP, IP_TTL), 9);
	assert_int_equal(set(IPPROTO_IP, IP_TTL, -1), 0);
	assert_int_equal(get(IPPROTO_IP, IP_TTL), 64);
	assert_int_equal(set(IPPROTO_IP, IP_TOS, 0x13), 0);
	assert_int_equal(get(IPPROTO_IP, IP_TOS), 0x10); /* ECN is TCP's */
	octet = 0x20;
	assert_int_equal(sock_setopt(sk, two.now, IPPROTO_IP, IP_TOS, &octet,
				     1),
			 0);
	octet = 0;
	assert_int_equal(sock_getopt(sk, two.now, IPPROTO_IP, IP_TOS, &octet,
				     &len),
			 0);
	assert_int_equal(octet, 0x20);
	len = 4;
	assert_int_equal(sock_getopt(sk, two.now, IPPROTO_IP, IP_MTU, &octet,
				     &len),
			 ENOTCONN);
	len = 40;
	assert_int_equal(sock_getopt(sk, two.now, IPPROTO_IP, IP_OPTIONS,
				     &octet, &len),
			 0);
	assert_int_equal(len, 0);
}

static void test_ipv6_level(void **state)
{
	struct endpoint e = endpoint_make(addr_any(6), 80);

	(void)state;
	sk = sock_open(two.end[0].stack, 6);
	assert_int_equal(set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, -2), EINVAL);
	assert_int_equal(set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 256), EINVAL);
	assert_int_equal(set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 3), 0);
	assert_int_equal(get(IPPROTO_IPV6, IPV6_UNICAST_HOPS), 3);
	assert_int_equal(set(IPPROTO_IPV6, IPV6_TCLASS, 256), EINVAL);
	assert_int_equal(set(IPPROTO_IPV6, IPV6_V6ONLY, 1), 0);
	assert_int_equal(sock_bind(sk, &e), 0);
	assert_int_equal(set(IPPROTO_IPV6, IPV6_V6ONLY, 0), EINVAL);
}

static void test_info_of_a_connection(void **state)
{
	struct sock *l = two_listen(80, 1), *c = two_connect(80);
	struct tcp_info ti;
	struct mptcp_info mi;
	uint32_t len;
	int mtu = 0;

	(void)state;
	two_run(100 * NANOS_MS);
	two_write(c, 3000);
	two_run(100 * NANOS_MS);
	len = sizeof(ti);
	assert_int_equal(sock_getopt(c, two.now, IPPROTO_TCP, TCP_INFO, &ti,
				     &len),
			 0);
	assert_int_equal(ti.tcpi_state, LX_TCP_ESTABLISHED);
	assert_true(ti.tcpi_snd_mss > 1300 && ti.tcpi_snd_mss < 1460);
	assert_int_equal(ti.tcpi_pmtu, 1500);
	assert_int_equal(ti.tcpi_unacked, 0);
	len = sizeof(mi);
	assert_int_equal(sock_getopt(c, two.now, 284, MPTCP_INFO, &mi, &len),
			 0);
	/* beside the first: the server announced its IPv6 address */
	assert_int_equal(mi.mptcpi_subflows, 1);
	assert_int_equal(mi.mptcpi_write_seq, mi.mptcpi_snd_una);
	assert_true(mi.mptcpi_token != 0);
	len = sizeof(ti);
	assert_int_equal(sock_getopt(l, two.now, IPPROTO_TCP, TCP_INFO, &ti,
				     &len),
			 0);
	assert_int_equal(ti.tcpi_state, LX_TCP_LISTEN);
	assert_int_equal(ti.tcpi_unacked, 1); /* waits to be accepted */
	assert_int_equal(ti.tcpi_sacked, 1);
	len = sizeof(mtu);
	assert_int_equal(sock_getopt(c, two.now, IPPROTO_IP, IP_MTU, &mtu,
				     &len),
			 0);
	assert_int_equal(mtu, 1500);
	assert_int_equal(sock_getopt(l, two.now, 284, MPTCP_INFO, &mi, &len),
			 EOPNOTSUPP);
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

/* sockets with the same options have them together, and each its own changes:
 * a listener's, those of what it accepts, an unconnected one's */
static void test_a_change_is_ones_own(void **state)
{
	struct sock *l = two_listen(80, 8), *v[4], *c[4];
	struct sock *other = sock_open(two.end[1].stack, 4);

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		c[i] = two_connect(80);
	}
	two_run(50 * NANOS_MS);
	for (unsigned i = 0; i < 4; i++) {
		v[i] = sock_accept(l, two.now);
		assert_non_null(v[i]);
		assert_ptr_equal(v[i]->conf, l->conf);
		assert_ptr_equal(v[i]->conn->conf, v[0]->conn->conf);
	}
	assert_ptr_equal(other->conf, l->conf);
	sock_close(sk, two.now, true);
	sk = v[1];
	assert_int_equal(set(IPPROTO_TCP, TCP_NODELAY, 1), 0);
	assert_int_equal(set(IPPROTO_TCP, TCP_CORK, 1), 0);
	for (unsigned i = 0; i < 6; i++) {
		sk = i < 4 ? v[i] : i < 5 ? l : other;
		assert_int_equal(get(IPPROTO_TCP, TCP_NODELAY), i == 1);
		assert_int_equal(get(IPPROTO_TCP, TCP_CORK), i == 1);
		assert_int_equal(i < 4 && v[i]->conn->conf->nodelay, i == 1);
	}
	/* and when it is as the others again, it has theirs */
	sk = v[1];
	assert_int_equal(set(IPPROTO_TCP, TCP_NODELAY, 0), 0);
	assert_int_equal(set(IPPROTO_TCP, TCP_CORK, 0), 0);
	assert_ptr_equal(v[1]->conf, v[0]->conf);
	assert_ptr_equal(v[1]->conn->conf, v[0]->conn->conf);
	for (unsigned i = 0; i < 4; i++) {
		sock_close(v[i], two.now, true);
		sock_close(c[i], two.now, true);
	}
	sock_close(l, two.now, true);
	sk = other;
	sock_close(sk, two.now, true);
	two_run(NANOS_S);
}

/* an option that finds no memory fails; the connection keeps what it had */
static void test_no_memory_for_a_change(void **state)
{
	struct sock *l = two_listen(80, 8), *c = two_connect(80), *v;
	bool failed;

	(void)state;
	sock_close(sk, two.now, true);
	two_run(50 * NANOS_MS);
	v = sk = sock_accept(l, two.now);
	for (unsigned k = 1;; k++) {
		two.end[1].fake.fail_at = k;
		failed = set(IPPROTO_TCP, TCP_NODELAY, 1) != 0;
		if (!failed) {
			assert_true(k > 1 && two.end[1].fake.fail_at > 0);
			break;
		}
		two.end[1].fake.fail_at = 0;
		assert_false(v->conn->conf->nodelay);
		sk = l;
		assert_int_equal(get(IPPROTO_TCP, TCP_NODELAY), 0);
		sk = v;
	}
	two.end[1].fake.fail_at = 0;
	assert_true(v->conn->conf->nodelay);
	sock_close(v, two.now, true);
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, two_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_numbers_are_linuxs),
		T(test_layout_is_linuxs),
		T(test_unknown_is_never_a_success),
		T(test_socket_level),
		T(test_tcp_level_ranges),
		T(test_tcp_level_defaults),
		T(test_congestion_name),
		T(test_ip_level),
		T(test_ipv6_level),
		T(test_info_of_a_connection),
		T(test_a_change_is_ones_own),
		T(test_no_memory_for_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
