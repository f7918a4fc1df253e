/* Paced subflows: two paths are worth their sum whichever congestion control
 * they have, sealed or not.  SHOW=1 prints the figures. */
#include "tests/unit/mptcp/tapped.h"

#define MBIT 125000ull

struct setup {
	const char *cc;
	bool sealed;
	uint64_t rate[2], limit;
	nanos delay[2];
	uint32_t queue;
};

/* share of what both links can carry, from the second second on */
static double run(const struct setup *s)
{
	const unsigned secs = 6;
	uint64_t before, can = (s->rate[0] + s->rate[1]) * secs;
	double share;

	mpair_defaults(&P, 11);
	for (unsigned i = 0; i < 2; i++) {
		struct mpair_end *e = &P.end[i];

		P.link[i].rate = s->rate[i];
		P.link[i].delay = s->delay[i];
		P.link[i].queue_max = s->queue;
		e->conf.tcp.cc = cc_find(s->cc);
		e->conf.tcp.max_pacing_rate = s->limit;
		e->conf.sndbuf = 4 << 20;
		e->cfg.crypt_policy =
			s->sealed ? MP_CRYPT_REQUIRE : MP_CRYPT_OFF;
	}
	up(true);
	mpair_send(&P, 0, 100000000, false);
	mpair_sleep(&P, 2 * NANOS_S);
	before = P.end[1].app.got;
	mpair_sleep(&P, secs * NANOS_S);
	share = (double)(P.end[1].app.got - before) / (double)can;
	if (getenv("SHOW")) {
		print_message("%-5s%s: share %.3f\n", s->cc,
			      s->sealed ? " sealed" : "", share);
	}
	assert_false(P.end[1].app.mangled);
	mpair_stop(&P);
	return share;
}

static void sums(const char *cc, double least)
{
	for (unsigned k = 0; k < 2; k++) {
		struct setup s = { .cc = cc,
				   .sealed = k,
				   .rate = { 20 * MBIT, 30 * MBIT },
				   .delay = { 10 * NANOS_MS, 20 * NANOS_MS },
				   .queue = 50000 };
		double share;

		assert_true(run(&s) >= least);
		/* SO_MAX_PACING_RATE is each subflow's: twice 5 of 50 */
		s.limit = 5 * MBIT;
		share = run(&s);
		assert_true(share > 0.19 && share < 0.202);
	}
}

static void cubic(void **state)
{
	(void)state;
	sums("cubic", 0.92);
}

static void reno(void **state)
{
	(void)state;
	sums("reno", 0.86);
}

static void bbr(void **state)
{
	(void)state;
	sums("bbr", 0.92);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cubic),
		cmocka_unit_test(reno),
		cmocka_unit_test(bbr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
