/* options are kept once for all who chose the same, and nobody sees another's */
#include "tests/unit/mptcp/tapped.h"

#include "stack/mptcp/mp.h"

static void same_is_shared(void **state)
{
	struct fake f;
	struct mp_confs s;
	struct mp_conf v = { .sndbuf = 5 };
	const struct mp_conf *a, *b, *c;
	uint64_t one;

	(void)state;
	fake_init(&f, 1);
	mp_conf_init(&s, &f.mem);
	a = mp_conf_get(&s, &v);
	one = f.mem.used;
	b = mp_conf_get(&s, &v);
	assert_ptr_equal(a, b);
	assert_ptr_equal(mp_conf_share(a), a);
	assert_int_equal(f.mem.used, one);
	v.nodelay = true;
	c = mp_conf_get(&s, &v);
	assert_ptr_not_equal(a, c);
	assert_true(c->nodelay && !a->nodelay);
	assert_int_equal(f.mem.used, 2 * one);
	mp_conf_put(&s, a);
	mp_conf_put(&s, b);
	assert_int_equal(a->sndbuf, 5);
	mp_conf_put(&s, a);
	assert_int_equal(f.mem.used, one);
	mp_conf_put(&s, NULL);
	mp_conf_put(&s, c);
	fake_fini(&f);
}

/* many different ones: a look at the last few, no more */
static void looking_is_bounded(void **state)
{
	const struct mp_conf *v[100], *again[100];
	struct mp_conf conf = { .rcvlowat = 1 };
	struct fake f;
	struct mp_confs s;
	unsigned found = 0;

	(void)state;
	fake_init(&f, 2);
	mp_conf_init(&s, &f.mem);
	for (unsigned i = 0; i < 100; i++) {
		conf.sndbuf = i;
		v[i] = mp_conf_get(&s, &conf);
		assert_non_null(v[i]);
	}
	for (unsigned i = 100; i-- > 0;) {
		conf.sndbuf = i;
		again[i] = mp_conf_get(&s, &conf);
		found += again[i] == v[i];
		assert_int_equal(again[i]->sndbuf, i);
	}
	assert_int_equal(found, MP_CONF_LOOK);
	for (unsigned i = 0; i < 100; i++) {
		mp_conf_put(&s, v[i]);
		mp_conf_put(&s, again[i]);
	}
	assert_true(list_empty(&s.all));
	fake_fini(&f);
}

static void no_memory_changes_nothing(void **state)
{
	struct mp_conf conf;
	struct mp_conn *c;

	(void)state;
	mpair_defaults(&P, 3);
	up(false);
	c = tapped_conn(0);
	conf = *c->conf;
	conf.cork = true;
	P.end[0].fake.fail_at = 1;
	assert_false(mp_set_conf(c, P.now, &conf));
	assert_false(c->conf->cork);
	P.end[0].fake.fail_at = 0;
	assert_true(mp_set_conf(c, P.now, &conf));
	assert_true(c->conf->cork);
	conf.cork = false;
	assert_true(mp_set_conf(c, P.now, &conf));
	assert_false(c->conf->cork);
	transfer(5000, 5000, 20 * NANOS_S);
	mpair_close(&P, 0, false);
	mpair_close(&P, 1, false);
	assert_true(mpair_run(&P, 120 * NANOS_S, mpair_gone));
	assert_true(list_empty(&P.end[0].mp->confs.all));
	mpair_stop(&P);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_is_shared),
		cmocka_unit_test(looking_is_bounded),
		cmocka_unit_test(no_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
