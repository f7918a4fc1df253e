/* RFC 8684 3.3.2, 3.3.5, 3.3.6: what acknowledgements of both levels mean,
 * what they free, and the connection's own retransmission timer
 */
#include "tests/unit/mptcp/tapped.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static struct mp_conn *client(void)
{
	return P.end[0].app.c;
}

static struct mp_sub *sub(struct mp_conn *c, unsigned n)
{
	struct list *l = c->subs.next;

	while (n--) {
		l = l->next;
	}
	return list_entry(l, struct mp_sub, node);
}

/* --- a path that acknowledges for the peer and loses the data -------------- */

static unsigned lossy_link, lose_from;
static unsigned lost, lose_most;
static uint64_t on_other; /* octets of payload by other links meanwhile */

/* The mapping says "far outside the window": the subflow acknowledges, the
 * connection has nothing, as with a proxy that acknowledges and dies. */
static void lose_data(void *ctx, struct mpair_pkt *p)
{
	uint8_t *b = p->pkt->data + IP4_HDR_LEN + TCP_HDR_LEN;
	uint8_t *end = b - TCP_HDR_LEN + (b[-8] >> 4) * 4;

	(void)ctx;
	if (p->from != 0 || !p->seg.len || p->nr < lose_from) {
		return;
	}
	if (p->link != lossy_link) {
		on_other += p->seg.len;
		return;
	}
	while (lost < lose_most && b < end && *b) {
		uint8_t len = *b == 1 ? 1 : b[1];

		if (*b == MP_OPT_KIND && b[2] >> 4 == MP_OPT_DSS) {
			struct mp_opt_dss d = p->seg.opts.mp.dss;
			struct wr w = wr_make(b, len);

			assert_true(d.map && d.dsn8);
			d.dsn += UINT64_C(1) << 40;
			memset(b, 1, len);
			assert_true(mp_opt_emit_dss(&w, &d) > 0);
			mpair_fix(p->pkt);
			lost++;
			return;
		}
		b += len;
	}
}

static void losing(uint64_t seed, unsigned link, unsigned most)
{
	mpair_defaults(&P, seed);
	P.mbox = lose_data;
	lossy_link = link;
	lose_from = UINT32_MAX;
	lose_most = most;
	lost = 0;
	on_other = 0;
}

/* conformance statement 92 */
static void rescue_on_another(void **state)
{
	(void)state;
	for (unsigned link = 0; link < 2; link++) {
		losing(10 + link, link, UINT32_MAX);
		P.link[link].delay = 2 * NANOS_MS; /* the one preferred */
		P.link[!link].delay = 20 * NANOS_MS;
		up(true);
		mpair_sleep(&P, NANOS_S);
		lose_from = 0;
		mpair_send(&P, 0, 60000, false);
		assert_true(mpair_run(&P, 5 * NANOS_S, mpair_arrived));
		assert_true(lost > 0);
		assert_true(count(0, MP_DATA_RTX) > 0);
		assert_true(on_other >= 60000);
		assert_int_equal(mp_mode(client()), MP_MODE_MPTCP);
		lose_most = 0;
		transfer(100000, 100000, 20 * NANOS_S);
		finish();
	}
}

/* ... and goes on at a bearable speed when that path swallows everything */
static void swallowing_for_ever(void **state)
{
	(void)state;
	losing(12, 0, UINT32_MAX);
	P.link[0].delay = 2 * NANOS_MS;
	up(true);
	mpair_sleep(&P, NANOS_S);
	lose_from = 0;
	transfer(3000000, 100000, 30 * NANOS_S);
	lose_most = 0;
	finish();
}

/* ... and is used again when it works again, tried later each time that it
 * does not */
static void trusted_again(void **state)
{
	struct mp_sub *s;
	uint64_t before;

	(void)state;
	losing(15, 0, UINT32_MAX);
	P.link[0].delay = 2 * NANOS_MS;
	up(true);
	mpair_sleep(&P, NANOS_S);
	s = sub(client(), 0);
	lose_from = 0;
	for (unsigned i = 0; i < 40; i++) {
		mpair_send(&P, 0, 60000, false);
		mpair_sleep(&P, NANOS_S);
	}
	assert_true(mpair_run(&P, 10 * NANOS_S, mpair_arrived));
	assert_true(s->suspect);
	/* 1, 2, 4, 8, 16 s: not one trial a second */
	assert_in_range(s->doubts, 3, 6);
	lose_most = 0;
	before = s->sent;
	for (unsigned i = 0; i < 70; i++) {
		mpair_send(&P, 0, 60000, false);
		mpair_sleep(&P, NANOS_S);
	}
	assert_true(mpair_run(&P, 10 * NANOS_S, mpair_arrived));
	assert_false(s->suspect);
	assert_true(s->sent > before);
	finish();
}

