/* Middleboxes: what sits on a path and changes packets on purpose.  Everything
 * that leaves here has right checksums.
 */
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "tests/sim/edit.h"
#include "tests/sim/sim.h"

#define OPT_TS        8
#define OPT_WSCALE    3
#define OPT_SACK_PERM 4
#define OPT_SACK      5
#define HOLD          (800 * NANOS_US)
#define COALESCE_MAX  20000u

void box_on(struct box *b, enum sim_fault f, bool on)
{
	uint64_t *word = &b->faults[f / 64], bit = (uint64_t)1 << f % 64;

	*word = on ? *word | bit : *word & ~bit;
}

bool box_has(const struct box *b, enum sim_fault f)
{
	return b->faults[f / 64] >> f % 64 & 1;
}

static void forward(struct box *b, struct pkt *p, bool out)
{
	if (out) {
		net_route(b->w, b, p);
	} else {
		link_send(&b->host->path[b->path].down, p);
	}
}

void box_forward(struct box *b, struct pkt *p, bool out)
{
	struct pkt *piece[FRAG_MOST];
	unsigned n;

	if (!frag_wanted(b, p)) {
		forward(b, p, out);
		return;
	}
	n = frag_cut(b, p, piece);
	for (unsigned i = 0; i < n; i++) {
		forward(b, piece[i], out);
	}
	pkt_put(p);
}

