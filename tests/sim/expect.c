/* What the handshake of the first subflow must come to: the tables of smtcp(7)
 * applied to what each side sent and what reached the other.
 *
 * Where a middlebox changed an ENO option (not only took it out), or SYNs with
 * and without one reached the same host, what follows is read off the next
 * segment instead; that the connection must then end is still known.
 */
#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "stack/wire/eno_opt.h"
#include "tests/sim/watch.h"

static struct expect_opts opts_of(const struct tcp_seg *seg)
{
	const struct tcp_opts *t = &seg->opts;
	struct expect_opts o = { .there = true, .eno_n = t->eno.n };

	if (t->eno.n) {
		o.eno_len = t->eno.len;
		memcpy(o.eno, t->eno.opt, t->eno.len);
	}
	if (t->mp.have & MP_HAVE(MP_OPT_CAPABLE)) {
		o.cap = true;
		o.capable = t->mp.capable;
	}
	return o;
}

static bool same_eno(const struct expect_opts *a, const struct expect_opts *b)
{
	return a->eno_n == b->eno_n && a->eno_len == b->eno_len &&
	       memcmp(a->eno, b->eno, a->eno_len) == 0;
}

static bool same_cap(const struct expect_opts *a, const struct expect_opts *b)
{
	const struct mp_opt_capable *x = &a->capable, *y = &b->capable;

	return a->cap == b->cap &&
	       (!a->cap ||
		(x->len == y->len && x->flags == y->flags &&
		 x->version == y->version && x->key_snd == y->key_snd));
}

static void die(struct conn *c, const char *why)
{
	struct expect *x = &watch_of(c)->x;

	if (!x->doom) {
		world_say(c->w, "conn %u cannot live: %s", c->index, why);
		x->doom = why;
	}
	c->may_die = true;
}

static void refuse(struct conn *c, unsigned side)
{
	struct expect *x = &watch_of(c)->x;

	if (!x->refused[side]) {
		world_say(c->w, "conn %u: refused by %s", c->index,
			  side ? "server" : "client");
	}
	x->refused[side] = true;
	c->may_die = true;
}

/* B answers each SYN anew, and may not offer what a cookie cannot keep; an ACK
 * for which it has no memory has not been there. */
bool expect_stateless(const struct conn *c)
{
	return c->side[1].host->cfg.cookies == STACK_COOKIES_ALWAYS;
}

static void set_state(struct conn *c, unsigned side, enum expect_state st)
{
	struct expect *x = &watch_of(c)->x;

	world_say(c->w, "conn %u %s: %s", c->index, side ? "server" : "client",
		  st == EXPECT_SEALED ? "sealed" : "clear");
	x->state[side] = st;
	if (x->state[0] == EXPECT_SEALED && x->state[1] == EXPECT_CLEAR &&
	    !expect_stateless(c)) {
		die(c, "ENO was lost from the third ACK");
	}
	/* RFC 8548 3.5: a plain resumption has the nonces in its keys alone */
	if (x->eno_touched && (x->murky || (x->resumed && !x->sm))) {
		c->may_die = true;
	} else if (x->eno_touched && x->state[0] == EXPECT_SEALED &&
		   x->state[1] == EXPECT_SEALED) {
		die(c, "an ENO option was altered");
	}
}

/* --- policies ------------------------------------------------------------- */

static const struct mp_cfg *cfg_of(const struct conn *c, unsigned side)
{
	return &c->side[side].host->cfg.mp;
}

enum mp_crypt_policy expect_policy(const struct conn *c, unsigned side)
{
	enum mp_crypt_policy p = cfg_of(c, side)->crypt_policy;
	enum mp_crypt_policy least = watch_of(c)->x.least;

	return side == 0 && least > p && p != MP_CRYPT_OFF ? least : p;
}

/* What A's memory of the destination asks for, if it is to be enforced. */
static enum mp_crypt_policy remembered(struct conn *c)
{
	struct host *h = c->side[0].host;
	const struct crypt_memo_entry *e = NULL;
	uint8_t name[CRYPT_MEMO_NAME];
	struct wr w = wr_make(name, sizeof(name));

