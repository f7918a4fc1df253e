/* Every option number of every level, with values at and beside each bound,
 * against the kernel's own answers.  What differs is listed here with its
 * reason, and nothing else may. */
#include "tests/unit/sock/native.h"

#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

static const int values[] = {
	1,   0,	  2,   3,    4,	    5,	   6,	   -1,	    -2,
	100, 255, 256, 1000, 65535, 65536, 120000, 2000000, INT_MAX,
};

enum why {
	OURS,    /* taken here with a range of its own: tested elsewhere */
	REFUSED, /* the kernel takes it; here it could not be honoured */
	RIGHTS,  /* depends on the rights of who asks */
	OTHER,   /* the kernel's build or settings decide */
};

struct difference {
	int level, name;
	enum why why;
};

static const struct difference known[] = {
	/* sizes have other limits and defaults than the kernel's settings */
	{ SOL_SOCKET, LX_SO_SNDBUF, OURS },
	{ SOL_SOCKET, LX_SO_RCVBUF, OURS },
	{ SOL_SOCKET, LX_SO_RCVLOWAT, OURS },
	{ SOL_SOCKET, LX_SO_SNDBUFFORCE, RIGHTS },
	{ SOL_SOCKET, LX_SO_RCVBUFFORCE, RIGHTS },
	{ SOL_SOCKET, LX_SO_DEBUG, RIGHTS },
	{ SOL_SOCKET, LX_SO_PRIORITY, RIGHTS },
	{ SOL_SOCKET, LX_SO_PREFER_BUSY_POLL, RIGHTS },
	{ SOL_SOCKET, LX_SO_BUSY_POLL_BUDGET, RIGHTS },
	{ SOL_SOCKET, LX_SO_MARK, RIGHTS },
	{ SOL_SOCKET, LX_SO_TIMESTAMP, REFUSED },
	{ SOL_SOCKET, LX_SO_TIMESTAMPNS, REFUSED },
	{ SOL_SOCKET, LX_SO_TIMESTAMPING, REFUSED },
	{ SOL_SOCKET, LX_SO_TIMESTAMP_NEW, REFUSED },
	{ SOL_SOCKET, LX_SO_TIMESTAMPNS_NEW, REFUSED },
	{ SOL_SOCKET, LX_SO_TIMESTAMPING_NEW, REFUSED },
	{ SOL_SOCKET, LX_SO_ZEROCOPY, REFUSED },
	{ SOL_SOCKET, LX_SO_BINDTOIFINDEX, REFUSED },
	/* of the AF_UNIX socket itself under the shim */
	{ SOL_SOCKET, 20, OTHER }, /* SO_RCVTIMEO */
	{ SOL_SOCKET, 21, OTHER },
	{ SOL_SOCKET, 66, OTHER },
	{ SOL_SOCKET, 67, OTHER },
	{ SOL_SOCKET, 48, OTHER }, /* SO_BPF_EXTENSIONS */
	{ SOL_SOCKET, 55, OTHER }, /* SO_MEMINFO */
	{ SOL_SOCKET, 57, OTHER }, /* SO_COOKIE */
	{ SOL_SOCKET, 71, OTHER }, /* SO_NETNS_COOKIE */
	{ SOL_SOCKET, LX_SO_RESERVE_MEM, OTHER }, /* cgroups */
	/* of credentials, which a TCP socket has none of: answered there */
	{ SOL_SOCKET, 16, OTHER },
	{ SOL_SOCKET, 17, OTHER },
	{ SOL_SOCKET, 31, OTHER },
	{ SOL_SOCKET, 34, OTHER },
	{ SOL_SOCKET, 59, OTHER },
	{ SOL_SOCKET, 76, OTHER },
	{ SOL_SOCKET, 77, OTHER },
	{ SOL_SOCKET, 83, OTHER },
	{ SOL_SOCKET, 26, OTHER }, /* filters: refused by the shim */
	{ SOL_SOCKET, 27, OTHER },
	{ SOL_SOCKET, 28, OTHER },
	{ SOL_SOCKET, 50, OTHER },
	{ SOL_SOCKET, 51, OTHER },
	{ SOL_SOCKET, 52, OTHER },
	{ SOL_SOCKET, 58, OTHER },
	{ SOL_SOCKET, 61, OTHER },
	{ SOL_SOCKET, 78, OTHER },
	{ SOL_SOCKET, 79, OTHER },
	{ SOL_SOCKET, 80, OTHER },
	{ IPPROTO_TCP, LX_TCP_INFO, OURS },
	{ IPPROTO_TCP, LX_TCP_CONGESTION, OURS },
	{ IPPROTO_TCP, LX_TCP_TIMESTAMP, OTHER },
	{ IPPROTO_TCP, LX_TCP_TX_DELAY, REFUSED },
	{ IPPROTO_TCP, LX_TCP_RTO_MAX_MS, OURS }, /* the kernel's ticks */
	{ IPPROTO_TCP, LX_TCP_RTO_MIN_US, OURS },
	{ IPPROTO_TCP, LX_TCP_DELACK_MAX_US, OURS },
	{ IPPROTO_TCP, LX_TCP_FASTOPEN, OTHER }, /* the kernel's settings */
	{ IPPROTO_TCP, LX_TCP_FASTOPEN_CONNECT, OTHER },
	{ IPPROTO_TCP, LX_TCP_REPAIR, RIGHTS },
	{ IPPROTO_TCP, 20, RIGHTS },
	{ IPPROTO_TCP, 21, RIGHTS },
	{ IPPROTO_TCP, 22, RIGHTS },
	{ IPPROTO_TCP, 29, RIGHTS },
	{ IPPROTO_TCP, LX_TCP_MD5SIG, REFUSED },
	{ IPPROTO_TCP, LX_TCP_MD5SIG_EXT, REFUSED },
	{ IPPROTO_TCP, 38, OTHER }, /* the authentication option */
	{ IPPROTO_TCP, 39, OTHER },
	{ IPPROTO_TCP, 40, OTHER },
	{ IPPROTO_TCP, 41, OTHER },
	{ IPPROTO_TCP, 42, OTHER },
	{ IPPROTO_IP, LX_IP_OPTIONS, REFUSED },
	{ IPPROTO_IP, LX_IP_RECVERR, REFUSED },
	{ IPPROTO_IP, LX_IP_TRANSPARENT, RIGHTS },
	{ IPPROTO_IPV6, LX_IPV6_RECVERR, REFUSED },
	{ IPPROTO_IPV6, LX_IPV6_TRANSPARENT, RIGHTS },
	{ IPPROTO_IPV6, LX_IPV6_V6ONLY, OTHER }, /* net.ipv6.bindv6only */
};

