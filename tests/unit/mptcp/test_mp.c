/* the layer as a whole: making it, its reasons, its turns, its dead */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static struct mp *make(struct mp_cfg cfg)
{
	struct mpair_end *e = &P.end[0];

	return mp_new(&e->fake.env, &cfg, e->ip, e->tcp, &e->wheel, P.now);
}

static void defaults(void **state)
{
	struct mp *m;

	(void)state;
	mpair_defaults(&P, 1);
	mpair_start(&P);
	m = make((struct mp_cfg){ 0 });
	assert_int_equal(m->cfg.subflows_max, MP_SUBFLOWS_MAX);
	assert_int_equal(m->cfg.close_timeout, 60 * NANOS_S);
	assert_ptr_equal(m->sched, &sched_minrtt);
	assert_int_equal(mp_count_conns(m), 0);
	assert_false(mp_wants_flush(m));
	mp_free(m);
	m = make((struct mp_cfg){ .subflows_max = MP_SUBFLOWS_MAX + 1,
				  .close_timeout = -1 });
	assert_int_equal(m->cfg.subflows_max, MP_SUBFLOWS_MAX);
	assert_int_equal(m->cfg.close_timeout, 60 * NANOS_S);
	mp_free(m);
	m = make((struct mp_cfg){ .subflows_max = 1, .close_timeout = 1,
				  .scheduler = "minrtt" });
	assert_int_equal(m->cfg.subflows_max, 1);
	assert_int_equal(m->cfg.close_timeout, 1);
	mp_free(m);
	assert_null(make((struct mp_cfg){ .scheduler = "no such" }));
	mp_free(NULL);
	mpair_stop(&P); /* finds what is left */
}

static void memory_refused(void **state)
{
	struct mp *m = NULL;
	uint64_t n, used;

	(void)state;
	mpair_defaults(&P, 2);
	mpair_start(&P);
	used = P.end[0].fake.mem.used;
	for (n = 0; !m && n < 10;) {
		P.end[0].fake.fail_at = ++n;
		m = make((struct mp_cfg){ 0 });
		if (!m) {
			assert_int_equal(P.end[0].fake.mem.used, used);
		}
	}
	assert_in_range(n, 3, 9);
	P.end[0].fake.fail_at = 0;
	mp_free(m);
	mpair_stop(&P);
}

static void reasons(void **state)
{
	const enum mp_reason none = MP_REASON_N;

	(void)state;
	for (unsigned i = 0; i < MP_REASON_N; i++) {
		const char *name = mp_reason_name((enum mp_reason)i);

		assert_true(strlen(name) > 5);
		assert_null(strchr(name, ' '));
		assert_true(strlen(mp_reason_text((enum mp_reason)i)) > 10);
		for (unsigned k = 0; k < i; k++) {
			assert_string_not_equal(
				name, mp_reason_name((enum mp_reason)k));
		}
	}
	assert_string_equal(mp_reason_name(none), "?");
	assert_string_equal(mp_reason_text(none), "?");
	mpair_defaults(&P, 3);
	mpair_start(&P);
	for (unsigned i = 0; i < MP_REASON_N; i++) {
		assert_int_equal(count(0, (enum mp_reason)i), 0);
		mp_count(P.end[0].mp, (enum mp_reason)i);
		mp_count(P.end[0].mp, (enum mp_reason)i);
	}
	for (unsigned i = 0; i < MP_REASON_N; i++) {
		assert_int_equal(count(0, (enum mp_reason)i), 2);
		assert_int_equal(count(1, (enum mp_reason)i), 0);
	}
	assert_int_equal(mp_counter(P.end[0].mp, none), 0);
	mpair_stop(&P);
}

static unsigned listed(const struct list *l)
{
	unsigned n = 0;

	list_each(p, l) {
		n++;
	}
	return n;
}

/* dirty once, until the flush */
static void turns(void **state)
{
	struct mp_conn *c;
	struct mp *m;

	(void)state;
	mpair_defaults(&P, 4);
	up(true);
	mpair_sleep(&P, NANOS_S);
	c = P.end[0].app.c;
	m = P.end[0].mp;
	assert_false(mp_wants_flush(m));
	mp_dirty(c);
	mp_dirty(c);
	assert_int_equal(listed(&m->dirty), 1);
	assert_true(mp_wants_flush(m));
	mp_flush(m, P.now);
	assert_false(mp_wants_flush(m));
	assert_int_equal(m->last.ns, P.now.ns);
	finish();
}

