/* What a middlebox or an attacker on the path does to ENO options, Init
 * messages and frames; checksums are right afterwards.
 */
#include <openssl/hmac.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/wire/crypt_msg.h"
#include "tests/sim/edit.h"
#include "tests/sim/watch.h"

static bool is_syn(const struct edit *e)
{
	return e->seg.flags & TCP_SYN && !(e->seg.flags & TCP_ACK);
}

static bool is_synack(const struct edit *e)
{
	return e->seg.flags & TCP_SYN && e->seg.flags & TCP_ACK;
}

static bool with_eno(const struct edit *e)
{
	return edit_count(e, ENO_OPT_KIND, -1) > 0;
}

bool box_crypt_drops(struct box *b, const struct edit *e)
{
	if (!box_has(b, F_ENO_BLOCK) || !b->block_left || !is_syn(e) ||
	    !with_eno(e)) {
		return false;
	}
	b->block_left--;
	world_fault(b->w, F_ENO_BLOCK);
	return true;
}

/* --- ENO ------------------------------------------------------------------ */

static bool strip(struct box *b, struct edit *e)
{
	bool syn = is_syn(e), synack = is_synack(e), did = false;
	struct conn *c = b->w->watch ? watch_conn(b->w, &e->seg) : NULL;
	bool late = c && watch_of(c)->x.ack_in.there;

	did |= box_strip(b, e, F_ENO_SYN, syn, ENO_OPT_KIND, -1);
	did |= box_strip(b, e, F_ENO_SYNACK, synack, ENO_OPT_KIND, -1);
	did |= box_strip(b, e, F_ENO_ACK, !syn && !synack, ENO_OPT_KIND, -1);
	did |= box_strip(b, e, F_ENO_LATE, !syn && !synack && late,
			 ENO_OPT_KIND, -1);
	return did;
}

static void set_len(struct edit_opt *o, unsigned len)
{
	o->len = (uint8_t)len;
	o->b[1] = (uint8_t)len;
}

/* where suboption "SM" begins; 0: nowhere */
static unsigned sm_at(const struct edit_opt *o)
{
	for (unsigned i = 2; i + 3 <= o->len; i++) {
		if (o->b[i] == (0x80 | ENO_TEP_EXP) && o->b[i + 1] == 'S' &&
		    o->b[i + 2] == 'M') {
			return i;
		}
	}
	return 0;
}

/* the global suboption is there, or is put there */
static void flip_global(struct edit_opt *o, uint8_t bits)
{
	if (o->len > 2 && o->b[2] < 0x20) {
		o->b[2] ^= bits;
	} else if (o->len < ENO_OPT_MAX) {
		memmove(o->b + 3, o->b + 2, o->len - 2u);
		o->b[2] = bits;
		set_len(o, o->len + 1u);
	}
}

static bool alter(struct box *b, struct edit *e)
{
	struct edit_opt *o = edit_find(e, ENO_OPT_KIND, -1);
	unsigned at;

	/* not where both open: roles that fit by force may seal that */
	if (!box_has(b, F_ENO_ALTER) || !o || !watch_conn(b->w, &e->seg) ||
	    !(is_syn(e) || is_synack(e)) || o->len < 4) {
		return false;
	}
	at = sm_at(o);
	/* a half and a nonce are worth more than the rest */
	switch (o->len > 12 ? 3 + world_below(b->w, 2) : world_below(b->w, 5)) {
	case 0:
		flip_global(o, ENO_OPT_A);
		break;
	case 1: /* both of one role */
		flip_global(o, ENO_OPT_B);
		break;
	case 2: /* the better protocol is gone */
		if (at > 2) {
			set_len(o, at);
		} else {
			flip_global(o, ENO_OPT_A);
		}
		break;
	case 3: /* half of an identifier, a nonce, or the key exchange */
		o->b[o->len - 1] ^= 1;
		break;
	default: /* in front of the last octets: the half */
		o->b[at && at + 8u < o->len ? at + 8 : o->len - 1u] ^= 0x10;
		break;
	}
	world_fault(b->w, F_ENO_ALTER);
	return true;
}

