/* RFC 8684 3.9.3: what is tried again, and what is not */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static unsigned syns; /* on link 1 */
static int answer;    /* RST to joins on link 1: -1 none, else T */

static void refuse_joins(void *ctx, struct mpair_pkt *p)
{
	uint8_t opt[4];
	struct wr w = wr_make(opt, sizeof(opt));
	struct tuple t = { p->seg.t.local, p->seg.t.remote };

	(void)ctx;
	if (p->link != 1 || p->from != 0) {
		return;
	}
	p->drop = true;
	if (p->seg.flags != TCP_SYN) {
		return;
	}
	syns++;
	if (answer >= 0) {
		mp_opt_emit_rst(&w, answer, MP_RST_PROHIBITED);
		mpair_inject(&P, 0, &t, 0, p->seg.seq + 1, TCP_RST | TCP_ACK,
			     0, opt, sizeof(opt), NULL, 0);
	}
}

static void start(uint64_t seed, int reply)
{
	mpair_defaults(&P, seed);
	P.mbox = refuse_joins;
	syns = 0;
	answer = reply;
	up(false);
	mpair_send(&P, 0, 1000, false);
	mpair_sleep(&P, 60 * NANOS_S);
}

/* a peer that announces an address again and again, and refuses it each time */
static void many_failures(void **state)
{
	struct mp_conn *c;
	struct pm_try *t;

	(void)state;
	start(9, 1);
	c = P.end[0].app.c;
	for (unsigned i = 0; i < 300; i++) {
		c->mp->pm->failed(c, P.now, c->first, true);
		c->mp->pm->announced(c, P.now, &c->first->t.remote);
	}
	t = &c->pm.tries[c->pm.n - 1];
	assert_true(t->when.ns > P.now.ns);
	assert_true(t->when.ns < P.now.ns + 3600 * NANOS_S);
	finish();
}

/* statement 144: T=0 is for good; the path going down and up starts afresh */
static void permanent(void **state)
{
	(void)state;
	start(1, 0);
	assert_int_equal(syns, 1);
	assert_int_equal(count(0, MP_RST_RX), 1);
	mpair_path(&P, 0, 1, false);
	mpair_path(&P, 0, 1, true);
	mpair_sleep(&P, 10 * NANOS_S);
	assert_int_equal(syns, 2);
	P.mbox = NULL;
	mpair_path(&P, 0, 1, false);
	mpair_path(&P, 0, 1, true);
	assert_true(mpair_run(&P, NANOS_S, mpair_two_subs));
	finish();
}

static void transient(void **state)
{
	(void)state;
	start(2, 1);
	assert_int_equal(syns, 3);
	finish();
}

/* nobody answers: one attempt with its retransmissions */
static void silence(void **state)
{
	unsigned n;

	(void)state;
	start(3, -1);
	n = syns;
	assert_true(n >= 3 && n <= 5);
	mpair_sleep(&P, 200 * NANOS_S);
	assert_int_equal(syns, n);
	assert_int_equal(count(0, MP_JOIN_TIMEOUT), 1);
	finish();
}

/* the side that was connected to does not join, unless told to */
static void server_side(void **state)
{
	(void)state;
	for (int joins = 0; joins < 2; joins++) {
		mpair_defaults(&P, 4);
		P.end[0].n_paths = 1;
		P.end[1].n_paths = 2;
		P.end[1].cfg.server_joins = joins;
		up(false);
		transfer(10000, 10000, NANOS_S);
		mpair_sleep(&P, 2 * NANOS_S);
		assert_int_equal(mpair_open_subs(&P, 0), 1 + joins);
		assert_int_equal(count(1, MP_JOIN_DONE), joins);
		transfer(100000, 100000, 5 * NANOS_S);
		finish();
	}
}

/* options of data vanish: each join opens, and its first data costs it */
static void no_mappings(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	syns += p->from == 0 && p->seg.flags == TCP_SYN;
	mpair_strip(p, MP_HAVE(MP_OPT_DSS));
}

/* Without any subflow everything is tried again; that a join opens is no
 * reason to hurry, only what got across is. */
static void rounds_slow_down(void **state)
{
	(void)state;
	mpair_defaults(&P, 10);
	up(true); /* so that there is no way back to plain TCP */
	mpair_path(&P, 0, 1, false);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(P.end[1].app.got, 1000);
	syns = 0;
	P.mbox = no_mappings;
	mpair_send(&P, 0, 1000, false);
	mpair_sleep(&P, 40 * NANOS_S);
	assert_in_range(syns, 4, 10);
	assert_int_equal(P.end[1].app.got, 1000);
	P.mbox = NULL;
	mpair_sleep(&P, 10 * NANOS_S);
	assert_int_equal(P.end[1].app.got, 2000);
	/* and now at once */
	mp_sub_broken(list_entry(list_first(&P.end[0].app.c->subs),
				 struct mp_sub, node),
		      P.now, MP_RST_MIDDLEBOX);
	mpair_sleep(&P, NANOS_S / 2);
	assert_int_equal(mpair_open_subs(&P, 0), 1);
	finish();
}

/* That we had no memory says nothing about the path. */
static void no_memory(void **state)
{
	(void)state;
	for (unsigned nth = 1; nth <= 4; nth++) {
		mpair_defaults(&P, 20 + nth);
		up(true);
		mpair_sleep(&P, NANOS_S);
		mpair_path(&P, 0, 1, false);
		mpair_sleep(&P, NANOS_S);
		assert_int_equal(mpair_open_subs(&P, 0), 1);
		P.end[0].fake.fail_at = nth;
		mpair_path(&P, 0, 1, true);
		mpair_sleep(&P, 4 * NANOS_S);
		assert_int_equal(mpair_open_subs(&P, 0), 2);
		P.end[0].fake.fail_at = 0;
		finish();
	}
}

/* the second subflow dies under us */
static void lose_second(void)
{
	struct mp_conn *c = P.end[0].app.c;
	struct mp_sub *s = NULL;

	list_each(n, &c->subs) {
		s = list_entry(n, struct mp_sub, node);
	}
	assert_true(s && s != c->first);
	c->mp->pm->lost(c, P.now, s);
	mp_sub_abort(s, P.now);
	assert_int_equal(mpair_open_subs(&P, 0), 1);
}

/* An open subflow that died gets one more attempt; one that lived for long
 * enough counts anew. */
static void one_more_attempt(void **state)
{
	(void)state;
	mpair_defaults(&P, 30);
	up(true);
	mpair_sleep(&P, NANOS_S);
	for (unsigned i = 0; i < 2; i++) {
		mpair_sleep(&P, 15 * NANOS_S);
		assert_int_equal(mpair_open_subs(&P, 0), 2);
		lose_second();
		mpair_sleep(&P, 5 * NANOS_S);
		assert_int_equal(mpair_open_subs(&P, 0), 2);
	}
	lose_second();
	mpair_sleep(&P, 60 * NANOS_S);
	assert_int_equal(mpair_open_subs(&P, 0), 1);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permanent),
		cmocka_unit_test(many_failures),
		cmocka_unit_test(transient),
		cmocka_unit_test(silence),
		cmocka_unit_test(server_side),
		cmocka_unit_test(rounds_slow_down),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(one_more_attempt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