static const struct difference *differs(int level, int name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].level == level && known[i].name == name) {
			return &known[i];
		}
	}
	return NULL;
}

/* newer than this kernel */
static bool is_new(int level, int name)
{
	socklen_t len = sizeof(int);
	int v = 0;

	return native_set(level, name, &v, sizeof(v)) == ENOPROTOOPT &&
	       getsockopt(theirs, level, name, &v, &len) < 0 &&
	       errno == ENOPROTOOPT;
}

/* an option that this kernel does not know needs not be known here: any answer
 * is right that is no success */
static bool same_unknown(int theirs_err, int ours_err)
{
	return (theirs_err == ENOPROTOOPT || theirs_err == EOPNOTSUPP ||
		theirs_err == EINVAL) &&
	       ours_err == ENOPROTOOPT;
}

static void compare_value(int level, int name, int v)
{
	int ea = native_set(level, name, &v, sizeof(v));
	int eb = ours_set_int(level, name, v);

	if (ea != eb && !same_unknown(ea, eb)) {
		fail_msg("set %d/%d to %d: kernel %d, ours %d", level, name, v,
			 ea, eb);
	}
	if (ea == 0) {
		native_same_get(level, name, sizeof(v));
	}
}

static void compare_level(int level, int most, uint8_t family)
{
	for (int name = 0; name <= most; name++) {
		native_open(family);
		if (differs(level, name) || is_new(level, name)) {
			continue;
		}
		for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
			native_open(family);
			compare_value(level, name, values[i]);
		}
	}
}

static void test_socket_level(void **state)
{
	(void)state;
	compare_level(SOL_SOCKET, 84, 4);
}

static void test_tcp_level(void **state)
{
	(void)state;
	compare_level(IPPROTO_TCP, 47, 4);
}

static void test_ip_level(void **state)
{
	(void)state;
	compare_level(IPPROTO_IP, 52, 4);
	compare_level(IPPROTO_IP, 52, 6);
}

static void test_ipv6_level(void **state)
{
	(void)state;
	compare_level(IPPROTO_IPV6, 63, 6);
	compare_level(IPPROTO_IPV6, 79, 6);
}

