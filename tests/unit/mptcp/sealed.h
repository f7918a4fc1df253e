/* sealed.h - a receiver of a sealed connection, and a sender made by hand
 *
 * End 1 of a Multipath TCP connection with two subflows is told that it is
 * sealed.  Whatever its peer would send then is sealed here with the peer's
 * keys and handed to the subflows' hooks, as TCP would hand it up; the wire is
 * at rest.
 */
#ifndef TESTS_UNIT_MPTCP_SEALED_H
#define TESTS_UNIT_MPTCP_SEALED_H

#include <stdlib.h>

#include "tests/unit/mptcp/common.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "stack/wire/eno_opt.h"

#define INIT1 79u /* octets with three ciphers */

struct sender {
	struct fake fake;
	struct crypt *crypt;
	struct crypt_conn *k;
};

static struct {
	struct sender a, twin; /* twin: the same keys, sealing otherwise */
	struct mp_conn *c;
	struct mp_sub *s[2];
	uint64_t off;      /* of the next frame */
	uint64_t data;     /* the program's octets sealed so far */
	uint8_t wire[600000]; /* what was made, from offset 0 on */
	uint32_t truesize; /* a packet pins so much more; 0: nothing */
	bool sig;          /* both hosts announce signalling frames */
	bool plain;        /* tcpcrypt, not TEP 0x20 */
} R;

static inline uint8_t R_pattern(uint64_t at)
{
	return (uint8_t)(at * 11 + (at >> 8) * 5 + (at >> 16) * 3);
}

/* --- keys ----------------------------------------------------------------- */

/* the option of one, for others */
static inline void R_pass(enum crypt_seg seg, struct crypt_conn *from,
			  struct crypt_conn *to, struct crypt_conn *too)
{
	struct eno_opt_seen seen = { 0 };
	uint8_t opt[64];
	unsigned n = crypt_seg_out(from, P.now, seg, opt, ENO_OPT_MAX);

	eno_opt_note(&seen, opt, (uint8_t)n);
	if (to) {
		crypt_seg_in(to, P.now, seg, &seen);
	}
	if (too) {
		crypt_seg_in(too, P.now, seg, &seen);
	}
}

static inline struct crypt_conf R_conf(void)
{
	struct crypt_conf conf;

	crypt_conf_init(&conf);
	conf.sig = R.sig;
	conf.smtcp = !R.plain;
	return conf;
}

static inline void R_sender(struct sender *x)
{
	const struct crypt_setup setup = { 0 };
	struct crypt_conf conf = R_conf();

	fake_init(&x->fake, 77); /* the same for both */
	x->crypt = crypt_new(&x->fake.env, &setup);
	x->k = crypt_conn_new(x->crypt, &conf, true, "b", 1);
	assert_non_null(x->k);
}

/* host B's half, agreed with the senders */
static inline struct crypt_conn *R_receiver(void)
{
	const struct crypt_setup setup = { 0 };
	const uint8_t mpc[32] = { 1, 2, 3 };
	struct crypt_conf conf = R_conf();
	struct crypt_conn *b;

	P.end[1].crypt = crypt_new(&P.end[1].fake.env, &setup);
	b = crypt_conn_new(P.end[1].crypt, &conf, false, NULL, 0);
	assert_non_null(b);
	R_pass(CRYPT_SEG_SYN, R.a.k, b, NULL);
	R_pass(CRYPT_SEG_SYN, R.twin.k, NULL, NULL);
	R_pass(CRYPT_SEG_SYNACK, b, R.a.k, R.twin.k);
	R_pass(CRYPT_SEG_ACK, R.a.k, b, NULL);
	R_pass(CRYPT_SEG_ACK, R.twin.k, NULL, NULL);
	assert_int_equal(crypt_start(R.a.k, P.now, mpc, 32), CRYPT_OK);
	assert_int_equal(crypt_start(R.twin.k, P.now, mpc, 32), CRYPT_OK);
	assert_int_equal(crypt_start(b, P.now, mpc, 32), CRYPT_OK);
	return b;
}

/* host B's Init message goes to host A */
static inline void R_answer(void)
{
	const uint8_t *p;
	uint8_t init[200];
	struct iov v[2];
	size_t n, used;

	p = crypt_init_out(R.c->crypt.k, &n);
	if (!p) { /* it is on its way */
		n = (size_t)R.c->seal->init_end;
		assert_int_equal(ring_slice(&R.c->snd.ring, 0, (uint32_t)n, v),
				 1);
		memcpy(init, v[0].p, n);
		p = init;
	}
	assert_int_equal(crypt_init_in(R.a.k, P.now, p, n, &used), CRYPT_OK);
	assert_int_equal(crypt_init_in(R.twin.k, P.now, p, n, &used), CRYPT_OK);
	assert_int_equal(crypt_state(R.a.k), CRYPT_KEYED);
	crypt_init_sent(R.a.k);
	crypt_init_sent(R.twin.k);
}

/* --- up and down ---------------------------------------------------------- */

/* sealed; keyed: both Init messages are through; else host A's is in R.wire */
static inline void R_up(uint64_t seed, bool keyed)
{
	const uint8_t *init;
	struct mp_conn *c;
	size_t n, used;
	unsigned i = 0;

	R.off = R.truesize = 0;
	R.data = 1000;
	mpair_defaults(&P, seed);
	up(true);
	mpair_sleep(&P, NANOS_S);
	R.c = c = P.end[1].app.c;
	assert_int_equal(P.end[1].app.got, 1000);
	list_each (p, &c->subs) {
		R.s[i++] = list_entry(p, struct mp_sub, node);
	}
	assert_int_equal(i, 2);
	R_sender(&R.a);
	R_sender(&R.twin);
	c->crypt = (struct mp_crypt){ .state = MP_CRYPT_SEALED,
				      .k = R_receiver(),
				      .smtcp = !R.plain,
				      .started = true };
	assert_true(mp_seal_new(c) && mp_unseal_new(c));
	mp_seal_start(c);
	c->rcv.nxt = c->rcv.total = c->rcv.wnd.edge = 0;
	mp_rx_window(c);
	init = crypt_init_out(R.a.k, &n);
	assert_int_equal(n, INIT1);
	memcpy(R.wire, init, n);
	R.off = n;
	if (keyed) {
		assert_int_equal(crypt_init_in(c->crypt.k, P.now, init, n,
					       &used), CRYPT_OK);
		c->rcv.nxt = n;
		R_answer();
	}
}

