/* a subflow's life, counted, and what TCP's hooks mean to the connection */
#include "tests/unit/mptcp/common.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

static struct mp_conn *c;
static struct mp_sub *first, *second;

static void start(uint64_t seed, unsigned end)
{
	mpair_defaults(&P, seed);
	up(true);
	mpair_sleep(&P, NANOS_S);
	c = P.end[end].app.c;
	first = c->first;
	second = list_entry(c->subs.prev, struct mp_sub, node);
}

static void counts(unsigned subs, unsigned open, unsigned joining)
{
	assert_int_equal(c->n_subs, subs);
	assert_int_equal(c->n_open, open);
	assert_int_equal(c->n_joining, joining);
	assert_int_equal(c->mp->n_half_open, joining);
}

static void making_and_dropping(void **state)
{
	struct mp_sub *s;

	(void)state;
	start(1, 0);
	counts(2, 2, 0);
	s = mp_sub_new(c, P.now);
	assert_int_equal(s->nr, 2);
	assert_int_equal(s->state, MP_SUB_SYN);
	assert_int_equal(s->una, 1); /* the first octet is number 1 */
	assert_int_equal(s->rx_nxt, 1);
	counts(3, 2, 0);
	mp_sub_drop(s);
	counts(2, 2, 0);
	c->next_nr = UINT8_MAX;
	s = mp_sub_new(c, P.now);
	assert_int_equal(s->nr, UINT8_MAX);
	mp_sub_drop(s);
	assert_int_equal(c->next_nr, UINT8_MAX); /* not 0 again */
	P.end[0].fake.fail_at = 1;
	assert_null(mp_sub_new(c, P.now));
	assert_int_equal(count(0, MP_NOMEM), 1);
	counts(2, 2, 0);
	finish();
}

/* half-open joins of the peer are counted until verified or dead */
static void half_open(void **state)
{
	struct mp_sub *s;

	(void)state;
	start(2, 1);
	for (unsigned i = 0; i < 2; i++) {
		s = mp_sub_new(c, P.now);
		s->passive = true;
		c->n_joining++;
		c->mp->n_half_open++;
		if (i) {
			mp_sub_dead(s, P.now);
			counts(2, 2, 0);
			mp_sub_dead(s, P.now);
			counts(2, 2, 0);
		} else {
			mp_sub_open(s, P.now);
			counts(3, 3, 0);
			mp_sub_dead(s, P.now);
			counts(2, 2, 0);
		}
		assert_int_equal(s->state, MP_SUB_DEAD);
	}
	/* one of ours is not */
	s = mp_sub_new(c, P.now);
	mp_sub_dead(s, P.now);
	counts(2, 2, 0);
	mpair_sleep(&P, 0);
	assert_true(list_empty(&c->graves));
	finish();
}

static void opening(void **state)
{
	struct mp_sub *s;

	(void)state;
	start(3, 0);
	c->joined = false;
	c->snd.backoff = 7;
	mp_timer_set(&c->timers, MP_T_ALONE, instant_add(P.now, NANOS_S));
	s = mp_sub_new(c, P.now);
	mp_timer_set(&s->timers, MP_T_JOIN, instant_add(P.now, NANOS_S));
	mp_sub_open(s, P.now);
	assert_true(c->joined);
	assert_int_equal(c->snd.backoff, 0);
	assert_false(mp_timer_on(&c->timers, MP_T_ALONE));
	assert_false(mp_timer_on(&s->timers, MP_T_JOIN));
	mp_sub_dead(s, P.now);
	finish();
}

static void usable(void **state)
{
	(void)state;
	start(4, 0);
	assert_true(mp_sub_usable(second));
	second->fin_out = true;
	assert_false(mp_sub_usable(second));
	second->fin_out = false;
	ip_path_set_up(P.end[0].ip, 1, false);
	assert_false(mp_sub_usable(second));
	assert_true(mp_sub_usable(first));
	ip_path_set_up(P.end[0].ip, 1, true);
	second->state = MP_SUB_PRE;
	assert_false(mp_sub_usable(second));
	second->state = MP_SUB_OPEN;
	second->stale = true; /* the scheduler's business */
	assert_true(mp_sub_usable(second));
	second->stale = false;
	finish();
}