	wr_u8(&w, c->to.family);
	wr_copy(&w, c->to.b, addr_len(&c->to));
	wr_u16(&w, c->port);
	if (h->cfg.mp.memo_mode == MP_MEMO_ENFORCE) {
		e = crypt_memo_get(&h->memo, name, wr_len(&w));
	}
	return !e                             ? MP_CRYPT_OFF
	       : e->level == CRYPT_MEMO_SMTCP ? MP_CRYPT_REQUIRE
					      : MP_CRYPT_REQUIRE_ANY;
}

/* is this end of the handshake too little for the side? */
static bool too_little(const struct conn *c, unsigned side, bool sealed,
		       bool sm, bool mptcp)
{
	switch (expect_policy(c, side)) {
	case MP_CRYPT_REQUIRE_ANY:
		return !sealed;
	case MP_CRYPT_REQUIRE:
		return !sealed || !sm || !mptcp;
	case MP_CRYPT_OFF:
	case MP_CRYPT_PREFER:
	default:
		return false;
	}
}

/* The TEP that B's answer names; 0: none */
static uint8_t answered(const struct expect_opts *o)
{
	struct eno_opt e;

	return o->eno_n == 1 && eno_opt_parse(o->eno, o->eno_len, &e) && e.n
		       ? e.sub[e.n - 1].tep
		       : 0;
}

static bool resumes(const struct expect_opts *o)
{
	struct eno_opt_sm sm;
	struct eno_opt e;

	if (o->eno_n != 1 || !eno_opt_parse(o->eno, o->eno_len, &e)) {
		return false;
	}
	for (unsigned i = 0; i < e.n; i++) {
		if (e.sub[i].tep == ENO_TEP_EXP
			    ? eno_opt_sm_parse(&e.sub[i], &sm) && sm.resume
			    : e.sub[i].len >= ENO_HALF) {
			return true;
		}
	}
	return false;
}

static bool has_kx(const struct crypt_conf *c, uint8_t kx)
{
	for (unsigned i = 0; i < c->n_kx; i++) {
		if (c->kx[i] == kx) {
			return true;
		}
	}
	return false;
}

static bool has_smtcp(const struct mp_cfg *m)
{
	return m->policy != MP_OFF && !m->crypt_apart;
}

bool expect_hopeless(const struct side *s)
{
	const struct mp_cfg *m = &s->host->cfg.mp;

	return s->conn->w->crypted && m->crypt_policy == MP_CRYPT_REQUIRE &&
	       !has_smtcp(m);
}

/* Can a host with this configuration use the suboption? */
static bool can_use(const struct mp_cfg *m, const struct eno_opt_sub *s)
{
	struct eno_opt_sm sm;

	if (s->tep != ENO_TEP_EXP) {
		return m->crypt_policy != MP_CRYPT_REQUIRE &&
		       has_kx(&m->crypt_conf, s->tep);
	}
	if (!has_smtcp(m) || !eno_opt_sm_parse(s, &sm)) {
		return false;
	}
	for (unsigned i = 0; i < sm.n; i++) {
		if (has_kx(&m->crypt_conf, sm.kx[i])) {
			return true;
		}
	}
	return false;
}

/* The TEP that B chooses from A's unaltered option: 0x20 before others
 * (smtcp(7), Order); 0: none */
static uint8_t choice(const struct conn *c, const struct expect_opts *syn)
{
	const struct mp_cfg *a = cfg_of(c, 0), *b = cfg_of(c, 1);
	struct eno_opt e;
	uint8_t tep = 0;

	if (syn->eno_n != 1 || b->crypt_policy == MP_CRYPT_OFF ||
	    b->crypt_conf.vacuous ||
	    (b->crypt_conf.aware_only && !a->crypt_conf.aware) ||
	    !eno_opt_parse(syn->eno, syn->eno_len, &e)) {
		return 0;
	}
	for (unsigned i = 0; i < e.n; i++) {
		if (can_use(b, &e.sub[i]) && tep != ENO_TEP_EXP) {
			tep = e.sub[i].tep;
		}
	}
	/* one of the two must give way */
	return tep != ENO_TEP_EXP && b->policy == MP_REQUIRE && syn->cap &&
			       !b->crypt_apart
		       ? 0
		       : tep;
}