/* --- the dead ------------------------------------------------------------------- */

static unsigned obituaries;
static bool gone_before;

static void obituary(void *ctx, struct instant now, const struct mp_conn *c)
{
	(void)now;
	assert_ptr_equal(ctx, &P);
	obituaries++;
	gone_before = gone_before || P.end[0].app.gone;
	assert_int_equal(mp_mode(c), MP_MODE_MPTCP);
	assert_true(mp_passive(c) || c->snd.total == 1000);
}

static void burials(void **state)
{
	(void)state;
	mpair_defaults(&P, 5);
	up(true);
	mp_set_obituary(P.end[0].mp, obituary, &P);
	obituaries = 0;
	gone_before = false;
	assert_int_equal(mp_count_conns(P.end[0].mp), 1);
	assert_int_equal(mp_count_owing(P.end[0].mp), 0);
	mpair_close(&P, 0, false);
	assert_int_equal(mp_count_owing(P.end[0].mp), 1);
	assert_int_equal(obituaries, 0);
	mpair_close(&P, 1, false);
	assert_true(mpair_run(&P, 120 * NANOS_S, mpair_gone));
	assert_int_equal(obituaries, 1);
	assert_false(gone_before);
	assert_int_equal(mp_count_conns(P.end[0].mp), 0);
	assert_int_equal(mp_count_owing(P.end[0].mp), 0);
	mpair_stop(&P);
}

/* who never lived has none */
static void no_obituary(void **state)
{
	(void)state;
	mpair_defaults(&P, 6);
	mpair_start(&P);
	P.link[0].cut = true;
	mp_set_obituary(P.end[0].mp, obituary, &P);
	obituaries = 0;
	mpair_connect(&P);
	assert_int_equal(mp_count_conns(P.end[0].mp), 1);
	mpair_close(&P, 0, true);
	mpair_sleep(&P, NANOS_S);
	assert_true(P.end[0].app.gone);
	assert_int_equal(obituaries, 0);
	assert_int_equal(mp_count_conns(P.end[0].mp), 0);
	mpair_stop(&P);
}

/* --- paths ------------------------------------------------------------------------ */

static unsigned prio[2];

static void count_prio(void *ctx, const struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from == 0 && p->seg.opts.mp.have & MP_HAVE(MP_OPT_PRIO)) {
		prio[p->link]++;
	}
}

/* RFC 8684 3.3.8: a path that becomes a backup one, and back */
static void backup_flag(void **state)
{
	struct mp_info i;

	(void)state;
	mpair_defaults(&P, 7);
	up(true);
	mpair_sleep(&P, NANOS_S);
	P.tap = count_prio;
	prio[0] = prio[1] = 0;
	for (unsigned on = 1; on < 2; on--) {
		ip_path_set_backup(P.end[0].ip, 1, on);
		mp_path_changed(P.end[0].mp, P.now, 1);
		mp_path_changed(P.end[0].mp, P.now, 1); /* no news */
		mpair_sleep(&P, NANOS_S);
		get_info(0, &i);
		assert_int_equal(i.sub[1].backup, on);
		assert_false(i.sub[0].backup);
		get_info(1, &i);
		assert_int_equal(i.sub[1].peer_backup, on);
		assert_false(i.sub[0].peer_backup);
		assert_int_equal(prio[1], 2 - on);
	}
	assert_int_equal(prio[0], 0);
	mp_path_changed(P.end[0].mp, P.now, 99);
	finish();
}

/* plain TCP has no word for it */
static void backup_of_plain(void **state)
{
	(void)state;
	mpair_defaults(&P, 8);
	P.end[1].cfg.policy = MP_OFF;
	up(false);
	P.tap = count_prio;
	prio[0] = prio[1] = 0;
	ip_path_set_backup(P.end[0].ip, 0, true);
	mp_path_changed(P.end[0].mp, P.now, 0);
	transfer(1000, 1000, NANOS_S);
	assert_int_equal(prio[0], 0);
	assert_false(P.end[0].app.c->first->sig.prio);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(memory_refused),
		cmocka_unit_test(reasons),
		cmocka_unit_test(turns),
		cmocka_unit_test(burials),
		cmocka_unit_test(no_obituary),
		cmocka_unit_test(backup_flag),
		cmocka_unit_test(backup_of_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