static bool ruin(struct box *b, struct edit *e)
{
	struct edit_opt *o = edit_find(e, ENO_OPT_KIND, -1);
	unsigned at;

	if (!box_has(b, F_ENO_BREAK) || !o || !(is_syn(e) || is_synack(e)) ||
	    o->len < 4) {
		return false;
	}
	at = sm_at(o);
	switch (world_below(b->w, 5)) {
	case 0: /* a second one */
		if (e->n < EDIT_OPTS_MAX) {
			edit_add(e, (const uint8_t[]){ ENO_OPT_KIND, 2 }, 2);
		}
		break;
	case 1: /* vacuous */
		o->b[2] = is_syn(e) ? 0 : ENO_OPT_B;
		set_len(o, 3);
		break;
	case 2: /* ill-formed: a length beyond the option's end */
		o->b[2] = 0x9f;
		break;
	case 3: /* somebody else's experiment */
		if (at) {
			o->b[at + 1] = 'X';
		}
		break;
	default: /* TEPs that nobody has */
		for (unsigned i = 2; i < o->len; i++) {
			o->b[i] = 0x7e;
		}
		break;
	}
	world_fault(b->w, F_ENO_BREAK);
	return true;
}

/* flags in a SYN, a key in a SYN/ACK: both are in the transcript */
static bool alter_capable(struct box *b, struct edit *e)
{
	struct edit_opt *o = edit_find(e, MP_OPT_KIND, MP_OPT_CAPABLE);

	if (!box_has(b, F_CAP_ALTER) || !o || !with_eno(e) ||
	    !(is_syn(e) || is_synack(e))) {
		return false;
	}
	if (is_syn(e) || o->len < 12 || world_chance(b->w, 0.5)) {
		o->b[3] ^= MP_CAP_DENY; /* harmless without encryption */
	} else {
		o->b[7] ^= 0x20;
	}
	world_fault(b->w, F_CAP_ALTER);
	return true;
}

/* --- Init and frames ------------------------------------------------------ */

/* e's payload, in the packet that it was opened from */
static uint8_t *payload(const struct edit *e, struct pkt *p)
{
	return p->data + (p->len - e->len);
}

/* B, to which ENO is lost, knows A's Init1 by its magic alone */
static bool magic_matters(const struct world *w)
{
	for (unsigned i = 0; i < w->n_hosts; i++) {
		for (unsigned k = 0; k < w->host[i].n_paths; k++) {
			if (box_has(&w->host[i].path[k].box, F_ENO_ACK)) {
				return true;
			}
		}
	}
	return false;
}

static bool alter_init(struct box *b, const struct edit *e, struct pkt *p)
{
	uint8_t *d = payload(e, p);
	uint32_t magic;

	if (!box_has(b, F_INIT_ALTER) || e->len < 70) {
		return false;
	}
	magic = be32_get(d);
	if ((magic != CRYPT_INIT1_MAGIC && magic != CRYPT_INIT2_MAGIC) ||
	    magic_matters(b->w)) {
		return false;
	}
	switch (world_below(b->w, 7)) {
	case 0: /* the magic */
		d[world_below(b->w, 4)] ^= 4;
		break;
	case 1: /* the length */
		d[4 + world_below(b->w, 4)] ^= 1;
		break;
	case 2: /* of no curve, or zero */
		memset(d + e->len - 32, 0, 32);
		break;
	case 3: /* another cipher, which nobody has */
		if (magic == CRYPT_INIT2_MAGIC) {
			be16_put(d + 8, 0x7778);
		} else {
			be16_put(d + 9, 0x7777);
		}
		break;
	case 4: /* form of a point, on curves that have one */
		d[e->len > 76 ? e->len - 33 : e->len - 1] ^= 4;
		break;
	default:
		d[world_below(b->w, e->len)] ^=
			(uint8_t)(1u << world_below(b->w, 8));
		break;
	}
	world_fault(b->w, F_INIT_ALTER);
	return true;
}