/* Does A go on with the encryption that B's unaltered answer names? */
static bool accepts(const struct conn *c, const struct expect_opts *sa)
{
	const struct mp_cfg *a = cfg_of(c, 0), *b = cfg_of(c, 1);
	uint8_t tep = answered(sa);

	if (!tep || (a->crypt_conf.aware_only && !b->crypt_conf.aware)) {
		return false;
	}
	return tep == ENO_TEP_EXP || !sa->cap || a->policy != MP_REQUIRE;
}

/* --- SYN and SYN/ACK ------------------------------------------------------ */

static void syn_out(struct conn *c, const struct tcp_seg *seg)
{
	struct expect *x = &watch_of(c)->x;
	struct expect_opts o = opts_of(seg);
	const struct mp_cfg *m = cfg_of(c, 0);
	bool had = x->syn_out.there;

	if (!had) {
		x->least = remembered(c);
	}
	if (o.eno_n == 0 && expect_policy(c, 0) >= MP_CRYPT_REQUIRE_ANY) {
		world_fail(c->w, "conn %u: a SYN without ENO, required here",
			   c->index);
	} else if (o.eno_n == 0 && !had && m->crypt_policy != MP_CRYPT_OFF &&
		   m->crypt_conf.n_kx > 0) {
		world_fail(c->w, "conn %u: the first SYN has no ENO", c->index);
	} else if (o.eno_n && m->crypt_policy == MP_CRYPT_OFF) {
		world_fail(c->w, "conn %u: ENO, switched off here", c->index);
	}
	if (had && o.eno_n && x->syn_out.eno_n && !same_eno(&o, &x->syn_out)) {
		world_fail(c->w, "conn %u: the SYN's ENO changed", c->index);
	}
	/* with and without: it depends on which is answered */
	x->eno_dropped |= had && !o.eno_n != !x->syn_out.eno_n;
	if (!had) {
		x->syn_out = o;
		x->iss[0] = seg->seq;
	}
}

static void syn_in(struct conn *c, const struct tcp_seg *seg)
{
	struct expect *x = &watch_of(c)->x;
	struct expect_opts o = opts_of(seg);

	/* B may have given up for it */
	x->eno_dropped |= x->syn_in.there && !same_eno(&o, &x->syn_in);
	if (x->sa_out.there) {
		return;
	}
	/* a full queue may have swallowed the one before, or not */
	x->murky |= expect_stateless(c);
	x->murky |= x->syn_in.there && !same_eno(&o, &x->syn_in);
	x->syn_in = o;
	x->irs[1] = seg->seq;
	x->ts = seg->opts.has_ts ? seg->opts.ts_val : 0;
	x->eno_touched |= o.eno_n && !same_eno(&o, &x->syn_out);
	x->cap_touched |= o.cap && x->syn_out.cap && !same_cap(&o, &x->syn_out);
}

static void synack_out(struct conn *c, const struct tcp_seg *seg)
{
	struct expect *x = &watch_of(c)->x;
	struct expect_opts o = opts_of(seg);
	uint8_t want = choice(c, &x->syn_in), tep = answered(&o);

	if (!x->syn_in.there || seg->ack != x->irs[1] + 1) {
		return; /* of the connection that had the port before */
	}
	x->said[x->n_said++ % EXPECT_SAID] = seg->seq;
	if (x->sa_out.there &&
	    (seg->seq != x->iss[1] || expect_stateless(c))) {
		return; /* a copy of the SYN came when all was over */
	}
	if (x->sa_out.there) {
		if ((o.eno_n && !same_eno(&o, &x->sa_out)) ||
		    (o.cap && !same_cap(&o, &x->sa_out)) ||
		    (!o.cap && x->sa_out.cap && !x->eno_dropped) ||
		    (!o.eno_n && answered(&x->sa_out) && !x->eno_dropped &&
		     x->state[1] != EXPECT_CLEAR)) {
			world_fail(c->w, "conn %u: the SYN/ACK changed",
				   c->index);
		}
		x->sa_out.eno_n = o.eno_n; /* A had stopped asking */
		return;
	}
	x->sa_out = o;
	x->iss[1] = seg->seq;
	x->sm = tep == ENO_TEP_EXP;
	x->resumed = resumes(&o);
	if (!x->murky && !x->eno_touched &&
	    ((want == ENO_TEP_EXP) != x->sm || !want != !tep)) {
		world_fail(c->w,
			   "conn %u: the SYN/ACK names TEP %02x, not %02x",
			   c->index, tep, want);
	}
	if (o.cap && tep && !x->sm && !cfg_of(c, 1)->crypt_apart) {
		world_fail(c->w,
			   "conn %u: plain tcpcrypt and Multipath TCP in one "
			   "SYN/ACK",
			   c->index);
	}
	if (too_little(c, 1, tep != 0, true, true)) {
		world_fail(c->w, "conn %u: answered where policy refuses",
			   c->index);
		return;
	}
	x->refused[1] = false; /* a SYN before this one was too little */
	if (too_little(c, 1, tep != 0, x->sm, o.cap)) {
		refuse(c, 1);
	}
}