static bool is_syn(const struct edit *e)
{
	return (e->seg.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
}

static bool is_synack(const struct edit *e)
{
	return (e->seg.flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK);
}

bool box_strip(struct box *b, struct edit *e, enum sim_fault f, bool when,
	       uint8_t kind, int subtype)
{
	if (!when || !box_has(b, f) || !edit_strip(e, kind, subtype)) {
		return false;
	}
	world_fault(b->w, f);
	return true;
}

static bool strip_all(struct box *b, struct edit *e, bool out)
{
	bool syn = is_syn(e), synack = is_synack(e), any = syn || synack;
	bool did = false;

	did |= box_strip(b, e, F_STRIP_SYN, syn, MP_OPT_KIND, MP_OPT_CAPABLE);
	did |= box_strip(b, e, F_STRIP_SYNACK, synack, MP_OPT_KIND,
			 MP_OPT_CAPABLE);
	did |= box_strip(b, e, F_STRIP_ACK, !any, MP_OPT_KIND, MP_OPT_CAPABLE);
	did |= box_strip(b, e, F_STRIP_JOIN, true, MP_OPT_KIND, MP_OPT_JOIN);
	did |= box_strip(b, e, F_STRIP_ONE_WAY, out == b->one_way_out,
			 MP_OPT_KIND, -1);
	did |= box_strip(b, e, F_STRIP_TS, syn, OPT_TS, -1);
	did |= box_strip(b, e, F_STRIP_SACK, any, OPT_SACK_PERM, -1);
	did |= box_strip(b, e, F_STRIP_WSCALE, syn, OPT_WSCALE, -1);
	if (!any && box_has(b, F_STRIP_DATA)) {
		if (b->strip_skip > 0) {
			b->strip_skip--;
		} else {
			did |= box_strip(b, e, F_STRIP_DATA, true, MP_OPT_KIND,
					 MP_OPT_DSS);
		}
	}
	return did;
}

/* --- sequence numbers ----------------------------------------------------- */

static struct box_flow *flow_of(struct box *b, const struct edit *e, bool out)
{
	struct tuple t = e->seg.t;
	struct box_flow *f;

	if (out) { /* always as the host sees it */
		t.local = e->seg.t.remote;
		t.remote = e->seg.t.local;
	}
	for (unsigned i = 0; i < b->next_flow; i++) {
		if (tuple_eq(&b->flow[i].t, &t)) {
			return &b->flow[i];
		}
	}
	/* a flow is shifted for its whole life or not at all */
	if (!box_has(b, F_SHIFT) || !is_syn(e) || b->next_flow == BOX_FLOWS) {
		return NULL;
	}
	f = &b->flow[b->next_flow++];
	f->t = t;
	f->shift_out = (uint32_t)rng_u64(&b->w->rng);
	f->shift_in = (uint32_t)rng_u64(&b->w->rng);
	return f;
}

static bool shift(struct box *b, struct edit *e, bool out)
{
	struct box_flow *f = flow_of(b, e, out);
	struct edit_opt *sack;
	uint32_t seq, ack;

	if (!f) {
		return false;
	}
	seq = out ? f->shift_out : f->shift_in;
	ack = out ? f->shift_in : f->shift_out;
	e->seg.seq += seq;
	if (e->seg.flags & TCP_ACK) {
		e->seg.ack -= ack;
	}
	sack = edit_find(e, OPT_SACK, -1);
	for (unsigned i = 2; sack && i + 4 <= sack->len; i += 4) {
		be32_put(sack->b + i, be32_get(sack->b + i) - ack);
	}
	world_fault(b->w, F_SHIFT);
	return true;
}

/* --- single options altered ----------------------------------------------- */

static bool bad_mac(struct box *b, struct edit *e)
{
	struct edit_opt *j = edit_find(e, MP_OPT_KIND, MP_OPT_JOIN);
	struct edit_opt *a = edit_find(e, MP_OPT_KIND, MP_OPT_ADD_ADDR);

	if (!box_has(b, F_BAD_MAC)) {
		return false;
	}
	if (j && j->len == (b->mac_third ? 24 : 16)) {
		j->b[4] ^= 1; /* SYN/ACK and third ACK: the HMAC begins here */
	} else if (a && !(a->b[2] & 1)) {
		a->b[a->len - 1] ^= 1;
	} else {
		return false;
	}
	world_fault(b->w, F_BAD_MAC);
	return true;
}

static bool bad_token(struct box *b, struct edit *e)
{
	struct edit_opt *j = edit_find(e, MP_OPT_KIND, MP_OPT_JOIN);

	if (!box_has(b, F_BAD_TOKEN) || !j || j->len != 12) {
		return false;
	}
	j->b[5] ^= 0x55;
	world_fault(b->w, F_BAD_TOKEN);
	return true;
}

static bool old_version(struct box *b, struct edit *e)
{
	struct edit_opt *c = edit_find(e, MP_OPT_KIND, MP_OPT_CAPABLE);

	if (!box_has(b, F_OLD_VERSION) || !c || !is_syn(e)) {
		return false;
	}
	c->b[2] &= 0xf0;
	world_fault(b->w, F_OLD_VERSION);
	return true;
}

/* Far outside every window: near would put octets at a wrong place, which
 * nothing but a checksum can tell. */
static bool bad_dsn(struct box *b, struct edit *e)
{
	struct edit_opt *d = edit_find(e, MP_OPT_KIND, MP_OPT_DSS);
	unsigned at;

	if (!box_has(b, F_BAD_DSN) || !b->bad_dsn_left || !d || e->len == 0 ||
	    !(d->b[3] & 4)) {
		return false;
	}
	at = 4 + (d->b[3] & 1 ? d->b[3] & 2 ? 8u : 4u : 0u);
	/* 2^54 or 2^26 away, 2^30 or 2^26 in the short form */
	if ((d->b[3] & 8) && world_chance(b->w, 0.5)) {
		d->b[at + 1] ^= 0x40;
	} else if (d->b[3] & 8) {
		d->b[at + 4] ^= 0x04;
	} else {
		d->b[at] ^= world_chance(b->w, 0.5) ? 0x40 : 0x04;
	}
	b->bad_dsn_left--;
	world_fault(b->w, F_BAD_DSN);
	return true;
}

static bool dss_csum(struct box *b, struct edit *e)
{
	struct edit_opt *d = edit_find(e, MP_OPT_KIND, MP_OPT_DSS);
	unsigned n;

	if (!box_has(b, F_DSS_CSUM) || !b->dss_csum_left || !d ||
	    !(d->b[3] & 4) || e->seg.opts.mp.dss.has_csum) {
		return false;
	}
	n = d->len;
	if (n + 2u > 28) {
		return false;
	}
	memset(d->b + n, 0x5a, 2);
	d->len = (uint8_t)(n + 2);
	d->b[1] = d->len;
	b->dss_csum_left--;
	world_fault(b->w, F_DSS_CSUM);
	return true;
}

/* Only what a DSS checksum covers: anything else would be delivered altered,
 * by every stack. */
static bool rewrite(struct box *b, struct edit *e, struct pkt *p)
{
	const struct mp_opts *mp = &e->seg.opts.mp;
	uint32_t at;

	if (!box_has(b, F_REWRITE) || !b->rewrite_left || e->len == 0 ||
	    !(mp->have & MP_HAVE(MP_OPT_DSS)) || !mp->dss.map ||
	    !mp->dss.has_csum || mp->dss.infinite) {
		return false;
	}
	/* the packet is this box's own, and is made anew after this */
	at = p->len - 1 - (uint32_t)world_below(b->w, e->len);
	p->data[at] = (uint8_t)(p->data[at] + BOX_ALTER);
	b->w->altered++;
	b->rewrite_left--;
	world_fault(b->w, F_REWRITE);
	return true;
}

/* --- segment boundaries --------------------------------------------------- */

static void split(struct box *b, struct edit *e, bool out)
{
	uint32_t whole = e->len, at = 0, seq = e->seg.seq;
	const uint8_t *data = e->data;
	uint8_t flags = e->seg.flags;

	world_fault(b->w, F_SPLIT);
	while (at < whole) {
		uint32_t n = 1 + (uint32_t)world_below(b->w, whole);

		n = min_u32(max_u32(n, 64), whole - at);
		e->seg.seq = seq + at;
		e->data = data + at;
		e->len = n;
		e->seg.flags = at + n == whole
				       ? flags
				       : flags & (uint8_t) ~(TCP_FIN | TCP_PSH);
		box_forward(b, edit_make(b->w, e), out);
		at += n;
	}
}

static void release_held(struct box *b, bool out)
{
	struct pkt *p = b->held[out];

	b->held[out] = NULL;
	if (p) {
		box_forward(b, p, out);
	}
}

static void held_too_long(struct world *w, void *ctx, uint64_t arg)
{
	struct box *b = ctx;
	bool out = arg & 1;

	(void)w;
	if (b->held_id[out] == arg >> 1) {
		release_held(b, out);
	}
}

static bool plain_data(const struct edit *e)
{
	return e->len > 0 &&
	       !(e->seg.flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_URG));
}

