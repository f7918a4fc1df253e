/* what reports are made of: every subflow that ever was, in its place */
#include "tests/unit/mptcp/common.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

static struct mp_conn *client(void)
{
	return P.end[0].app.c;
}

static struct mp_sub *last_sub(struct mp_conn *c)
{
	return list_entry(c->subs.prev, struct mp_sub, node);
}

static void fresh(void **state)
{
	struct mp_info i;

	(void)state;
	mpair_defaults(&P, 1);
	mpair_start(&P);
	mpair_connect(&P);
	get_info(0, &i);
	assert_int_equal(i.mode, MP_MODE_PENDING);
	assert_int_equal(mp_mode(client()), MP_MODE_PENDING);
	assert_int_equal(i.n_subs, 1);
	assert_false(i.sub[0].established);
	assert_false(i.sub[0].closed);
	assert_false(i.passive);
	assert_int_equal(i.sub[0].tcp.state, TCP_SYN_SENT);
	assert_int_equal(i.write_seq, 0);
	assert_true(mpair_run(&P, NANOS_S, mpair_established));
	finish();
}

static void both_ends_agree(void **state)
{
	static struct mp_info a, b;

	(void)state;
	mpair_defaults(&P, 2);
	P.end[1].cfg.checksum = true;
	P.end[0].backup[1] = true;
	up(true);
	transfer(50000, 20000, 5 * NANOS_S);
	mpair_sleep(&P, NANOS_S);
	get_info(0, &a);
	get_info(1, &b);
	assert_int_equal(a.mode, MP_MODE_MPTCP);
	assert_false(a.passive);
	assert_true(b.passive);
	assert_true(mp_passive(P.end[1].app.c));
	assert_true(a.checksum && b.checksum);
	assert_int_equal(a.token_local, b.token_remote);
	assert_int_equal(a.token_remote, b.token_local);
	assert_int_not_equal(a.token_local, a.token_remote);
	assert_int_equal(a.bytes_sent, 51000);
	assert_int_equal(a.bytes_received, 20000);
	assert_int_equal(b.bytes_sent, 20000);
	assert_int_equal(b.bytes_received, 51000);
	assert_int_equal(a.write_seq, 51000);
	assert_int_equal(a.snd_una, 51000);
	assert_int_equal(a.rcv_nxt, 20000);
	assert_false(a.fin_acked);
	assert_int_equal(a.n_subs, 2);
	for (unsigned k = 0; k < 2; k++) {
		assert_int_equal(a.sub[k].path, k);
		assert_true(endpoint_eq(&a.sub[k].t.local,
					&b.sub[k].t.remote));
		assert_int_equal(a.sub[k].local_id, b.sub[k].remote_id);
		assert_int_equal(a.sub[k].remote_id, b.sub[k].local_id);
		assert_int_equal(a.sub[k].bytes_sent,
				 b.sub[k].bytes_received);
		assert_int_equal(a.sub[k].tcp.state, TCP_ESTABLISHED);
		assert_int_equal(a.sub[k].backup, k);
		assert_int_equal(b.sub[k].peer_backup, k);
		assert_false(b.sub[k].backup);
	}
	assert_int_equal(a.sub[0].local_id, 0);
	assert_int_not_equal(a.sub[1].local_id, 0);
	assert_memory_equal(&a.sub[0].t, mp_tuple(client()),
			    sizeof(struct tuple));
	mpair_send(&P, 0, 0, true);
	mpair_sleep(&P, NANOS_S);
	get_info(0, &a);
	assert_true(a.fin_acked);
	finish();
}

static void plain(void **state)
{
	struct mp_info i;

	(void)state;
	mpair_defaults(&P, 3);
	P.end[0].cfg.checksum = true;
	P.end[1].cfg.policy = MP_OFF;
	up(false);
	get_info(0, &i);
	assert_int_equal(i.mode, MP_MODE_TCP);
	assert_int_equal(i.why_plain, MP_FALLBACK_SYNACK);
	assert_false(i.checksum); /* there is nothing to check */
	assert_string_equal(mp_mode_text(i.mode), "tcp");
	assert_string_equal(mp_mode_text(MP_MODE_MPTCP), "mptcp");
	assert_string_equal(mp_mode_text(MP_MODE_PENDING), "pending");
	finish();
}