static void synack_in(struct conn *c, const struct tcp_seg *seg)
{
	struct expect *x = &watch_of(c)->x;
	struct expect_opts o = opts_of(seg);

	if (x->sa_in.there || !x->sa_out.there || seg->ack != x->iss[0] + 1) {
		return;
	}
	x->sa_in = o;
	x->irs[0] = seg->seq;
	if (expect_stateless(c)) { /* this one counts, not the first one */
		x->sm = answered(&o) == ENO_TEP_EXP;
		x->resumed = resumes(&o);
	}
	x->eno_touched |=
		o.eno_n && x->sa_out.eno_n && !same_eno(&o, &x->sa_out);
	x->cap_touched |= o.cap && x->sa_out.cap && !same_cap(&o, &x->sa_out);
	x->key_touched |= o.cap && x->sa_out.cap &&
			  o.capable.key_snd != x->sa_out.capable.key_snd;
}

/* --- the third ACK -------------------------------------------------------- */

static void ack_out(struct conn *c, const struct tcp_seg *seg)
{
	struct expect *x = &watch_of(c)->x;
	bool sealed;

	if (x->ack_out.there || !x->sa_in.there) {
		return;
	}
	x->ack_out = opts_of(seg);
	sealed = x->ack_out.eno_n > 0;
	if (!x->murky && !x->eno_touched && !x->eno_dropped &&
	    sealed != accepts(c, &x->sa_in)) {
		world_fail(c->w, "conn %u: the third ACK has %s ENO", c->index,
			   sealed ? "an" : "no");
	}
	if (x->ack_out.cap && sealed && !x->sm) {
		world_fail(c->w,
			   "conn %u: plain tcpcrypt and Multipath TCP in the "
			   "third ACK",
			   c->index);
	}
	set_state(c, 0, sealed ? EXPECT_SEALED : EXPECT_CLEAR);
	if (too_little(c, 0, sealed, x->sm, x->ack_out.cap)) {
		world_fail(c->w, "conn %u: goes on where policy refuses",
			   c->index);
	}
}

bool expect_common_cipher(const struct conn *c)
{
	const struct crypt_conf *a = &cfg_of(c, 0)->crypt_conf;
	const struct crypt_conf *b = &cfg_of(c, 1)->crypt_conf;

	for (unsigned i = 0; i < a->n_aead; i++) {
		for (unsigned k = 0; k < b->n_aead; k++) {
			if (a->aead[i] == b->aead[k]) {
				return true;
			}
		}
	}
	return false;
}

static bool keys_right(const struct conn *c, const struct expect_opts *o)
{
	const struct watch_conn *w = watch_of(c);

	return o->cap && o->capable.len >= 20 && w->side[0].has_key &&
	       w->side[1].has_key && o->capable.key_snd == w->side[0].key &&
	       o->capable.key_rcv == w->side[1].key;
}

/* does it acknowledge a SYN/ACK of B? */
static bool right_ack(const struct conn *c, const struct tcp_seg *seg)
{
	const struct expect *x = &watch_of(c)->x;
	unsigned n = min_u32(x->n_said, EXPECT_SAID);

	if (!expect_stateless(c)) {
		return seg->ack == x->iss[1] + 1;
	}
	for (unsigned i = 0; i < n; i++) {
		if (seg->ack == x->said[i] + 1) {
			return true;
		}
	}
	return false;
}