/* one accident is no reason to leave a path */
static void rescue_on_the_same(void **state)
{
	(void)state;
	losing(13, 0, 1);
	P.link[1].delay = 200 * NANOS_MS;
	up(true);
	mpair_sleep(&P, 2 * NANOS_S);
	lose_from = 0;
	transfer(1000, 0, 2 * NANOS_S);
	assert_int_equal(lost, 1);
	assert_int_equal(count(0, MP_DATA_RTX), 1);
	assert_int_equal(on_other, 0);
	assert_false(sub(client(), 0)->suspect);
	finish();
}

static struct instant sent_at[16];
static unsigned n_sent;

static void note_sent(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from == 0 && p->seg.len && n_sent < 16) {
		sent_at[n_sent++] = P.now;
	}
}

/* with no other subflow it is the same one, each time twice as late, and
 * never later than a minute */
static void backs_off(void **state)
{
	nanos last = 0;

	(void)state;
	losing(14, 0, 14);
	P.end[0].n_paths = 1;
	up(false);
	transfer(10, 10, NANOS_S);
	mpair_sleep(&P, NANOS_S);
	lose_from = 0;
	n_sent = 0;
	P.tap = note_sent;
	transfer(100, 0, 800 * NANOS_S);
	mpair_sleep(&P, 100 * NANOS_MS);
	assert_int_equal(n_sent, 15);
	for (unsigned i = 1; i < n_sent; i++) {
		nanos gap = instant_since(sent_at[i], sent_at[i - 1]);

		assert_true(gap >= 200 * NANOS_MS);
		assert_true(gap < 61 * NANOS_S);
		if (i > 1 && last < 29 * NANOS_S) {
			assert_true(gap > last * 19 / 10);
			assert_true(gap < last * 21 / 10);
		}
		last = gap;
	}
	assert_true(last > 59 * NANOS_S);
	assert_int_equal(count(0, MP_DATA_RTX), 14);
	assert_int_equal(client()->snd.backoff, 0); /* there was progress */
	assert_false(mp_timer_on(&client()->timers, MP_T_DATA));
	finish();
}

/* --- what a DATA_ACK may say ------------------------------------------------ */

/* one subflow, n octets on their way */
static struct mp_conn *sending(uint32_t n)
{
	mpair_defaults(&P, 20);
	P.end[0].n_paths = 1;
	up(false);
	transfer(1000, 10, NANOS_S);
	mpair_sleep(&P, NANOS_S);
	mpair_send(&P, 0, n, false);
	assert_int_equal(client()->snd.una, 1000);
	assert_int_equal(client()->snd.nxt, 1000 + n);
	return client();
}

static void arrives(void)
{
	assert_true(mpair_run(&P, 5 * NANOS_S, mpair_arrived));
	finish();
}

static void never_sent(void **state)
{
	struct mp_conn *c = sending(5000);
	uint64_t edge = c->snd.edge;

	(void)state;
	mp_ack_data(c, P.now, 6001, 1 << 20);
	mp_ack_data(c, P.now, UINT64_MAX, 1 << 30);
	mp_ack_data(c, P.now, (uint64_t)0 - 5, 1 << 30);
	assert_int_equal(c->snd.una, 1000);
	assert_int_equal(c->snd.edge, edge);
	mp_ack_data(c, P.now, 6000, 1 << 20);
	assert_int_equal(c->snd.una, 6000);
	assert_false(c->snd.fin_acked);
	arrives();
}

static void old_and_again(void **state)
{
	struct mp_conn *c = sending(5000);

	(void)state;
	c->snd.backoff = 3;
	mp_ack_data(c, P.now, 999, 1);
	mp_ack_data(c, P.now, 1000, 1);
	assert_int_equal(c->snd.una, 1000);
	assert_int_equal(c->snd.backoff, 3); /* that was no progress */
	mp_ack_data(c, P.now, 1001, 1);
	assert_int_equal(c->snd.una, 1001);
	assert_int_equal(c->snd.backoff, 0);
	arrives();
}

