/* MPTCP_INFO: against the kernel header's layout and what really happened */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include <linux/mptcp.h>
#include <netinet/in.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

static struct sock *l, *c, *a;

static int info(struct sock *sk, struct lx_mptcp_info *o)
{
	uint32_t len = sizeof(*o);
	int err;

	memset(o, 0xee, sizeof(*o));
	err = sock_getopt(sk, two.now, LX_SOL_MPTCP, LX_MPTCP_INFO, o, &len);
	if (!err) {
		assert_int_equal(len, sizeof(*o));
	}
	return err;
}

static void join(void)
{
	l = two_listen(80, 5);
	c = two_connect(80);
	two_run(50 * NANOS_MS);
	two_write(c, 10);
	two_run(500 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
}

static void part(void)
{
	sock_close(c, two.now, true);
	sock_close(a, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

#define SAME(f, g)                                                \
	assert_int_equal(offsetof(struct mptcp_info, mptcpi_##f), \
			 offsetof(struct lx_mptcp_info, g))

static void test_layout(void **state)
{
	(void)state;
	SAME(subflows, subflows);
	SAME(subflows_max, subflows_max);
	SAME(flags, flags);
	SAME(token, token);
	SAME(write_seq, write_seq);
	SAME(snd_una, snd_una);
	SAME(rcv_nxt, rcv_nxt);
	SAME(csum_enabled, csum_enabled);
	assert_int_equal(LX_MPTCP_FLAG_FALLBACK, MPTCP_INFO_FLAG_FALLBACK);
	assert_int_equal(LX_MPTCP_FLAG_REMOTE_KEY,
			 MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED);
	assert_int_equal(LX_MPTCP_INFO, MPTCP_INFO);
}

static void test_only_on_multipath(void **state)
{
	struct sock *sk = sock_open(two.end[0].stack, 4);
	struct lx_mptcp_info o;
	int v = 1;

	(void)state;
	assert_int_equal(info(sk, &o), EOPNOTSUPP);
	assert_int_equal(sock_setopt(sk, two.now, LX_SOL_MPTCP, LX_MPTCP_INFO,
				     &v, sizeof(v)),
			 ENOPROTOOPT);
	c = two_connect(80);
	assert_int_equal(info(c, &o), EOPNOTSUPP); /* not known yet */
	sock_close(c, two.now, true);
	two.end[0].stack->mp->cfg.policy = MP_OFF;
	join();
	assert_int_equal(info(c, &o), EOPNOTSUPP);
	assert_int_equal(info(a, &o), EOPNOTSUPP);
	assert_int_equal(info(l, &o), EOPNOTSUPP);
	part();
}

static void test_values(void **state)
{
	struct lx_mptcp_info x, y;
	uint64_t was;

	(void)state;
	join();
	assert_int_equal(info(c, &x), 0);
	assert_int_equal(info(a, &y), 0);
	assert_true(x.token != 0 && y.token != 0 && x.token != y.token);
	assert_int_equal(x.flags, LX_MPTCP_FLAG_REMOTE_KEY);
	assert_int_equal(x.subflows, y.subflows);
	assert_int_equal(x.subflows_total, x.subflows + 1);
	assert_int_equal(x.subflows_max, 8);
	assert_int_equal(x.csum_enabled, 0);
	assert_int_equal(x.write_seq, y.rcv_nxt);
	assert_int_equal(x.rcv_nxt, y.write_seq);
	assert_int_equal(x.write_seq, x.snd_una);
	assert_int_equal(x.bytes_sent, 10);
	assert_int_equal(x.bytes_acked, 10);
	assert_int_equal(y.bytes_received, 10);
	assert_int_equal(x.retransmits, 0);
	was = x.write_seq;
	two.cut = true;
	two_write(c, 700);
	two_run(3 * NANOS_S);
	assert_int_equal(info(c, &x), 0);
	assert_int_equal(x.write_seq - was, 700);
	assert_int_equal(x.snd_una, was);
	assert_int_equal(x.bytes_acked, 10);
	assert_true(x.retransmits > 0);
	assert_true(x.bytes_retrans >= 700);
	two.cut = false;
	two_run(5 * NANOS_S);
	assert_int_equal(info(c, &x), 0);
	assert_int_equal(x.snd_una - was, 700);
	assert_int_equal(x.bytes_acked, 710);
	part();
}

static void test_short_reads_and_names(void **state)
{
	uint8_t b[200];
	struct lx_mptcp_info o;

	(void)state;
	join();
	assert_int_equal(info(c, &o), 0);
	for (uint32_t room = 0; room <= sizeof(b); room += 20) {
		uint32_t len = room;

		memset(b, 0xaa, sizeof(b));
		assert_int_equal(sock_getopt(c, two.now, LX_SOL_MPTCP,
					     LX_MPTCP_INFO, b, &len),
				 0);
		assert_int_equal(len, room < sizeof(o) ? room : sizeof(o));
		assert_memory_equal(b, &o, len);
		if (len < sizeof(b)) {
			assert_int_equal(b[len], 0xaa);
		}
	}
	for (int name = 0; name < 8; name++) {
		uint32_t len = sizeof(b);

		if (name != LX_MPTCP_INFO) {
			assert_int_equal(sock_getopt(c, two.now, LX_SOL_MPTCP,
						     name, b, &len),
					 EOPNOTSUPP);
		}
	}
	part();
}

/* --- encryption ------------------------------------------------------------- */

static int crypt_setup(void **state)
{
	two_crypt = MP_CRYPT_PREFER;
	return two_setup(state);
}

static int crypt_teardown(void **state)
{
	two_crypt = MP_CRYPT_OFF;
	return two_teardown(state);
}

static int get(struct sock *sk, int name, void *val, uint32_t *len)
{
	return sock_getopt(sk, two.now, LX_SOL_MPTCP, name, val, len);
}

static int set(struct sock *sk, int name, int v)
{
	return sock_setopt(sk, two.now, LX_SOL_MPTCP, name, &v, sizeof(v));
}

static int get_int(struct sock *sk, int name)
{
	uint32_t len = sizeof(int);
	int v = -1;

	assert_int_equal(get(sk, name, &v, &len), 0);
	assert_int_equal(len, sizeof(v));
	return v;
}

static int session(struct sock *sk, uint8_t id[CRYPT_SESSION_ID])
{
	uint32_t len = CRYPT_SESSION_ID;
	int err = get(sk, LX_MPTCP_SESSION_ID, id, &len);

	assert_true(err || len == CRYPT_SESSION_ID);
	return err;
}

static int crypt_info_of(struct sock *sk, struct lx_mptcp_crypt_info *o)
{
	uint32_t len = sizeof(*o);

	return get(sk, LX_MPTCP_CRYPT_INFO, o, &len);
}

static void test_private_range(void **state)
{
	(void)state;
	assert_true(sock_opt_private(LX_SOL_MPTCP, LX_MPTCP_SESSION_ID));
	assert_true(sock_opt_private(LX_SOL_MPTCP, 0x4d50ffff));
	assert_false(sock_opt_private(LX_SOL_MPTCP, LX_MPTCP_INFO));
	assert_false(sock_opt_private(LX_SOL_MPTCP, 0x4d510000));
	assert_false(sock_opt_private(LX_SOL_MPTCP, -1));
	assert_false(sock_opt_private(LX_SOL_SOCKET, LX_MPTCP_SESSION_ID));
}

/* the same at both ends, and at no other connection */
static void test_session(void **state)
{
	uint8_t x[CRYPT_SESSION_ID], y[CRYPT_SESSION_ID], was[sizeof(x)];
	struct lx_mptcp_crypt_info i, k;

	(void)state;
	join();
	assert_int_equal(session(c, x), 0);
	assert_int_equal(session(a, y), 0);
	assert_memory_equal(x, y, sizeof(x));
	assert_int_equal(crypt_info_of(c, &i), 0);
	assert_int_equal(crypt_info_of(a, &k), 0);
	assert_int_equal(i.mode, LX_CRYPT_SMTCP);
	assert_int_equal(i.role, 'A');
	assert_int_equal(k.role, 'B');
	assert_int_equal(i.kx, 0x23);
	assert_int_equal(i.cipher, 1);
	assert_int_equal(i.flags, 0);
	assert_int_equal(i.tx_bytes, 10);
	assert_int_equal(k.rx_bytes, 10);
	assert_true(k.rx_frames > 0 && i.tx_frames >= k.rx_frames);
	part();
	memcpy(was, x, sizeof(was));
	join();
	assert_int_equal(session(c, x), 0);
	assert_memory_not_equal(x, was, sizeof(x));
	assert_int_equal(crypt_info_of(c, &i), 0);
	assert_int_equal(i.flags, LX_CRYPT_RESUMED);
	part();
}

/* never before there are keys, and never a false success */
static void test_no_keys(void **state)
{
	struct sock *sk = sock_open(two.end[0].stack, 4);
	static const int names[] = { LX_MPTCP_SESSION_ID, LX_MPTCP_CRYPT_INFO };
	uint8_t b[100];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t len = sizeof(b);

		assert_int_equal(get(sk, names[i], b, &len), ENOTCONN);
		assert_int_equal(set(sk, names[i], 1), ENOPROTOOPT);
	}
	assert_int_equal(set(sk, LX_MPTCP_CRYPT_REKEY, 1), ENOTCONN);
	assert_int_equal(set(sk, LX_MPTCP_CRYPT_FORGET, 1), ENOTCONN);
	sock_close(sk, two.now, true);
	c = two_connect(80); /* SYN sent, no answer */
	assert_int_equal(session(c, b), ENOTCONN);
	assert_int_equal(set(c, LX_MPTCP_CRYPT_REKEY, 1), ENOTCONN);
	sock_close(c, two.now, true);
}

static void test_clear(void **state)
{
	uint8_t b[100];

	(void)state;
	join();
	assert_int_equal(session(c, b), EOPNOTSUPP);
	assert_int_equal(session(a, b), EOPNOTSUPP);
	assert_int_equal(session(l, b), ENOTCONN);
	assert_int_equal(set(c, LX_MPTCP_CRYPT_REKEY, 1), EOPNOTSUPP);
	assert_int_equal(set(c, LX_MPTCP_CRYPT_FORGET, 1), EOPNOTSUPP);
	part();
}

static void test_rekey(void **state)
{
	struct lx_mptcp_crypt_info i, k;

	(void)state;
	join();
	assert_int_equal(set(c, LX_MPTCP_CRYPT_REKEY, 0), 0);
	assert_int_equal(set(c, LX_MPTCP_CRYPT_REKEY, 0), EALREADY);
	two_run(500 * NANOS_MS);
	assert_int_equal(crypt_info_of(c, &i), 0);
	assert_int_equal(crypt_info_of(a, &k), 0);
	assert_int_equal(i.tx_generation, 1);
	assert_int_equal(i.rx_generation, 1); /* a sign of life */
	assert_int_equal(k.rx_generation, 1);
	assert_int_equal(set(a, LX_MPTCP_CRYPT_REKEY, 0), 0);
	part();
}

/* no secret is left: the next connection begins with fresh keys */
static void next_is(bool resumed)
{
	struct lx_mptcp_crypt_info i;

	join();
	assert_int_equal(crypt_info_of(c, &i), 0);
	assert_int_equal(i.flags & LX_CRYPT_RESUMED,
			 resumed ? LX_CRYPT_RESUMED : 0);
}

static void test_forget(void **state)
{
	(void)state;
	next_is(false);
	assert_int_equal(set(c, LX_MPTCP_CRYPT_FORGET, 1), 0);
	part();
	next_is(false);
	part();
	next_is(true);
	part();
}

/* each as it was set; out of range and too late refused */
static void test_wishes(void **state)
{
	static const struct {
		int name, preset, most;
	} all[] = {
		{ LX_MPTCP_CRYPT_AWARE, 0, 2 },
		{ LX_MPTCP_CRYPT_RESUME, 1, 1 },
		{ LX_MPTCP_CRYPT_KEEP, 1, 1 },
		{ LX_MPTCP_CRYPT_PASSIVE, 0, 1 },
	};
	struct sock *sk = sock_open(two.end[0].stack, 4);
	char half[2] = { 0 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(get_int(sk, all[i].name), all[i].preset);
		for (int v = all[i].most; v >= 0; v--) {
			assert_int_equal(set(sk, all[i].name, v), 0);
			assert_int_equal(get_int(sk, all[i].name), v);
		}
		assert_int_equal(set(sk, all[i].name, all[i].most + 1), EINVAL);
		assert_int_equal(set(sk, all[i].name, -1), EINVAL);
		assert_int_equal(sock_setopt(sk, two.now, LX_SOL_MPTCP,
					     all[i].name, half, sizeof(half)),
				 EINVAL);
	}
	assert_int_equal(set(sk, 0x4d500009, 1), ENOPROTOOPT);
	assert_int_equal(set(sk, 0x4d500000, 1), ENOPROTOOPT);
	sock_close(sk, two.now, true);
	join();
	for (unsigned i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(set(c, all[i].name, 0), EINVAL);
		assert_int_equal(set(l, all[i].name, 0), EINVAL);
		assert_int_equal(get_int(c, all[i].name), all[i].preset);
	}
	part();
}

/* a client with these wishes, and one without */
static struct lx_mptcp_crypt_info with(int name, int v)
{
	struct endpoint e = endpoint_make(two.end[1].addr, 80);
	struct lx_mptcp_crypt_info i;

	l = two_listen(80, 5);
	c = sock_open(two.end[0].stack, 4);
	assert_int_equal(set(c, name, v), 0);
	assert_int_equal(sock_connect(c, two.now, &e), EINPROGRESS);
	two_run(50 * NANOS_MS);
	two_write(c, 10);
	two_run(500 * NANOS_MS);
	a = sock_accept(l, two.now);
	assert_non_null(a);
	if (crypt_info_of(c, &i) != 0) {
		i.mode = 0;
	}
	return i;
}

static void test_wishes_granted(void **state)
{
	struct lx_mptcp_crypt_info i, k;

	(void)state;
	/* leaves a secret behind, which is then not used */
	next_is(false);
	part();
	i = with(LX_MPTCP_CRYPT_RESUME, 0);
	assert_int_equal(i.flags, 0);
	part();
	/* used, and none left */
	i = with(LX_MPTCP_CRYPT_KEEP, 0);
	assert_int_equal(i.flags, LX_CRYPT_RESUMED);
	part();
	next_is(true); /* of the one before */
	part();
	i = with(LX_MPTCP_CRYPT_AWARE, LX_AWARE_ON);
	assert_int_equal(i.flags & LX_CRYPT_PEER_AWARE, 0);
	assert_int_equal(crypt_info_of(a, &k), 0);
	assert_int_equal(k.flags & LX_CRYPT_PEER_AWARE, LX_CRYPT_PEER_AWARE);
	part();
	/* the server's program does not know: no encryption at all */
	i = with(LX_MPTCP_CRYPT_AWARE, LX_AWARE_ONLY);
	assert_int_equal(i.mode, 0);
	assert_int_equal(session(a, (uint8_t[CRYPT_SESSION_ID]){ 0 }),
			 EOPNOTSUPP);
	part();
}

#define CRYPT_TEST(f) \
	cmocka_unit_test_setup_teardown(f, crypt_setup, crypt_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_TEST(test_private_range),
		TWO_TEST(test_clear),
		CRYPT_TEST(test_no_keys),
		CRYPT_TEST(test_session),
		CRYPT_TEST(test_rekey),
		CRYPT_TEST(test_forget),
		CRYPT_TEST(test_wishes),
		CRYPT_TEST(test_wishes_granted),
		TWO_TEST(test_layout),
		TWO_TEST(test_only_on_multipath),
		TWO_TEST(test_values),
		TWO_TEST(test_short_reads_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