/* B's first segment with ACK decides */
static void ack_in(struct conn *c, const struct tcp_seg *seg)
{
	struct expect *x = &watch_of(c)->x;
	const struct expect_opts *sa =
		expect_stateless(c) ? &x->sa_in : &x->sa_out;
	bool sealed, cap, vague;

	if (x->ack_in.there || !x->sa_out.there ||
	    !right_ack(c, seg) ||
	    (x->ts && seg->opts.has_ts && seq_lt(seg->opts.ts_val, x->ts)) ||
	    seg->seq - x->irs[1] - 1 > 65535) {
		return;
	}
	x->ack_in = opts_of(seg);
	if (expect_stateless(c) && x->ack_out.there &&
	    (x->ack_in.eno_n != x->ack_out.eno_n ||
	     x->ack_in.cap != x->ack_out.cap)) {
		/* nothing is kept of one that is refused: the next may open */
		x->ack_in.there = false;
		x->murky = true;
		c->may_die = true;
		return;
	}
	sealed = answered(sa) && x->ack_in.eno_n > 0;
	cap = sa->cap && keys_right(c, &x->ack_in);
	set_state(c, 1, sealed ? EXPECT_SEALED : EXPECT_CLEAR);
	/* another option of Multipath TCP: what the SYN/ACK when it came again
	 * was answered with, and the keys are still to come */
	vague = !cap && seg->opts.mp.have;
	if (!vague && too_little(c, 1, sealed, x->sm, cap)) {
		refuse(c, 1);
	}
	if (x->resumed && x->sa_out.eno_n && !sealed) {
		die(c, "B agreed to resume, and no ENO came");
	}
	if (!vague && sealed && x->resumed && x->ack_out.cap && !cap) {
		die(c, "resumed, and B lacks Key-A");
	}
	if (sealed && !x->resumed && !expect_common_cipher(c)) {
		die(c, "no cipher in common");
	}
	if (vague || x->cap_touched) { /* the transcripts may differ */
		c->may_die = true;
	}
}

/* by policy, if there is nothing else that it could be */
static void refused_by(struct conn *c, unsigned side, bool sure)
{
	if (sure) {
		refuse(c, side);
	} else {
		c->may_die = true;
	}
}

static void rst_out(struct conn *c, unsigned side)
{
	struct expect *x = &watch_of(c)->x;
	int err = c->side[side].err;
	bool touched = x->murky || x->eno_touched || x->eno_dropped ||
		       (err && err != EPROTO);

	if (side == 0 && x->sa_in.there && !x->ack_out.there) {
		refused_by(c, 0,
			   !touched && too_little(c, 0, accepts(c, &x->sa_in),
						  x->sm, x->sa_in.cap));
	} else if (side == 1 && x->eno_dropped &&
		   too_little(c, 1, false, false, false)) {
		c->may_die = true; /* a later SYN was too little */
	} else if (side == 1 && x->syn_in.there && !x->sa_out.there) {
		uint8_t tep = choice(c, &x->syn_in);

		refused_by(c, 1,
			   !touched && too_little(c, 1, tep != 0,
						  tep == ENO_TEP_EXP,
						  x->syn_in.cap));
	}
}

/* --- segments ------------------------------------------------------------- */

/* Without MP_CAPABLE in the SYN/ACK there is no Multipath TCP, and no option of
 * it, not in an RST either. */
static void stray_option(struct conn *c, unsigned side,
			 const struct tcp_seg *seg)
{
	const struct expect *x = &watch_of(c)->x;
	const struct expect_opts *sa = side ? &x->sa_out : &x->sa_in;

	if (side == 1 && expect_stateless(c)) {
		return; /* which SYN/ACK was answered? */
	}
	if (!(seg->flags & TCP_SYN) && seg->opts.mp.have && sa->there &&
	    !sa->cap) {
		world_fail(c->w, "conn %u %s: an option of Multipath TCP",
			   c->index, side ? "server" : "client");
	}
}