static inline void R_sender_fini(struct sender *x)
{
	crypt_conn_free(x->k);
	crypt_free(x->crypt);
	fake_fini(&x->fake);
}

static inline void R_down(void)
{
	assert_false(P.end[1].app.mangled);
	mpair_stop(&P);
	R_sender_fini(&R.a);
	R_sender_fini(&R.twin);
}

static inline bool R_over(int err)
{
	return P.end[1].app.closed && P.end[1].app.err == err;
}

/* the program's octets that have come since it is sealed */
static inline uint64_t R_got(void)
{
	return P.end[1].app.got - 1000;
}

/* --- sending -------------------------------------------------------------- */

enum {
	FIN = 1,
	URG = 2,
	SIG = 4,
};

/* Seals n octets more of the stream by x, at R.off; the frame's length. */
static inline uint32_t R_seal_by(struct sender *x, uint32_t n, unsigned flags)
{
	static uint8_t text[CRYPT_FRAME_DATA_MAX];
	const struct iov in = { text, n };
	const struct crypt_seal seal = { .now = P.now, .offset = R.off,
					 .fin = flags & FIN,
					 .urgent = flags & URG,
					 .sig = flags & SIG,
					 .in = &in, .n_in = 1 };
	const struct iov_mut out = { R.wire + R.off, sizeof(R.wire) - R.off };
	size_t len;

	for (uint32_t i = 0; i < n; i++) {
		text[i] = R_pattern(R.data + i);
	}
	assert_int_equal(crypt_seal(x->k, &seal, &out, 1, &len), CRYPT_OK);
	R.data += n;
	R.off += len;
	return (uint32_t)len;
}

static inline uint32_t R_seal(uint32_t n, unsigned flags)
{
	return R_seal_by(&R.a, n, flags);
}

static inline void R_release(struct pkt *p)
{
	free(p);
}

/* n octets come by s, in a packet of their own */
static inline void R_bytes(struct mp_sub *s, const uint8_t *b, uint32_t n)
{
	struct pkt *p = calloc(1, sizeof(*p) + n);
	struct slice *sl;

	assert_non_null(p);
	*p = (struct pkt){ .data = (uint8_t *)(p + 1), .len = n,
			   .truesize = n + R.truesize, .refs = 1,
			   .release = R_release };
	memcpy(p->data, b, n);
	sl = slice_make(&P.end[1].fake.mem, p, p->data, n);
	pkt_put(p);
	if (sl) {
		sl->seq = s->rx_nxt;
		mp_rx_deliver(s, P.now, sl);
	}
}

/* a DSS comes with the segment at ssn `at`, seg octets long */
static inline enum tcp_verdict R_dss(struct mp_sub *s, uint32_t at,
				     uint32_t seg, struct mp_opt_dss *d)
{
	static struct tcp_seg t;

	t = (struct tcp_seg){ .seq = s->irs + at, .len = seg };
	t.opts.mp.have = MP_HAVE(MP_OPT_DSS);
	t.opts.mp.dss = *d;
	d->map = d->dsn8 = true;
	d->dsn += R.c->keys.idsn_remote + 1;
	d->infinite = d->data_len == 0;
	return mp_rx_dss(s, P.now, &t, d);
}

static inline enum tcp_verdict R_map(struct mp_sub *s, uint64_t off, uint32_t n,
				     bool fin)
{
	struct mp_opt_dss d = { .dsn = off, .ssn = s->rx_nxt, .fin = fin,
				.data_len = (uint16_t)(n + fin) };

	return R_dss(s, s->rx_nxt, n, &d);
}

/* b is the payload of a mapping that comes by s, in segments of step octets */
static inline void R_send_as(struct mp_sub *s, uint64_t off, const uint8_t *b,
			     uint32_t n, uint32_t step)
{
	assert_int_equal(R_map(s, off, n, false), TCP_UP_OK);
	for (uint32_t at = 0; at < n && s->state == MP_SUB_OPEN; at += step) {
		R_bytes(s, b + at, min_u32(step, n - at));
	}
}

/* [lo, hi) of the stream by s */
static inline void R_send(unsigned i, uint64_t lo, uint64_t hi)
{
	R_send_as(R.s[i], lo, R.wire + lo, (uint32_t)(hi - lo), 1400);
}

static inline void R_data_fin(unsigned i, uint64_t off)
{
	struct mp_opt_dss d = { .dsn = off, .fin = true, .data_len = 1 };

	assert_int_equal(R_dss(R.s[i], R.s[i]->rx_nxt, 0, &d), TCP_UP_OK);
}

/* the subflow was reset for that, and only it */
static inline void R_lost(unsigned i, uint8_t reason)
{
	assert_int_equal(R.s[i]->state, MP_SUB_DEAD);
	assert_int_equal(R.s[!i]->state, MP_SUB_OPEN);
	assert_true(R.s[i]->rst.with_reason);
	assert_int_equal(R.s[i]->rst.reason, reason);
	assert_true(R.s[i]->rst.transient);
	assert_false(P.end[1].app.closed);
}

#endif