static void hold(struct box *b, struct pkt *p, bool out)
{
	b->held[out] = p;
	b->held_id[out]++;
	world_in(b->w, HOLD, held_too_long, b,
		 b->held_id[out] << 1 | (uint64_t)out);
}

static bool may_join(const struct box *b, struct edit *h, const struct edit *e)
{
	bool same = box_crypt_mergeable(h, e);

	if (!same) {
		return box_has(b, F_COALESCE);
	}
	if (!box_has(b, F_COALESCE)) { /* the newer DATA_ACK */
		h->n = e->n;
		memcpy(h->opt, e->opt, sizeof(h->opt));
		world_fault(b->w, F_MERGE);
	}
	return true;
}

/* takes p; joins it to what is held if it continues that */
static void coalesce(struct box *b, struct edit *e, struct pkt *p, bool out)
{
	struct edit h;
	uint8_t *buf;

	if (!plain_data(e) || !b->held[out] || !edit_open(&h, b->held[out]) ||
	    !tuple_eq(&h.seg.t, &e->seg.t) || h.seg.seq + h.len != e->seg.seq ||
	    h.len + e->len > COALESCE_MAX || !may_join(b, &h, e)) {
		release_held(b, out);
		if (plain_data(e) && e->len < 2000) {
			hold(b, p, out);
		} else {
			box_forward(b, p, out);
		}
		return;
	}
	buf = malloc(h.len + e->len);
	check(buf);
	memcpy(buf, h.data, h.len);
	memcpy(buf + h.len, e->data, e->len);
	h.data = buf;
	h.len += e->len;
	h.seg.ack = e->seg.ack;
	h.seg.wnd = e->seg.wnd;
	h.seg.flags |= e->seg.flags;
	if (box_has(b, F_COALESCE)) {
		world_fault(b->w, F_COALESCE);
	}
	pkt_put(p);
	p = edit_make(b->w, &h);
	free(buf);
	pkt_put(b->held[out]);
	b->held[out] = NULL;
	hold(b, p, out);
}

/* --- the way through ------------------------------------------------------ */

static bool too_big(struct box *b, struct pkt *p, bool out)
{
	if (b->mtu == 0 || p->len <= b->mtu) {
		return false;
	}
	world_fault(b->w, b->mtu_icmp ? F_MTU_ICMP : F_MTU_SILENT);
	if (b->mtu_icmp) {
		forge_too_big(b, p, out, b->mtu);
	}
	pkt_put(p);
	return true;
}

void box_pass(struct box *b, struct pkt *p, bool out)
{
	struct edit e;
	bool changed;

	if (too_big(b, p, out)) {
		return;
	}
	if ((!b->faults[0] && !b->faults[1] && !b->next_flow && b->forge <= 0 &&
	     !b->held[out]) ||
	    !edit_open(&e, p)) {
		box_forward(b, p, out);
		return;
	}
	if (box_crypt_drops(b, &e)) {
		pkt_put(p);
		return;
	}
	changed = strip_all(b, &e, out);
	changed |= box_crypt_alter(b, &e, p);
	changed |= bad_mac(b, &e);
	changed |= bad_token(b, &e);
	changed |= old_version(b, &e);
	changed |= bad_dsn(b, &e);
	changed |= dss_csum(b, &e);
	changed |= rewrite(b, &e, p);
	changed |= shift(b, &e, out);
	if (changed) {
		struct pkt *q = edit_make(b->w, &e);

		pkt_put(p);
		p = q;
		if (!edit_open(&e, p)) {
			box_forward(b, p, out);
			return;
		}
	}
	forge_beside(b, p, out);
	box_crypt_beside(b, &e, p, out);
	if (box_has(b, F_FORGED_HARD) && is_syn(&e)) {
		forge_refusal(b, p, out);
	}
	if (box_has(b, F_SPLIT) && plain_data(&e) && e.len > 64 &&
	    world_chance(b->w, 0.5)) {
		split(b, &e, out);
		pkt_put(p);
	} else if (box_has(b, F_CUTS) && box_crypt_cut(b, &e, out)) {
		pkt_put(p);
	} else if (box_has(b, F_COALESCE) || box_has(b, F_MERGE) ||
		   b->held[out]) {
		coalesce(b, &e, p, out);
	} else {
		box_forward(b, p, out);
	}
}

void box_fini(struct box *b)
{
	for (unsigned i = 0; i < 2; i++) {
		if (b->held[i]) {
			pkt_put(b->held[i]);
			b->held[i] = NULL;
		}
	}
	if (b->kept) {
		pkt_put(b->kept);
		b->kept = NULL;
	}
}