/* for signals: who answers, has a way out, and is near */
static void best(void **state)
{
	(void)state;
	start(5, 0);
	assert_ptr_equal(mp_sub_best(c), first);
	first->fin_out = true;
	assert_ptr_equal(mp_sub_best(c), second);
	second->stale = true; /* worse than having said FIN */
	assert_ptr_equal(mp_sub_best(c), first);
	first->stale = true;
	assert_ptr_equal(mp_sub_best(c), second);
	first->fin_out = false;
	assert_ptr_equal(mp_sub_best(c), first);
	first->stale = second->stale = false;
	first->state = MP_SUB_PRE;
	assert_ptr_equal(mp_sub_best(c), second);
	second->state = MP_SUB_SYN;
	assert_null(mp_sub_best(c));
	first->state = second->state = MP_SUB_OPEN;
	finish();
}

/* --- ends ------------------------------------------------------------------- */

static void broken(void **state)
{
	(void)state;
	start(6, 0);
	mp_sub_broken(second, P.now, MP_RST_MIDDLEBOX);
	counts(1, 1, 0);
	assert_true(second->rst.with_reason);
	assert_int_equal(second->rst.reason, MP_RST_MIDDLEBOX);
	assert_int_equal(count(0, MP_RST_TX), 1);
	assert_int_equal(count(0, MP_SUBFLOW_LOST), 1);
	assert_int_equal(count(0, MP_NO_SUBFLOW), 0);
	mp_sub_abort(second, P.now); /* once is enough */
	assert_int_equal(count(0, MP_RST_TX), 1);
	mp_sub_broken(first, P.now, MP_RST_MIDDLEBOX);
	counts(0, 0, 0);
	assert_int_equal(count(0, MP_NO_SUBFLOW), 1);
	assert_false(P.end[0].app.closed); /* break before make */
	assert_true(mp_timer_on(&c->timers, MP_T_ALONE));
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_two_subs));
	transfer(1000, 1000, NANOS_S);
	finish();
}

/* what must be Multipath TCP and cannot be ends with its subflow */
static void broken_for_good(void **state)
{
	(void)state;
	start(7, 0);
	c->err = EPROTO;
	mp_sub_broken(second, P.now, MP_RST_MPTCP);
	assert_true(P.end[0].app.closed);
	assert_int_equal(P.end[0].app.err, EPROTO);
	counts(0, 0, 0);
	finish();
}

/* before there is a connection, and in plain TCP, the only subflow's end is
 * the connection's */
static void errors(void **state)
{
	static const struct {
		enum tcp_end end;
		int err;
	} cases[] = {
		{ TCP_END_ABORTED, ECONNABORTED },
		{ TCP_END_RESET, ECONNRESET },
		{ TCP_END_REFUSED, ECONNREFUSED },
		{ TCP_END_PROHIBIT, ECONNREFUSED },
		{ TCP_END_TIMEOUT, ETIMEDOUT },
		{ TCP_END_UNREACH, EHOSTUNREACH },
		{ TCP_END_NET, ENETUNREACH },
		{ TCP_END_PROTO, ENOPROTOOPT },
		{ TCP_END_HEADER, EPROTO },
		{ TCP_END_ACCESS, EACCES },
		{ TCP_END_NOMEM, ENOBUFS },
		{ TCP_END_NORMAL, ECONNRESET },
	};

	(void)state;
	for (unsigned i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
		struct tcb *tcb;

		mpair_defaults(&P, 8);
		if (i & 1) {
			P.end[0].cfg.policy = MP_OFF;
			up(false);
		} else {
			mpair_start(&P);
			mpair_connect(&P);
		}
		c = P.end[0].app.c;
		first = c->first;
		tcb = first->tcb;
		mp_sub_upper.closed(first, P.now, cases[i / 2].end);
		assert_true(P.end[0].app.closed);
		assert_int_equal(P.end[0].app.err, cases[i / 2].err);
		counts(0, 0, 0);
		tcp_abort(tcb, P.now); /* TCP knows: this was not its doing */
		mpair_close(&P, 0, false);
		assert_true(P.end[0].app.gone);
		mpair_stop(&P);
	}
}