static void spoil(struct world *w, uint8_t *d, uint32_t n)
{
	uint32_t at = (uint32_t)world_below(w, n);
	uint32_t k = 1 + (uint32_t)world_below(w, n - at);

	switch (world_below(w, 6)) {
	case 0: /* a frame's header, where one often is */
		d[world_below(w, min_u32(n, CRYPT_FRAME_HDR))] ^=
			(uint8_t)(1u << world_below(w, 8));
		break;
	case 1: /* the tag, likewise */
		d[n - 1] ^= 1;
		break;
	case 2:
		rng_fill(&w->rng, d + at, k);
		break;
	case 3:
		memset(d + at, 0, k);
		break;
	case 4: /* as nothing at a sum of 16 bits */
		if (n >= 4) {
			d[0] = (uint8_t)(d[0] + 1);
			d[2] = (uint8_t)(d[2] - 1);
		} else {
			d[0] ^= 0x80;
		}
		break;
	default:
		d[at] ^= (uint8_t)(1u << world_below(w, 8));
		break;
	}
}

static bool alter_payload(struct box *b, const struct edit *e, struct pkt *p)
{
	if (!box_has(b, F_SEAL_ALTER) || e->len == 0 ||
	    !watch_sealed(b->w, &e->seg) || !world_chance(b->w, b->alter)) {
		return false;
	}
	spoil(b->w, payload(e, p), e->len);
	world_fault(b->w, F_SEAL_ALTER);
	return true;
}

/* RFC 8547 4.6: where both open there is no third ACK to tell one side that
 * the other has given up.  A SYN/ACK without ENO, or what comes in its place,
 * leaves one sealed and the other not. */
static void one_sided(struct world *w, const struct edit *e)
{
	const struct tuple *t = &e->seg.t;

	for (unsigned i = 0; e->seg.flags & TCP_ACK && i < w->n_conns; i++) {
		struct conn *c = &w->conn[i];

		c->may_die |= c->simultaneous && c->started &&
			      c->local_port == t->local.port &&
			      c->local_port == t->remote.port;
	}
}

bool box_crypt_alter(struct box *b, struct edit *e, struct pkt *p)
{
	bool did = strip(b, e);

	did |= alter(b, e);
	did |= ruin(b, e);
	if (did) {
		one_sided(b->w, e);
	}
	did |= alter_capable(b, e);
	did |= alter_init(b, e, p);
	did |= alter_payload(b, e, p);
	return did;
}

/* --- forged segments ------------------------------------------------------ */

static void bare(struct edit *f)
{
	f->len = 0;
	f->seg.flags = TCP_ACK;
	edit_strip(f, MP_OPT_KIND, -1);
	edit_strip(f, 5, -1);
}

static void add_dss(struct edit *f, const struct mp_opt_dss *d)
{
	uint8_t buf[40];
	struct wr w = wr_make(buf, sizeof(buf));

	edit_add(f, buf, (uint8_t)mp_opt_emit_dss(&w, d));
}

/* an address with an HMAC of the keys that were readable in the handshake */
static void address(struct edit *f, const struct watch_conn *w, unsigned from)
{
	struct mp_opt_add_addr a = { .id = 78, .addr = addr_v4(192, 0, 2, 77) };
	uint8_t key[16], msg[7] = { 78, 192, 0, 2, 77, 0, 0 }, out[32], buf[40];
	struct wr wr = wr_make(buf, sizeof(buf));

	be64_put(key, w->side[from].key);
	be64_put(key + 8, w->side[!from].key);
	HMAC(EVP_sha256(), key, sizeof(key), msg, sizeof(msg), out, NULL);
	memcpy(a.mac, out + 24, 8);
	edit_add(f, buf, (uint8_t)mp_opt_emit_add_addr(&wr, &a));
}

