/* making and freeing, memory refused on the way, paths, deadline and tick */
#include "tests/unit/sock/two.h"

#include "stack/mptcp/mp.h"
#include "stack/sock/sock_state.h"

static const struct stack_cfg cfg = { .mp = { .policy = MP_PREFER,
					      .subflows_max = 8,
					      .scheduler = "minrtt" } };

static void test_free_of_nothing(void **state)
{
	(void)state;
	stack_free(NULL);
}

static unsigned allocations(const struct stack_cfg *c)
{
	struct instant now = { NANOS_S };
	unsigned k;

	for (k = 1; k < 100; k++) {
		struct fake f;
		struct stack *s;

		fake_init(&f, k);
		f.fail_at = k;
		s = stack_new(&f.env, c, now);
		if (f.fail_at) { /* fewer than k are needed */
			assert_non_null(s);
			stack_free(s);
			fake_fini(&f);
			break;
		}
		assert_null(s);
		fake_fini(&f);
	}
	return k;
}

static void test_memory_refused_in_turn(void **state)
{
	struct stack_cfg sealed = cfg;
	unsigned k = allocations(&cfg);

	(void)state;
	assert_true(k > 4 && k < 100);
	sealed.mp.crypt_policy = MP_CRYPT_PREFER;
	assert_true(allocations(&sealed) > k);
	assert_true(allocations(&sealed) < 100);
}

/* what the policy alone brings: suites and a key pair made in idle time */
static void test_encryption(void **state)
{
	struct instant now = { NANOS_S };
	struct stack_cfg own = cfg;
	struct fake f;
	struct stack *s;

	(void)state;
	fake_init(&f, 1);
	s = stack_new(&f.env, &own, now);
	assert_null(s->crypt);
	assert_false(stack_idle(s));
	stack_free(s);
	own.mp.crypt_policy = MP_CRYPT_PREFER;
	s = stack_new(&f.env, &own, now);
	assert_non_null(s->crypt);
	assert_ptr_equal(s->mp->cfg.crypt, s->crypt);
	assert_int_equal(s->mp->cfg.crypt_conf.kx[0], ENO_TEP_X25519);
	assert_int_equal(s->mp->cfg.crypt_conf.n_aead, 3);
	assert_true(stack_idle(s));
	stack_free(s);
	/* what was asked for stays */
	crypt_conf_init(&own.mp.crypt_conf);
	own.mp.crypt_conf.kx[0] = ENO_TEP_P256;
	own.mp.crypt_conf.n_aead = 1;
	s = stack_new(&f.env, &own, now);
	assert_int_equal(s->mp->cfg.crypt_conf.kx[0], ENO_TEP_P256);
	assert_int_equal(s->mp->cfg.crypt_conf.n_aead, 1);
	stack_free(s);
	fake_fini(&f);
}

static void test_bad_configurations(void **state)
{
	struct instant now = { NANOS_S };
	struct stack_cfg bad;
	struct fake f;

	(void)state;
	fake_init(&f, 1);
	bad = cfg;
	bad.congestion = "vegas";
	assert_null(stack_new(&f.env, &bad, now));
	bad = cfg;
	bad.mp.scheduler = "nosuch";
	assert_null(stack_new(&f.env, &bad, now));
	fake_fini(&f);
}

static void test_defaults_and_given(void **state)
{
	struct instant now = { NANOS_S };
	struct stack_cfg own = cfg;
	struct fake f;
	struct stack *s;
	struct sock *sk;

	(void)state;
	fake_init(&f, 1);
	s = stack_new(&f.env, &cfg, now);
	sk = sock_open(s, 4);
	assert_int_equal(s->cfg.socks_max, SOCK_MAX_DEFAULT);
	assert_int_equal(sk->conf->sndbuf, 4 << 20);
	assert_int_equal(sk->conf->rcvbuf, 6 << 20);
	assert_string_equal(sk->conf->tcp.cc->name, "cubic");
	stack_free(s);
	own.sndbuf = 100000;
	own.rcvbuf = 200000;
	own.socks_max = 1;
	own.congestion = "reno";
	s = stack_new(&f.env, &own, now);
	sk = sock_open(s, 6);
	assert_int_equal(sk->conf->sndbuf, 100000);
	assert_int_equal(sk->conf->rcvbuf, 200000);
	assert_string_equal(sk->conf->tcp.cc->name, "reno");
	assert_null(sock_open(s, 6));
	stack_free(s);
	fake_fini(&f);
}

/* freed in the middle of everything: silent, and nothing is left */
static void test_free_in_the_middle(void **state)
{
	struct sock *l, *c[5];
	struct sock *l2;
	int v = 30;

	(void)state;
	l = two_listen(80, 5);
	l2 = two_listen(81, 5);
	assert_int_equal(sock_setopt(l2, two.now, 6, 9, &v, sizeof(v)), 0);
	for (unsigned i = 0; i < 5; i++) {
		c[i] = two_connect(i == 3 ? 81 : 80);
		if (i < 4) {
			two_run(5 * NANOS_MS);
		}
	}
	two_write(c[0], 50000);
	two_write(c[1], 1);
	two_run(NANOS_MS);
	sock_close(c[1], two.now, false);
	two_write(c[2], 1000);
	while (two_move(0)) {
	}
	sock_event(l, SOCK_EV_ACCEPT);
	/* two_teardown() frees both and counts */
}

