/* RFC 8684 3.1: MP_CAPABLE of a connection's first subflow */
#include "tests/unit/mptcp/common.h"

#include "stack/mptcp/mp.h"
#include "stack/wire/tcp_hdr.h"

static struct {
	bool synack, capable;
	struct mp_opt_capable cap;
	unsigned firsts;  /* data with MP_CAPABLE */
	uint64_t keys[2];
	unsigned options; /* segments with any */
} seen;

static void watch(void *ctx, const struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;
	bool cap = o->have & MP_HAVE(MP_OPT_CAPABLE);

	(void)ctx;
	seen.options += o->have != 0;
	if (p->seg.flags == (TCP_SYN | TCP_ACK)) {
		seen.synack = true;
		seen.capable = cap;
		seen.cap = o->capable;
	}
	if (cap && p->seg.flags == TCP_SYN) {
		/* statements 1, 17 */
		assert_int_equal(o->capable.len, 4);
		assert_int_equal(o->capable.version, 1);
		assert_int_equal(o->capable.flags & 0x3f, MP_CAP_SHA256);
	}
	if (cap && o->capable.len >= 22) {
		/* statements 4, 7 */
		assert_int_equal(o->capable.data_len >= p->seg.len, 1);
		assert_true(!seen.firsts ||
			    (seen.keys[0] == o->capable.key_snd &&
			     seen.keys[1] == o->capable.key_rcv));
		seen.keys[0] = o->capable.key_snd;
		seen.keys[1] = o->capable.key_rcv;
		seen.firsts++;
	}
}

static void start(uint64_t seed)
{
	memset(&seen, 0, sizeof(seen));
	mpair_defaults(&P, seed);
	P.tap = watch;
}

static unsigned lose_next;

static void lose_third(void *ctx, struct mpair_pkt *p)
{
	(void)ctx;
	if (p->from == 0 && !(p->seg.flags & TCP_SYN) && lose_next) {
		lose_next--;
		p->drop = true;
	}
}

/* statements 6, 7: third ACK, and the first data, lost */
static void third_ack_lost(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		start(10 + n);
		P.mbox = lose_third;
		lose_next = n;
		mpair_start(&P);
		mpair_connect(&P);
		while (!P.end[0].app.established) {
			mpair_sleep(&P, NANOS_MS);
		}
		mpair_send(&P, 0, 100000, false);
		assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
		assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_MPTCP);
		assert_int_equal(mp_mode(P.end[1].app.c), MP_MODE_MPTCP);
		assert_true(seen.firsts > 0);
		finish();
	}
}

/* statement 8 */
static void server_speaks_first(void **state)
{
	(void)state;
	start(20);
	up(false);
	mpair_send(&P, 1, 5000, false);
	assert_true(mpair_run(&P, NANOS_S, mpair_arrived));
	mpair_send(&P, 0, 5000, false);
	assert_true(mpair_run(&P, NANOS_S, mpair_arrived));
	assert_int_equal(seen.firsts, 0);
	assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_MPTCP);
	finish();
}

/* statement 9 */
static void both_speak_at_once(void **state)
{
	(void)state;
	start(21);
	up(false);
	transfer(50000, 50000, 5 * NANOS_S);
	assert_true(seen.firsts > 0);
	finish();
}

/* only the keys with data come through, and then B has no memory */
static void no_memory(void *ctx, struct mpair_pkt *p)
{
	struct mem *m = &P.end[1].fake.mem;

	(void)ctx;
	if (p->from == 0 && !(p->seg.flags & TCP_SYN)) {
		p->drop = p->seg.len == 0;
		m->limit = p->drop ? m->limit : m->used;
	}
}

/* The third ACK is taken, its data is not: what B says again is what it said
 * (statement 2). */
static void no_memory_for_third(void **state)
{
	struct mp_opt_capable first;

	(void)state;
	start(25);
	P.mbox = no_memory;
	mpair_start(&P);
	mpair_connect(&P);
	mpair_send(&P, 0, 5000, false);
	mpair_sleep(&P, 500 * NANOS_MS);
	assert_true(seen.synack && seen.capable);
	first = seen.cap;
	seen.synack = false;
	mpair_sleep(&P, 700 * NANOS_MS); /* its timer */
	assert_true(seen.synack);
	assert_true(seen.capable);
	assert_int_equal(seen.cap.flags, first.flags);
	assert_true(seen.cap.key_snd == first.key_snd);
	P.mbox = NULL;
	P.end[1].fake.mem.limit = UINT64_MAX;
	assert_true(mpair_run(&P, 20 * NANOS_S, mpair_arrived));
	assert_int_equal(mp_mode(P.end[1].app.c), MP_MODE_MPTCP);
	finish();
}

static void wrong_echo(void *ctx, struct mpair_pkt *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;
	uint8_t *b = p->pkt->data + IP4_HDR_LEN + TCP_HDR_LEN;

	(void)ctx;
	if (p->from == 0 && o->have & MP_HAVE(MP_OPT_CAPABLE) &&
	    o->capable.len >= 20) {
		while (*b != MP_OPT_KIND) {
			b += *b == 1 ? 1 : b[1];
		}
		b[15] ^= 1;
		mpair_fix(p->pkt);
	}
}

/* statement 34: stop using it, do not abort */
static void key_altered(void **state)
{
	(void)state;
	start(22);
	P.mbox = wrong_echo;
	up(false);
	transfer(50000, 50000, 10 * NANOS_S);
	assert_int_equal(mp_mode(P.end[1].app.c), MP_MODE_TCP);
	assert_int_equal(mp_mode(P.end[0].app.c), MP_MODE_TCP);
	finish();
}

/* nobody accepts: the port is closed, or the connection is refused */
static void refused(void **state)
{
	struct tuple t = { .remote = { .port = 81 } };
	static const struct mp_owner none;
	struct mp_conn *c;
	int err;

	(void)state;
	start(23);
	up(false);
	t.local.addr = P.end[0].addr[0];
	t.remote.addr = P.end[1].addr[0];
	c = mp_connect(P.end[0].mp, P.now, &t, 0, &P.end[0].conf, &none, NULL,
		       &err);
	assert_non_null(c);
	mpair_sleep(&P, NANOS_S);
	assert_true(c->over);
	assert_int_equal(c->err, ECONNREFUSED);
	mp_close(c, P.now, false);
	/* a second connection: the application here takes one only */
	t.remote.port = 80;
	c = mp_connect(P.end[0].mp, P.now, &t, 0, &P.end[0].conf, &none, NULL,
		       &err);
	mpair_sleep(&P, NANOS_S);
	assert_true(c->over);
	assert_int_equal(c->err, ECONNRESET);
	mp_close(c, P.now, false);
	mpair_sleep(&P, NANOS_S);
	assert_int_equal(mp_count_conns(P.end[0].mp), 1);
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(third_ack_lost),
		cmocka_unit_test(no_memory_for_third),
		cmocka_unit_test(server_speaks_first),
		cmocka_unit_test(both_speak_at_once),
		cmocka_unit_test(key_altered),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