/* RFC 8684 3.3.5: the furthest edge counts, whichever subflow says it */
static void window_edge(void **state)
{
	struct mp_conn *c = sending(5000);
	uint64_t edge = c->snd.edge;

	(void)state;
	mp_ack_data(c, P.now, 2000, 100); /* would shrink it */
	assert_int_equal(c->snd.una, 2000);
	assert_int_equal(c->snd.edge, edge);
	mp_ack_data(c, P.now, 1500, (uint32_t)(edge - 1500 + 7));
	assert_int_equal(c->snd.una, 2000);
	assert_int_equal(c->snd.edge, edge + 7);
	arrives();
}

/* the DATA_FIN is an octet behind the last */
static void fin_acknowledged(void **state)
{
	struct mp_conn *c = sending(5000);

	(void)state;
	mpair_send(&P, 0, 0, true);
	assert_true(c->snd.fin_sent);
	mp_ack_data(c, P.now, 6002, 1000);
	assert_int_equal(c->snd.una, 1000);
	mp_ack_data(c, P.now, 6000, 1000);
	assert_int_equal(c->snd.una, 6000);
	assert_false(c->snd.fin_acked);
	assert_int_equal(c->fsm.state, MP_ST_FIN_WAIT_1);
	mp_ack_data(c, P.now, 6001, 1000);
	assert_int_equal(c->snd.una, 6000);
	assert_true(c->snd.fin_acked);
	assert_int_equal(c->fsm.state, MP_ST_FIN_WAIT_2);
	arrives();
}

/* data that waits to be sent again need not be once it is acknowledged */
static void not_again(void **state)
{
	struct mp_conn *c = sending(5000);

	(void)state;
	mp_reinject_range(c, 0, 9999);
	assert_int_equal(c->snd.again.n, 1);
	assert_int_equal(c->snd.again.r[0].lo, 1000);
	assert_int_equal(c->snd.again.r[0].hi, 6000);
	mp_ack_data(c, P.now, 4000, 100000);
	assert_int_equal(c->snd.again.r[0].lo, 4000);
	mp_ack_data(c, P.now, 6000, 100000);
	assert_int_equal(c->snd.again.n, 0);
	arrives();
}

/* --- what is freed (RFC 8684 3.3.2) ------------------------------------------ */

static void both_levels(void **state)
{
	struct mp_conn *c = sending(5000);
	struct mp_sub *s = sub(c, 0);
	uint32_t ssn = s->una;

	(void)state;
	s->seg_dss = true;
	mp_ack_data(c, P.now, 4000, 100000);
	assert_int_equal(c->snd.ring.head, 1000); /* the subflow may repeat it */
	mp_ack_sub(s, P.now, ssn + 500);
	assert_int_equal(c->snd.ring.head, 1500);
	mp_ack_sub(s, P.now, ssn + 3500);
	assert_int_equal(c->snd.ring.head, 4000); /* the DATA_ACK says so */
	mp_ack_data(c, P.now, 4200, 100000);
	assert_int_equal(c->snd.ring.head, 4200);
	mp_ack_data(c, P.now, 6000, 100000);
	assert_int_equal(c->snd.ring.head, 4500);
	mp_ack_sub(s, P.now, ssn + 5000);
	assert_int_equal(c->snd.ring.head, 6000);
	arrives();
}

/* two subflows have the same; one of them ends */
static void dead_claims_nothing(void **state)
{
	struct mp_conn *c;
	struct mp_sub *a, *b;

	(void)state;
	mpair_defaults(&P, 21);
	up(true);
	mpair_sleep(&P, NANOS_S);
	c = client();
	a = sub(c, 0);
	b = sub(c, 1);
	mpair_send(&P, 0, 2000, false);
	assert_int_equal(c->snd.una, 1000);
	assert_true(mp_map_holding(&a->tx, 1000) != NULL);
	assert_true(mp_tx_push(b, P.now, 1000, 2000, true));
	mp_ack_data(c, P.now, 3000, 100000);
	assert_int_equal(c->snd.una, 3000);
	a->seg_dss = true;
	mp_ack_sub(a, P.now, tcp_push_ssn(a->tcb));
	assert_int_equal(c->snd.ring.head, 1000);
	mp_sub_abort(b, P.now);
	assert_int_equal(c->snd.ring.head, 3000);
	assert_int_equal(c->snd.again.n, 0);
	/* an acknowledgement that was on its way to it does nothing */
	mp_ack_sub(b, P.now, 1);
	assert_int_equal(mp_mode(c), MP_MODE_MPTCP);
	arrives();
}