static void test_paths(void **state)
{
	struct stack *s = two.end[0].stack;
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 1 };

	(void)state;
	p.addr[0] = addr_v4(10, 5, 0, 1);
	p.bits[0] = 24;
	assert_int_equal(stack_path_add(s, two.now, &p), 1);
	assert_true(ip_path(s->ip, 1)->up);
	stack_path_set_up(s, two.now, 1, false);
	assert_false(ip_path(s->ip, 1)->up);
	stack_path_set_up(s, two.now, 1, false);
	assert_true(ip_path(s->ip, 0)->up);
	stack_path_set_up(s, two.now, 1, true);
	assert_true(ip_path(s->ip, 1)->up);
	stack_path_set_backup(s, two.now, 1, true);
	assert_true(ip_path(s->ip, 1)->backup);
	assert_false(ip_path(s->ip, 0)->backup);
	stack_path_set_backup(s, two.now, 1, false);
	assert_false(ip_path(s->ip, 1)->backup);
	/* none of that name: nothing happens */
	stack_path_set_up(s, two.now, 2, true);
	stack_path_set_up(s, two.now, 99, false);
	stack_path_set_backup(s, two.now, UINT32_MAX, true);
	p.mtu = 0;
	p.addr[0] = addr_v4(10, 6, 0, 1);
	assert_int_equal(stack_path_add(s, two.now, &p), -1);
	p.mtu = 1500;
	p.n_addr = 0;
	assert_int_equal(stack_path_add(s, two.now, &p), -1);
	p.n_addr = 1;
	for (unsigned i = 2; i < IP_PATHS_MAX; i++) {
		p.addr[0] = addr_v4(10, 6, (uint8_t)i, 1);
		assert_int_equal(stack_path_add(s, two.now, &p), (int)i);
	}
	p.addr[0] = addr_v4(10, 7, 0, 1);
	assert_int_equal(stack_path_add(s, two.now, &p), -1);
}

/* a path that goes down takes its subflow along, one that comes brings one */
static void test_path_change_reaches_connections(void **state)
{
	struct sock *l = two_listen(80, 5), *c = two_connect(80);
	struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 1 };
	static struct mp_info m;
	unsigned before, joined = 0;

	(void)state;
	two_run(50 * NANOS_MS);
	two_write(c, 100);
	two_run(500 * NANOS_MS);
	assert_true(sock_info(c, &m));
	before = m.n_subs;
	p.addr[0] = addr_v4(10, 5, 0, 1);
	p.bits[0] = 24;
	assert_int_equal(stack_path_add(two.end[0].stack, two.now, &p), 1);
	two_run(500 * NANOS_MS);
	assert_true(sock_info(c, &m));
	assert_true(m.n_subs > before);
	for (unsigned i = 0; i < m.n_subs; i++) {
		joined += m.sub[i].path == 1 && !m.sub[i].closed;
	}
	assert_true(joined > 0);
	stack_path_set_up(two.end[0].stack, two.now, 1, false);
	two_run(NANOS_S);
	assert_true(sock_info(c, &m));
	for (unsigned i = 0; i < m.n_subs; i++) {
		assert_true(m.sub[i].path != 1 || m.sub[i].closed);
	}
	sock_close(c, two.now, true);
	sock_close(l, two.now, true);
	two_run(NANOS_S);
}

static void test_deadline_and_tick(void **state)
{
	struct stack *s = two.end[0].stack;
	struct pkt_out out[4];
	struct instant d, start;
	unsigned n = 0;
	struct sock *c;

	(void)state;
	assert_true(instant_never(stack_deadline(s)));
	stack_tick(s, instant_add(two.now, 1000 * NANOS_S));
	two.now = instant_add(two.now, 1000 * NANOS_S);
	assert_int_equal(stack_output(s, two.now, out, 4), 0);
	c = two_connect(80);
	assert_int_equal(stack_output(s, two.now, out, 4), 1);
	start = two.now;
	d = stack_deadline(s);
	assert_false(instant_never(d));
	/* a deadline may be early (the wheel turns), never late */
	for (unsigned i = 0; i < 8 && n == 0; i++) {
		assert_true(instant_before(two.now, d));
		two.now = d;
		stack_tick(s, two.now);
		n = stack_output(s, two.now, out, 4);
		d = stack_deadline(s);
	}
	assert_int_equal(n, 1);
	/* RFC 6298 2.1: the first retransmission after 1 s */
	assert_in_range(instant_since(two.now, start), 990 * NANOS_MS,
			1100 * NANOS_MS);
	assert_true(instant_before(two.now, d));
	stack_tick(s, two.now); /* the same moment again: nothing more */
	assert_int_equal(stack_output(s, two.now, out, 4), 0);
	sock_close(c, two.now, true);
	assert_true(instant_never(stack_deadline(s)));
}

static void test_same_seed_same_octets(void **state)
{
	struct pkt_out a, b;
	void *st = NULL;

	(void)state;
	two_setup(&st);
	two_connect(80);
	assert_int_equal(stack_output(two.end[0].stack, two.now, &a, 1), 1);
	two_teardown(&st);
	two_setup(&st);
	two_connect(80);
	assert_int_equal(stack_output(two.end[0].stack, two.now, &b, 1), 1);
	two_teardown(&st);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.hdr, b.hdr, a.hdr_len);
	assert_true(strlen(stack_version()) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_free_of_nothing),
		cmocka_unit_test(test_memory_refused_in_turn),
		cmocka_unit_test(test_encryption),
		cmocka_unit_test(test_bad_configurations),
		cmocka_unit_test(test_defaults_and_given),
		TWO_TEST(test_free_in_the_middle),
		TWO_TEST(test_paths),
		TWO_TEST(test_path_change_reaches_connections),
		TWO_TEST(test_deadline_and_tick),
		cmocka_unit_test(test_same_seed_same_octets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