/* a mapping behind the one that goes by, with octets of the attacker's */
static void inject(struct box *b, const struct edit *e, bool out, bool mapped)
{
	const struct mp_opt_dss *m = &e->seg.opts.mp.dss;
	struct edit f = *e;
	uint8_t buf[300];
	struct mp_opt_dss d = *m;

	bare(&f);
	rng_fill(&b->w->rng, buf, sizeof(buf));
	buf[0] &= 7;
	buf[1] = 0;
	f.len = 17 + 3 + (uint32_t)world_below(b->w, 200);
	buf[2] = (uint8_t)(f.len - 3);
	f.data = buf;
	f.seg.seq = e->seg.seq + e->len;
	if (mapped && m->map) {
		d.ssn = m->ssn + m->data_len;
		d.dsn = m->dsn + m->data_len;
		d.data_len = (uint16_t)f.len;
		d.fin = false;
		add_dss(&f, &d);
	}
	box_forward(b, edit_make(b->w, &f), out);
}

static void signal(struct box *b, const struct edit *e, bool out,
		   const struct watch_conn *w, unsigned from)
{
	const struct mp_opt_dss *m = &e->seg.opts.mp.dss;
	struct mp_opt_dss d = { .map = true, .dsn8 = true };
	struct edit f = *e;
	uint8_t buf[40];
	struct wr wr = wr_make(buf, sizeof(buf));

	bare(&f);
	switch (world_below(b->w, 7)) {
	case 0: /* the end of the stream, at its right place */
		if (!m->map) {
			return;
		}
		d.fin = true;
		d.dsn8 = m->dsn8;
		d.dsn = m->dsn + m->data_len;
		d.data_len = 1;
		add_dss(&f, &d);
		break;
	case 1:
		edit_add(&f, buf,
			 (uint8_t)mp_opt_emit_fastclose(&wr,
							w->side[!from].key));
		break;
	case 2:
		edit_add(&f, buf, (uint8_t)mp_opt_emit_fail(&wr, m->dsn));
		break;
	case 3: /* infinite */
		d.dsn = m->dsn;
		d.ssn = m->ssn;
		add_dss(&f, &d);
		break;
	case 4:
		address(&f, w, from);
		break;
	case 5: /* acknowledges what was never sent */
		d = (struct mp_opt_dss){ .ack = true, .ack8 = true };
		d.data_ack = w->side[!from].idsn + (1u << 20);
		add_dss(&f, &d);
		break;
	default: /* of the subflow that it comes by */
		edit_add(&f, buf, (uint8_t)mp_opt_emit_prio(&wr, true));
		break;
	}
	box_forward(b, edit_make(b->w, &f), out);
}

/* a SYN with the connection's token, which goes by in every join */
static void join(struct box *b, const struct edit *e, bool out,
		 const struct watch_conn *w, unsigned from)
{
	struct mp_opt_join j = { .len = 12,
				 .addr_id = 9,
				 .token = w->side[!from].token,
				 .nonce = 77 };
	struct edit f = *e;
	uint8_t buf[40];
	struct wr wr = wr_make(buf, sizeof(buf));

	bare(&f);
	f.n = 0;
	f.seg.flags = TCP_SYN;
	f.seg.seq = (uint32_t)rng_u64(&b->w->rng);
	f.seg.t.remote.port = (uint16_t)(40000 + world_below(b->w, 9999));
	edit_add(&f, buf, (uint8_t)mp_opt_emit_join(&wr, &j));
	box_forward(b, edit_make(b->w, &f), out);
}

static void forge(struct box *b, const struct edit *e, bool out,
		  const struct watch_conn *w, unsigned from)
{
	struct edit f = *e;

	switch (world_below(b->w, 7)) {
	case 0: /* the end of the subflow */
		bare(&f);
		f.seg.flags |= TCP_FIN;
		f.seg.seq = e->seg.seq + e->len;
		box_forward(b, edit_make(b->w, &f), out);
		break;
	case 1:
		inject(b, e, out, true);
		break;
	case 2:
		inject(b, e, out, false);
		break;
	case 3:
		join(b, e, out, w, from);
		break;
	default:
		signal(b, e, out, w, from);
		break;
	}
	world_fault(b->w, F_SEAL_FORGE);
}

/* What went by before comes as the next octets of the subflow: under its old
 * mapping, or as new octets of the stream. */