/* the end of one of several is no error of the connection */
static void end_of_one(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct tcb *tcb;

		start(9, 0);
		tcb = second->tcb;
		second->probed = i == 2;
		mp_sub_upper.closed(second, P.now, i == 0 ? TCP_END_NORMAL :
						   i == 1 ? TCP_END_RESET :
							    TCP_END_TIMEOUT);
		counts(1, 1, 0);
		assert_int_equal(count(0, MP_SUBFLOW_LOST), i > 0);
		assert_int_equal(count(0, MP_RM_SUBFLOW), i == 2);
		assert_false(P.end[0].app.closed);
		mp_sub_upper.closed(second, P.now, TCP_END_RESET); /* twice */
		counts(1, 1, 0);
		tcp_abort(tcb, P.now);
		transfer(1000, 1000, NANOS_S);
		finish();
	}
}

/* RFC 8684 3.2: "unknown token" in answer to the only subflow left */
static void peer_has_forgotten(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct mp_sub *s;
		struct tcb *tcb;

		start(10, 0);
		assert_true(mp_join_open(c, P.now, 1, &c->t.remote, 0));
		s = list_entry(c->subs.prev, struct mp_sub, node);
		mp_sub_abort(first, P.now);
		mp_sub_abort(second, P.now);
		counts(1, 0, 0);
		s->rst_in = true;
		s->rst_in_reason = i ? MP_RST_MPTCP : MP_RST_RESOURCES;
		tcb = s->tcb;
		mp_sub_upper.closed(s, P.now, TCP_END_REFUSED);
		assert_int_equal(P.end[0].app.closed, i);
		assert_int_equal(P.end[0].app.err, i ? ECONNRESET : 0);
		tcp_abort(tcb, P.now);
		mpair_stop(&P);
	}
}

/* RFC 8684 3.3.3: a FIN ends its subflow, not the stream */
static void fins(void **state)
{
	(void)state;
	start(11, 0);
	mp_sub_upper.fin(second, P.now);
	assert_true(second->fin_in);
	assert_false(first->fin_in);
	assert_false(c->rcv.fin_known);
	assert_false(mp_read_eof(c));
	assert_int_equal(c->mode, MP_MODE_MPTCP);
	mpair_stop(&P);

	/* plain TCP: the end of the stream */
	mpair_defaults(&P, 12);
	P.end[1].cfg.policy = MP_OFF;
	up(false);
	transfer(100, 100, NANOS_S);
	c = P.end[0].app.c;
	mp_sub_upper.fin(c->first, P.now);
	assert_true(c->rcv.fin_in);
	assert_int_equal(c->rcv.fin_off, 100);
	assert_true(mp_read_eof(c));
	mpair_stop(&P);

	/* not confirmed yet: the peer became plain TCP */
	mpair_defaults(&P, 13);
	P.end[0].n_paths = 1;
	up(false);
	c = P.end[0].app.c;
	c->first->dss_seen = false;
	mp_sub_upper.fin(c->first, P.now);
	assert_int_equal(c->mode, MP_MODE_TCP);
	assert_int_equal(c->why_plain, MP_FALLBACK_NO_DSS);
	assert_true(mp_read_eof(c));
	mpair_stop(&P);
}

static void established_once(void **state)
{
	(void)state;
	start(14, 0);
	mp_sub_upper.established(first, P.now);
	mp_sub_upper.established(second, P.now);
	assert_int_equal(first->state, MP_SUB_OPEN);
	assert_int_equal(second->state, MP_SUB_OPEN);
	counts(2, 2, 0);
	finish();
}

/* one window for all (RFC 8684 3.3.4), counted from what is in order there */
static void window(void **state)
{
	uint32_t w;

	(void)state;
	start(15, 1);
	w = mp_sub_upper.window(first);
	assert_int_equal(w, mp_sub_upper.window(second));
	mpair_hold(&P, 1, true);
	mpair_send(&P, 0, 20000, false);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_sub_upper.window(first),
			 mp_sub_upper.window(second));
	assert_true(mp_sub_upper.window(first) <= w - 20000 + 1000);
	mpair_hold(&P, 1, false);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(making_and_dropping),
		cmocka_unit_test(half_open),
		cmocka_unit_test(opening),
		cmocka_unit_test(usable),
		cmocka_unit_test(best),
		cmocka_unit_test(broken),
		cmocka_unit_test(broken_for_good),
		cmocka_unit_test(errors),
		cmocka_unit_test(end_of_one),
		cmocka_unit_test(peer_has_forgotten),
		cmocka_unit_test(fins),
		cmocka_unit_test(established_once),
		cmocka_unit_test(window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