void expect_out(struct conn *c, unsigned side, const struct tcp_seg *seg)
{
	stray_option(c, side, seg);
	if (seg->flags & TCP_RST) {
		rst_out(c, side);
	} else if (seg->flags & TCP_SYN) {
		if (side == 0) {
			syn_out(c, seg);
		} else {
			synack_out(c, seg);
		}
	} else if (side == 0) {
		ack_out(c, seg);
	}
}

void expect_in(struct conn *c, unsigned side, const struct tcp_seg *seg)
{
	if (seg->flags & TCP_RST) {
		return;
	}
	if (side == 0 && (seg->flags & TCP_SYN) && (seg->flags & TCP_ACK)) {
		synack_in(c, seg);
	} else if (side == 1 && (seg->flags & TCP_SYN) &&
		   !(seg->flags & TCP_ACK)) {
		syn_in(c, seg);
	} else if (side == 1 && (seg->flags & TCP_ACK)) {
		ack_in(c, seg);
	}
}

/* --- what came of it ------------------------------------------------------ */

static void note(struct side *s, const struct mp_info *i)
{
	struct conn *c = s->conn;

	c->was_sealed |= i->sealed;
	c->was_smtcp |= i->sec == MP_SEC_SMTCP;
	c->was_resumed |= i->crypt.resumed;
	if (i->have_session_id && i->crypt.rx_frames > 0) {
		s->has_id = true;
		memcpy(s->session_id, i->session_id, sizeof(s->session_id));
	}
}

void expect_side(struct side *s)
{
	struct conn *c = s->conn;
	struct expect *x;
	struct mp_info i;
	unsigned k = s->client ? 0 : 1;
	bool sealed;

	if (!c->w->watch || !s->sk || !sock_info(s->sk, &i) ||
	    i.mode == MP_MODE_PENDING) {
		return;
	}
	if (c->simultaneous) { /* TEP 0x20 is not for these */
		if (i.sealed && i.crypt.smtcp) {
			world_fail(c->w, "conn %u: SMTCP, and both opened",
				   c->index);
		}
		note(s, &i);
		return;
	}
	x = &watch_of(c)->x;
	sealed = x->state[k] == EXPECT_SEALED;
	if (!x->murky && x->state[k] != EXPECT_ASKING && i.sealed != sealed) {
		world_fail(c->w, "conn %u %s: %s, expected %s", c->index,
			   k ? "server" : "client", mp_info_mode(&i),
			   sealed ? "sealed" : "clear");
	}
	if (i.sealed && i.sec != MP_SEC_NONE &&
	    (i.sec == MP_SEC_SMTCP) !=
		    (i.crypt.tep == ENO_TEP_EXP && i.mode == MP_MODE_MPTCP)) {
		world_fail(c->w, "conn %u: %s with TEP %02x in mode %s",
			   c->index, mp_info_mode(&i), i.crypt.tep,
			   mp_mode_text(i.mode));
	}
	note(s, &i);
}

static void end_refused(struct conn *c, unsigned side)
{
	const struct side *s = &c->side[side];

	if (s->rx > 0) {
		world_fail(c->w, "conn %u: data on a refused connection",
			   c->index);
	}
	if (side == 0 && s->closed && s->err != EPROTO &&
	    s->how != CLOSE_ABORT && s->how != CLOSE_UNREAD && !c->w->risky) {
		world_fail(c->w, "conn %u: refused with error %d", c->index,
			   s->err);
	}
	if (side == 1 && c->accepted) {
		world_fail(c->w, "conn %u: refused, and accepted", c->index);
	}
}

void expect_end(struct conn *c)
{
	const struct side *a = &c->side[0], *b = &c->side[1];
	const struct expect *x;

	if (!c->w->watch || !c->started) {
		return;
	}
	if (a->has_id && b->has_id &&
	    memcmp(a->session_id, b->session_id, sizeof(a->session_id))) {
		world_fail(c->w, "conn %u: two session ids", c->index);
	}
	if (c->simultaneous) {
		return;
	}
	x = &watch_of(c)->x;
	for (unsigned k = 0; k < 2; k++) {
		if (x->refused[k]) {
			end_refused(c, k);
		}
	}
	if (x->doom && (a->rx || b->rx)) {
		world_fail(c->w, "conn %u: data came although %s", c->index,
			   x->doom);
	}
}
