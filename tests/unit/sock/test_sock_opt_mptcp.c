/* MPTCP_INFO: against the kernel header's layout and what really happened */
#include "tests/unit/sock/two.h"

#include <errno.h>

#include <linux/mptcp.h>
#include <netinet/in.h>

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

#define SAME(f, g)                                                             \
	assert_int_equal(offsetof(struct mptcp_info, mptcpi_##f),              \
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TWO_TEST(test_layout),
		TWO_TEST(test_only_on_multipath),
		TWO_TEST(test_values),
		TWO_TEST(test_short_reads_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