/* ... and what is refused is refused by name, with "off" taken */
static void test_refused_is_off(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		const struct difference *d = &known[i];
		uint8_t family = d->level == IPPROTO_IPV6 ? 6 : 4;
		uint32_t len = sizeof(int);
		int off = 0;

		if (d->why != REFUSED ||
		    (d->level == IPPROTO_IP && d->name == LX_IP_OPTIONS) ||
		    d->name == LX_TCP_MD5SIG || d->name == LX_TCP_MD5SIG_EXT) {
			continue;
		}
		native_open(family);
		assert_int_equal(sock_getopt(ours, two.now, d->level, d->name,
					     &off, &len),
				 0);
		assert_int_equal(ours_set_int(d->level, d->name, off), 0);
		assert_int_not_equal(ours_set_int(d->level, d->name, 1), 0);
		assert_int_equal(ours_get_int(d->level, d->name), off);
	}
}

static void test_accepted_have_a_copy(void **state)
{
	struct sock *l, *c;

	(void)state;
	l = two_listen(80, 1);
	ours = l;
	ours_set_int(IPPROTO_IP, LX_IP_RECVTOS, 1);
	ours_set_int(SOL_SOCKET, LX_SO_PRIORITY, 5);
	ours_set_int(IPPROTO_IP, LX_IP_MULTICAST_ALL, 0);
	ours_set_int(IPPROTO_TCP, LX_TCP_FASTOPEN, 5);
	ours_set_int(IPPROTO_TCP, LX_TCP_INQ, 1);
	ours_set_int(IPPROTO_TCP, LX_TCP_NOTSENT_LOWAT, 9999);
	c = two_connect(80);
	two_run(50 * NANOS_MS);
	two_write(c, 1);
	two_run(50 * NANOS_MS);
	ours = sock_accept(l, two.now);
	assert_non_null(ours);
	assert_int_equal(ours_get_int(IPPROTO_IP, LX_IP_RECVTOS), 1);
	assert_int_equal(ours_get_int(SOL_SOCKET, LX_SO_PRIORITY), 0);
	assert_int_equal(ours_get_int(IPPROTO_IP, LX_IP_MULTICAST_ALL), 0);
	assert_int_equal(ours_get_int(IPPROTO_TCP, LX_TCP_FASTOPEN), 0);
	assert_int_equal(ours_get_int(IPPROTO_TCP, LX_TCP_NOTSENT_LOWAT), 9999);
	assert_int_equal(ours_get_int(IPPROTO_TCP, LX_TCP_INQ), 1);
	ours_set_int(IPPROTO_IP, LX_IP_RECVTOS, 0);
	sock_close(ours, two.now, true);
	ours = l;
	assert_int_equal(ours_get_int(IPPROTO_IP, LX_IP_RECVTOS), 1);
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

/* no memory is an error, not a success that forgets */
static void test_no_memory(void **state)
{
	struct mem *m = two.end[0].stack->env.mem;
	uint64_t limit = m->limit;

	(void)state;
	m->limit = m->used;
	assert_int_equal(ours_set_int(SOL_SOCKET, LX_SO_PRIORITY, 5), ENOBUFS);
	assert_int_equal(ours_get_int(SOL_SOCKET, LX_SO_PRIORITY), 0);
	m->limit = limit;
	assert_int_equal(ours_set_int(SOL_SOCKET, LX_SO_PRIORITY, 5), 0);
	assert_int_equal(ours_get_int(SOL_SOCKET, LX_SO_PRIORITY), 5);
}

static void test_fastopen_key(void **state)
{
	uint8_t key[32], got[32];
	uint32_t len = sizeof(got);

	(void)state;
	memset(key, 7, sizeof(key));
	assert_int_equal(ours_set(IPPROTO_TCP, LX_TCP_FASTOPEN_KEY, key, 15),
			 EINVAL);
	assert_int_equal(sock_getopt(ours, two.now, IPPROTO_TCP,
				     LX_TCP_FASTOPEN_KEY, got, &len),
			 0);
	assert_int_equal(len, 0);
	assert_int_equal(ours_set(IPPROTO_TCP, LX_TCP_FASTOPEN_KEY, key, 32), 0);
	len = sizeof(got);
	assert_int_equal(sock_getopt(ours, two.now, IPPROTO_TCP,
				     LX_TCP_FASTOPEN_KEY, got, &len),
			 0);
	assert_int_equal(len, 32);
	assert_memory_equal(key, got, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NATIVE_TEST(test_socket_level),
		NATIVE_TEST(test_tcp_level),
		NATIVE_TEST(test_ip_level),
		NATIVE_TEST(test_ipv6_level),
		NATIVE_TEST(test_refused_is_off),
		NATIVE_TEST(test_accepted_have_a_copy),
		NATIVE_TEST(test_no_memory),
		NATIVE_TEST(test_fastopen_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
