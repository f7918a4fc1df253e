/* handshake.h - two stacks, and a box that looks at the segments of their
 * handshake, takes options out, loses them, or cuts them
 */
#ifndef TESTS_UNIT_MPTCP_HANDSHAKE_H
#define TESTS_UNIT_MPTCP_HANDSHAKE_H

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "tests/unit/mptcp/common.h"

/* the segments of the handshake */
enum { SYN, SYNACK, ACK, KINDS };

static struct {
	bool no_eno[KINDS], no_capable[KINDS];
	bool no_dss;     /* client's */
	unsigned lose[KINDS]; /* so many of them */
	unsigned split;
	bool twice, deaf; /* SYN-ACKs come again; nothing else from B comes */
	unsigned dss_early;
	unsigned seen[KINDS], eno[KINDS], capable[KINDS], ts[KINDS];
	uint8_t len[KINDS], flags[KINDS]; /* of the last MP_CAPABLE */
	uint8_t eno_len[KINDS];
	uint8_t raw[KINDS][40]; /* the last MP_CAPABLE as it was sent */
	uint64_t payload;
	bool rst;
} box;

static inline int kind_of(const struct mpair_pkt *p)
{
	uint8_t f = p->seg.flags & (TCP_SYN | TCP_ACK | TCP_RST);

	return f == TCP_SYN		? SYN :
	       f == (TCP_SYN | TCP_ACK) ? SYNACK :
	       f == TCP_ACK && !p->from ? ACK :
					  -1;
}

static inline void note_raw(const struct mpair_pkt *p, int kind)
{
	const uint8_t *o = p->pkt->data + 40; /* IPv4 */

	while (o[0] != MP_OPT_KIND || o[2] >> 4 != MP_OPT_CAPABLE) {
		o += *o == 1 ? 1 : o[1];
	}
	memcpy(box.raw[kind], o, o[1]);
}

static inline void note(const struct mpair_pkt *p, int kind)
{
	const struct tcp_opts *o = &p->seg.opts;

	box.seen[kind]++;
	box.eno[kind] += o->eno.n;
	box.ts[kind] += o->has_ts;
	box.eno_len[kind] = o->eno.len;
	box.dss_early += kind == ACK && P.end[0].app.c &&
			 !P.end[0].app.c->crypt.heard &&
			 o->mp.have & MP_HAVE(MP_OPT_DSS);
	if (o->mp.have & MP_HAVE(MP_OPT_CAPABLE)) {
		box.capable[kind]++;
		box.len[kind] = o->mp.capable.len;
		box.flags[kind] = o->mp.capable.flags;
		note_raw(p, kind);
	}
}

static inline void mbox(void *ctx, struct mpair_pkt *p)
{
	int kind = kind_of(p);

	(void)ctx;
	box.rst = box.rst || p->seg.flags & TCP_RST;
	box.payload += p->seg.len;
	if (box.deaf && p->from && kind < 0) {
		p->drop = true;
	}
	if (kind < 0 || p->seg.opts.mp.have & MP_HAVE(MP_OPT_JOIN)) {
		return;
	}
	note(p, kind);
	if (box.no_eno[kind]) {
		mpair_strip_eno(p);
	}
	if (box.no_capable[kind]) {
		mpair_strip(p, MP_HAVE(MP_OPT_CAPABLE));
	}
	if (kind == ACK && box.no_dss) {
		mpair_strip(p, MP_HAVE(MP_OPT_DSS));
	}
	if (kind == ACK) {
		p->split = box.split;
	}
	p->dup = kind == SYNACK && box.twice;
	if (box.lose[kind]) {
		box.lose[kind]--;
		p->drop = true;
	}
}

static inline void begin(uint64_t seed, enum mp_crypt_policy a,
			 enum mp_crypt_policy b)
{
	mpair_defaults(&P, seed);
	memset(&box, 0, sizeof(box));
	P.mbox = mbox;
	P.end[0].n_paths = 1;
	P.end[0].cfg.crypt_policy = a;
	P.end[1].cfg.crypt_policy = b;
}

static inline void connect_now(void)
{
	mpair_start(&P);
	mpair_connect(&P);
}

static inline bool decided(const struct mpair *p)
{
	return p->end[0].app.closed || mpair_established(p);
}

static inline struct mp_conn *conn(unsigned end)
{
	return P.end[end].app.c;
}

static inline const char *mode(unsigned end)
{
	struct mp_info i;

	get_info(end, &i);
	return mp_info_mode(&i);
}

/* ends what was refused, or given up */
static inline void give_up(void)
{
	mpair_close(&P, 0, true);
	mpair_close(&P, 1, true);
	mpair_sleep(&P, NANOS_S);
	mpair_stop(&P);
}

static inline void refused(int err, unsigned by)
{
	assert_true(mpair_run(&P, 60 * NANOS_S, decided));
	mpair_sleep(&P, NANOS_S);
	assert_true(P.end[0].app.closed);
	assert_int_equal(P.end[0].app.err, err);
	assert_int_equal(P.end[1].app.accepted, 0);
	assert_int_equal(P.end[0].app.got + P.end[1].app.got, 0);
	assert_int_equal(count(by, MP_CRYPT_REFUSED), 1);
	assert_true(box.rst);
	give_up();
}

/* The path takes ENO out of the SYN that comes again, when the answer to the
 * first one is on its way already: A seals, and B must not (RFC 8547 4.6, rule
 * 1).  What A says then is nothing for B's program.  Just connected, with 700
 * ms to the other end. */
static inline void stripped_too_late(void)
{
	mpair_send(&P, 0, 100, false);
	mpair_sleep(&P, 500 * NANOS_MS);
	box.no_eno[SYN] = true;
	assert_true(mpair_run(&P, 60 * NANOS_S, decided));
	mpair_sleep(&P, 5 * NANOS_S);
	assert_int_equal(box.eno[SYN], 2);
	assert_true(P.end[0].app.closed);
	assert_int_not_equal(P.end[0].app.err, 0);
	assert_int_equal(P.end[1].app.accepted, 0);
	assert_int_equal(P.end[1].app.got, 0);
	assert_int_equal(count(1, MP_CRYPT_ABORT), 1);
	give_up();
}

/* both ends agree on this, and it works */
static inline void works(const char *want)
{
	static struct mp_info i[2];

	assert_true(mpair_run(&P, 60 * NANOS_S, decided));
	assert_true(mpair_established(&P));
	transfer(5000, 7000, 20 * NANOS_S);
	mpair_sleep(&P, 100 * NANOS_MS); /* the last acknowledgements */
	assert_string_equal(mode(0), want);
	assert_string_equal(mode(1), want);
	for (unsigned e = 0; e < 2; e++) {
		get_info(e, &i[e]);
		assert_int_equal(i[e].sealed, strstr(want, "crypt") ||
						      !strcmp(want, "smtcp"));
		assert_int_equal(i[e].have_session_id, i[e].sealed);
	}
	assert_memory_equal(i[0].session_id, i[1].session_id,
			    CRYPT_SESSION_ID);
}

#endif