/* one that ended keeps its place, its numbers, and is called closed */
static void closed_stay_in_order(void **state)
{
	static struct mp_info i, j;
	struct mp_conn *c;

	(void)state;
	mpair_defaults(&P, 4);
	P.end[0].n_paths = 3;
	up(true);
	mpair_sleep(&P, NANOS_S);
	transfer(30000, 1000, 5 * NANOS_S);
	c = client();
	get_info(0, &i);
	assert_int_equal(i.n_subs, 3);
	mp_sub_abort(c->first, P.now);
	get_info(0, &j);
	assert_int_equal(j.n_subs, 3);
	assert_true(j.sub[0].closed);
	assert_false(j.sub[1].closed || j.sub[2].closed);
	assert_true(j.sub[0].established); /* it was, once */
	assert_int_equal(j.sub[0].bytes_sent, i.sub[0].bytes_sent);
	assert_int_equal(j.sub[0].tcp.segs_out, i.sub[0].tcp.segs_out);
	for (unsigned k = 0; k < 3; k++) {
		assert_int_equal(j.sub[k].path, k);
		assert_memory_equal(&j.sub[k].t, &i.sub[k].t,
				    sizeof(struct tuple));
	}
	mpair_sleep(&P, NANOS_S); /* it is freed */
	mp_sub_abort(last_sub(c), P.now);
	get_info(0, &j);
	assert_true(j.sub[0].closed && j.sub[2].closed);
	assert_false(j.sub[1].closed);
	assert_int_equal(j.sub[2].path, 2);
	finish();
}

static struct mp_sub *on_path(struct mp_conn *c, unsigned path)
{
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->path == path) {
			return s;
		}
	}
	return NULL;
}

static bool four_subs(const struct mpair *p)
{
	return mpair_open_subs(p, 0) == 4;
}

/* whatever ends first */
static void any_order_of_ends(void **state)
{
	static const unsigned order[][3] = {
		{ 3, 2, 1 }, { 3, 1, 2 }, { 2, 0, 3 }, { 1, 3, 0 }, { 0, 1, 2 }
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(order); i++) {
		mpair_defaults(&P, 10 + i);
		P.end[0].n_paths = 4;
		up(true);
		assert_true(mpair_run(&P, NANOS_S, four_subs));
		for (unsigned k = 0; k < 3; k++) {
			struct mp_info info;

			mp_sub_abort(on_path(client(), order[i][k]), P.now);
			get_info(0, &info);
			assert_int_equal(info.n_subs, 4);
			for (unsigned n = 0; n < 4; n++) {
				assert_int_equal(info.sub[n].path, n);
				assert_int_equal(info.sub[n].closed,
						 !on_path(client(), n));
			}
		}
		finish();
	}
}

/* MP_OLD_MAX are kept; who carried data is not pushed out by who never did,
 * but takes the place of one */
static void room_for_so_many(void **state)
{
	struct mp_info i;
	struct mp_conn *c;

	(void)state;
	mpair_defaults(&P, 5);
	P.link[2].cut = true;
	up(true);
	mpair_sleep(&P, NANOS_S);
	c = client();
	for (unsigned k = 0; k < MP_OLD_MAX; k++) {
		const struct endpoint *to = &c->t.remote;

		assert_true(mp_join_open(c, P.now, 1, to, 0));
		assert_int_equal(last_sub(c)->state, MP_SUB_SYN);
		mp_sub_abort(last_sub(c), P.now);
	}
	mpair_sleep(&P, 0);
	get_info(0, &i);
	assert_int_equal(i.n_subs, 2 + MP_OLD_MAX);
	assert_false(i.sub[2].established);
	/* another attempt changes nothing */
	assert_true(mp_join_open(c, P.now, 1, &c->t.remote, 0));
	last_sub(c)->remote_id = 77;
	mp_sub_abort(last_sub(c), P.now);
	get_info(0, &i);
	assert_int_equal(i.n_subs, 2 + MP_OLD_MAX);
	for (unsigned k = 0; k < i.n_subs; k++) {
		assert_int_not_equal(i.sub[k].remote_id, 77);
	}
	/* one that was open does */
	mp_sub_abort(c->first, P.now);
	get_info(0, &i);
	assert_int_equal(i.n_subs, 1 + MP_OLD_MAX);
	assert_true(i.sub[0].closed);
	assert_true(i.sub[0].established);
	assert_int_equal(i.sub[0].path, 0);
	assert_false(i.sub[1].closed);
	finish();
}

/* no memory for reports is no reason for anything */
static void memory_refused(void **state)
{
	struct mp_info i;

	(void)state;
	mpair_defaults(&P, 6);
	up(true);
	mpair_sleep(&P, NANOS_S);
	P.end[0].fake.fail_at = 1;
	mp_sub_abort(last_sub(client()), P.now);
	get_info(0, &i);
	assert_int_equal(i.n_subs, 1);
	transfer(1000, 1000, NANOS_S);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh),
		cmocka_unit_test(both_ends_agree),
		cmocka_unit_test(plain),
		cmocka_unit_test(closed_stay_in_order),
		cmocka_unit_test(any_order_of_ends),
		cmocka_unit_test(room_for_so_many),
		cmocka_unit_test(memory_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