static void writer_is_told(void **state)
{
	struct mp_conn *c;

	(void)state;
	mpair_defaults(&P, 22);
	P.end[0].conf.sndbuf = 8192;
	up(false);
	P.link[0].cut = true;
	mpair_send(&P, 0, 30000, false);
	c = client();
	assert_int_equal(P.end[0].app.sent, 8192);
	assert_true(c->snd.want_room);
	P.link[0].cut = false;
	arrives();
}

/* RFC 8684 3.7: data of a joined subflow acknowledged without any option */
static void bare_on_second(void **state)
{
	struct mp_conn *c;
	struct mp_sub *s;

	(void)state;
	mpair_defaults(&P, 23);
	up(true);
	mpair_sleep(&P, NANOS_S);
	c = client();
	s = sub(c, 1);
	assert_true(s->dss_seen);
	s->seg_dss = false;
	mp_ack_sub(s, P.now, s->una); /* later: only noted */
	assert_true(s->acks_bare);
	assert_int_equal(s->state, MP_SUB_OPEN);
	s->dss_seen = false;
	mp_ack_sub(s, P.now, s->una);
	assert_int_equal(s->state, MP_SUB_DEAD);
	assert_int_equal(s->rst.reason, MP_RST_MIDDLEBOX);
	assert_int_equal(mp_mode(c), MP_MODE_MPTCP);
	assert_int_equal(count(0, MP_SUBFLOW_LOST), 1);
	transfer(1000, 1000, NANOS_S);
	finish();
}

/* --- the head, and the timer ---------------------------------------------- */

static void head_holder(void **state)
{
	struct mp_conn *c;
	struct mp_sub *a, *b;

	(void)state;
	mpair_defaults(&P, 24);
	up(true);
	mpair_sleep(&P, NANOS_S);
	c = client();
	a = sub(c, 0);
	b = sub(c, 1);
	assert_null(mp_ack_head_holder(c));
	mpair_send(&P, 0, 2000, false);
	assert_ptr_equal(mp_ack_head_holder(c), a);
	assert_true(mp_tx_push(b, P.now, 1000, 500, true));
	assert_ptr_equal(mp_ack_head_holder(c), a);
	a->stale = true; /* one that works is preferred, if it has it */
	assert_ptr_equal(mp_ack_head_holder(c), b);
	mp_ack_data(c, P.now, 1500, 100000);
	assert_ptr_equal(mp_ack_head_holder(c), a);
	arrives();
}

/* A window update got lost: the peer's TCP window is open, the connection's
 * shut.  One octet beyond it makes the peer say what it has. */
static void window_update_lost(void **state)
{
	struct mp_conn *c;
	struct instant t0;

	(void)state;
	losing(25, 0, 0);
	P.end[0].n_paths = 1;
	P.tap = note_sent;
	up(false);
	transfer(1000, 10, NANOS_S);
	mpair_sleep(&P, NANOS_S);
	c = client();
	c->snd.edge = c->snd.nxt;
	n_sent = 0;
	t0 = P.now;
	mpair_send(&P, 0, 5000, false);
	assert_int_equal(n_sent, 0);
	mpair_sleep(&P, 195 * NANOS_MS);
	assert_int_equal(n_sent, 0);
	assert_int_equal(c->snd.nxt, 1000);
	assert_true(mpair_run(&P, 2 * NANOS_S, mpair_arrived));
	assert_true(instant_since(sent_at[0], t0) >= 200 * NANOS_MS);
	assert_int_equal(count(0, MP_DATA_RTX), 0);
	finish();
}

static unsigned fins[2];

static void count_fins(void *ctx, const struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	(void)ctx;
	if (p->from == 0 && o->have & MP_HAVE(MP_OPT_DSS) && o->dss.fin) {
		fins[p->link]++;
	}
}