static void replay(struct box *b, const struct edit *e, const struct pkt *p,
		   bool out)
{
	const struct mp_opt_dss *m = &e->seg.opts.mp.dss;
	struct edit f;
	struct mp_opt_dss d;

	if (b->kept && edit_open(&f, b->kept) &&
	    tuple_eq(&f.seg.t, &e->seg.t) && f.seg.opts.mp.dss.map && m->map &&
	    world_chance(b->w, b->alter)) {
		d = f.seg.opts.mp.dss;
		d.ssn += e->seg.seq + e->len - f.seg.seq;
		if (world_chance(b->w, 0.5)) {
			d.dsn = m->dsn + m->data_len;
			d.dsn8 = m->dsn8;
		}
		f.seg.seq = e->seg.seq + e->len;
		f.seg.ack = e->seg.ack;
		edit_strip(&f, MP_OPT_KIND, -1);
		add_dss(&f, &d);
		box_forward(b, edit_make(b->w, &f), out);
		world_fault(b->w, F_SEAL_REPLAY);
		pkt_put(b->kept);
		b->kept = NULL;
	} else if (!b->kept) {
		b->kept = world_pkt(b->w, p->data, p->len);
	}
}

void box_crypt_beside(struct box *b, const struct edit *e, const struct pkt *p,
		      bool out)
{
	const struct tcp_seg *s = &e->seg;
	struct conn *c;
	unsigned from;

	if (b->alter <= 0 || (s->flags & (TCP_SYN | TCP_RST | TCP_FIN)) ||
	    (c = watch_sealed(b->w, s)) == NULL) {
		return;
	}
	/* who sends: the host that has the source address */
	from = net_path_of(b->w, &s->t.remote.addr)->box.host == c->side[0].host
		       ? 0
		       : 1;
	if (box_has(b, F_SEAL_FORGE) && world_chance(b->w, b->alter)) {
		forge(b, e, out, watch_of(c), from);
	}
	if (box_has(b, F_SEAL_REPLAY) && e->len > 0) {
		replay(b, e, p, out);
	}
}

/* --- segment boundaries --------------------------------------------------- */

/* behind the n octets that were sent already; small pieces in front, where
 * headers of frames are */
static uint32_t cut_at(struct world *w, uint32_t left)
{
	if (world_chance(w, 0.5)) {
		return 1 + (uint32_t)world_below(w, min_u32(left, 30));
	}
	return 1 + (uint32_t)world_below(w, left);
}

bool box_crypt_cut(struct box *b, struct edit *e, bool out)
{
	uint32_t whole = e->len, at = 0, seq = e->seg.seq;
	unsigned pieces = 2 + (unsigned)world_below(b->w, 3);
	const uint8_t *data = e->data;
	uint8_t flags = e->seg.flags;

	if (e->len < 2 || (flags & (TCP_SYN | TCP_RST | TCP_URG)) ||
	    !world_chance(b->w, 0.4)) {
		return false;
	}
	world_fault(b->w, F_CUTS);
	for (; at < whole; pieces--) {
		uint32_t n = pieces > 1 ? cut_at(b->w, whole - at) : whole - at;

		e->seg.seq = seq + at;
		e->data = data + at;
		e->len = n;
		e->seg.flags = at + n == whole
				       ? flags
				       : flags & (uint8_t) ~(TCP_FIN | TCP_PSH);
		box_forward(b, edit_make(b->w, e), out);
		at += n;
	}
	return true;
}

bool box_crypt_mergeable(const struct edit *a, const struct edit *b)
{
	const struct mp_opts *x = &a->seg.opts.mp, *y = &b->seg.opts.mp;
	const struct mp_opt_dss *m = &x->dss, *n = &y->dss;

	if (!x->have && !y->have) {
		return true;
	}
	return x->have == MP_HAVE(MP_OPT_DSS) &&
	       y->have == MP_HAVE(MP_OPT_DSS) && m->map && n->map &&
	       !m->has_csum && !n->has_csum && m->ack == n->ack &&
	       m->fin == n->fin && m->dsn8 == n->dsn8 && m->dsn == n->dsn &&
	       m->ssn == n->ssn && m->data_len == n->data_len;
}
