/* the send buffer follows what the paths carry; TCP_NOTSENT_LOWAT */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "stack/tcp/tcb.h"

static struct mp_conn *begin(uint64_t seed, bool plain)
{
	mpair_defaults(&P, seed);
	P.end[0].n_paths = 1;
	P.end[0].cfg.policy = plain ? MP_OFF : MP_PREFER;
	P.link[0].rate = 12500000;
	P.link[0].delay = 40 * NANOS_MS;
	P.link[0].queue_max = 4 << 20;
	up(false);
	transfer(1, 1, 5 * NANOS_S);
	return P.end[0].app.c;
}

/* 1 MB is one bandwidth-delay product */
static void grows_while_a_writer_waits(void **state)
{
	(void)state;
	for (int plain = 0; plain < 2; plain++) {
		struct mp_conn *c = begin(3, plain);

		assert_int_equal(c->snd.size, MP_SNDBUF_FIRST);
		transfer(300000, 0, 20 * NANOS_S);
		transfer(20000000, 0, 60 * NANOS_S);
		assert_true(c->snd.size > 1000000);
		assert_true(c->snd.size <= c->conf->sndbuf);
		finish();
	}
}

/* a slow path needs no more than the first size */
static void stays_small(void **state)
{
	struct mp_conn *c;

	(void)state;
	mpair_defaults(&P, 4);
	P.end[0].n_paths = 1;
	P.link[0].rate = 125000;
	P.link[0].queue_max = 30000;
	up(false);
	transfer(1, 1, 5 * NANOS_S);
	c = P.end[0].app.c;
	transfer(1000000, 0, 60 * NANOS_S);
	assert_int_equal(c->snd.size, MP_SNDBUF_FIRST);
	finish();
}

static void chosen_size_stays(void **state)
{
	struct mp_conf conf;
	struct mp_conn *c;

	(void)state;
	c = begin(5, false);
	conf = *c->conf;
	conf.sndbuf = 300000;
	conf.sndbuf_fixed = true;
	mp_set_conf(c, P.now, &conf);
	assert_int_equal(c->snd.size, 300000);
	transfer(5000000, 0, 60 * NANOS_S);
	assert_int_equal(c->snd.size, 300000);
	finish();
}

static void nobody_grows_when_memory_is_short(void **state)
{
	struct mp_conn *c;
	struct mem *m;
	uint64_t limit;

	(void)state;
	c = begin(6, false);
	m = c->mp->env->mem;
	limit = m->limit;
	m->limit = 2 * m->used + (1 << 20);
	c->snd.want_room = true;
	c->first->tcb->rec.cc.cwnd = 10 << 20;
	m->limit = 2 * m->used - 2;
	mp_sndbuf_grow(c);
	assert_int_equal(c->snd.size, MP_SNDBUF_FIRST);
	m->limit = limit;
	mp_sndbuf_grow(c);
	assert_int_equal(c->snd.size, c->conf->sndbuf);
	finish();
}

/* no more waits unsent than was asked for; what is out does not count */
static void not_sent_low_water(void **state)
{
	struct mp_conf conf;
	struct mp_conn *c;
	uint64_t most = 0;

	(void)state;
	c = begin(7, false);
	conf = *c->conf;
	conf.notsent_lowat = 10000;
	mp_set_conf(c, P.now, &conf);
	mpair_send(&P, 0, 3000000, false);
	for (unsigned i = 0; i < 200; i++) {
		uint64_t waits = c->snd.ring.tail - c->snd.nxt;

		assert_true(waits <= 10000);
		most = max_u64(most, ring_len(&c->snd.ring));
		mpair_sleep(&P, 10 * NANOS_MS);
	}
	assert_true(most > 200000); /* the window was used */
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	finish();
}

/* two paths, one of them slow: the fast one is not held up for want of room */
static void longest_round_trip_counts(void **state)
{
	struct mp_conn *c;

	(void)state;
	mpair_defaults(&P, 8);
	P.link[0].rate = 12500000;
	P.link[0].delay = 5 * NANOS_MS;
	P.link[1].rate = 1250000;
	P.link[1].delay = 100 * NANOS_MS;
	up(true);
	transfer(1, 1, 5 * NANOS_S);
	c = P.end[0].app.c;
	transfer(30000000, 0, 60 * NANOS_S);
	/* 12.5 MB/s for 200 ms */
	assert_true(c->snd.size > 2500000);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_while_a_writer_waits),
		cmocka_unit_test(stays_small),
		cmocka_unit_test(chosen_size_stays),
		cmocka_unit_test(nobody_grows_when_memory_is_short),
		cmocka_unit_test(not_sent_low_water),
		cmocka_unit_test(longest_round_trip_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