/* a DATA_FIN goes where it is fastest, then everywhere, until acknowledged */
static void fin_again(void **state)
{
	(void)state;
	mpair_defaults(&P, 26);
	P.tap = count_fins;
	up(true);
	mpair_sleep(&P, NANOS_S);
	fins[0] = fins[1] = 0;
	P.link[0].cut = true;
	mpair_send(&P, 0, 0, true);
	assert_int_equal(fins[0], 1);
	assert_int_equal(fins[1], 0);
	assert_true(mpair_run(&P, 2 * NANOS_S, mpair_arrived));
	assert_true(fins[1] >= 1);
	assert_int_equal(count(0, MP_DATA_FIN_TX), 1);
	P.link[0].cut = false;
	mpair_sleep(&P, NANOS_S);
	assert_true(client()->snd.fin_acked);
	assert_false(mp_timer_on(&client()->timers, MP_T_DATA));
	fins[0] = fins[1] = 0;
	mpair_sleep(&P, 20 * NANOS_S);
	assert_int_equal(fins[0] + fins[1], 0);
	finish();
}

/* --- sealed ------------------------------------------------------------------ */

/* three frames of 1000 octets each, on their way; where the first begins */
static uint64_t three_frames(uint64_t seed)
{
	uint64_t at;

	tapped_one_path(seed);
	P.end[0].conf.nodelay = true;
	up(false);
	mpair_sleep(&P, NANOS_S);
	P.link[0].cut = true;
	at = client()->snd.ring.tail;
	for (unsigned i = 0; i < 3; i++) {
		mpair_send(&P, 0, 1000, false);
	}
	assert_int_equal(client()->snd.ring.tail, at + 3 * 1020);
	assert_int_equal(client()->snd.una, at);
	return at;
}

/* nobody can have verified a part of a frame */
static void dack_inside_a_frame(void **state)
{
	struct mp_conn *c;
	uint64_t at;

	(void)state;
	at = three_frames(60);
	c = client();
	mp_ack_data(c, P.now, at + 1019, 50000);
	assert_int_equal(c->snd.una, at);
	assert_int_equal(mp_write_pending(c), 3000);
	mp_ack_data(c, P.now, at + 1020, 50000);
	assert_int_equal(c->snd.una, at + 1020);
	assert_int_equal(mp_write_pending(c), 2000);
	mp_ack_data(c, P.now, at + 3059, 50000);
	assert_int_equal(c->snd.una, at + 2040);
	assert_int_equal(mp_write_pending(c), 1000);
	/* the window counts from what was said */
	assert_true(c->snd.edge >= at + 3059 + 50000);
	mp_ack_data(c, P.now, at + 3061, 50000); /* never sent */
	assert_int_equal(c->snd.una, at + 2040);
	/* what is kept is sent again, the same octets */
	P.link[0].cut = false;
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_write_pending(c), 0);
	tapped_close();
}

/* the only path that ever was loses data and acknowledges: nothing is mapped
 * twice there, and another subflow brings it */
static void only_path_loses(void **state)
{
	(void)state;
	tapped_one_path(61);
	P.mbox = lose_data;
	lossy_link = 0;
	lose_from = UINT32_MAX;
	lose_most = 1;
	lost = 0;
	up(false);
	mpair_sleep(&P, NANOS_S);
	P.tap = NULL; /* would believe the forged mapping */
	lose_from = 0;
	mpair_send(&P, 0, 60000, false);
	assert_true(mpair_run(&P, 60 * NANOS_S, mpair_arrived));
	assert_int_equal(lost, 1);
	assert_int_equal(count(0, MP_SUBFLOW_LOST), 1);
	assert_false(P.end[1].app.mangled);
	transfer(100000, 100000, 20 * NANOS_S);
	assert_int_equal(mp_mode(client()), MP_MODE_MPTCP);
	tapped_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rescue_on_another),
		cmocka_unit_test(swallowing_for_ever),
		cmocka_unit_test(trusted_again),
		cmocka_unit_test(rescue_on_the_same),
		cmocka_unit_test(backs_off),
		cmocka_unit_test(never_sent),
		cmocka_unit_test(old_and_again),
		cmocka_unit_test(window_edge),
		cmocka_unit_test(fin_acknowledged),
		cmocka_unit_test(not_again),
		cmocka_unit_test(both_levels),
		cmocka_unit_test(dead_claims_nothing),
		cmocka_unit_test(writer_is_told),
		cmocka_unit_test(bare_on_second),
		cmocka_unit_test(head_holder),
		cmocka_unit_test(window_update_lost),
		cmocka_unit_test(fin_again),
		cmocka_unit_test(dack_inside_a_frame),
		cmocka_unit_test(only_path_loses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
