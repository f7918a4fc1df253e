/* mp_sub_opt.c - which options a segment of a subflow carries
 *
 * Segments with data: DSS with mapping and DATA_ACK, always of the same
 * length, so that every segment of a burst is full.  Bare ACKs: DATA_ACK, and
 * as much of the signals waiting as fits.
 */
#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "stack/mptcp/mp_cksum.h"

static uint8_t capable_flags(const struct mp_conn *c)
{
	return (uint8_t)(MP_CAP_SHA256 | (c->checksum ? MP_CAP_CSUM : 0));
}

static void opt_capable_syn(struct mp_sub *s, const struct tcp_tx *tx,
			    struct wr *w)
{
	struct mp_conn *c = s->c;
	struct mp_opt_capable o = { .version = 1, .flags = capable_flags(c),
				    .len = 4 };

	if (c->passive) {
		if (c->mode == MP_MODE_TCP || !c->keys.have_local) {
			return;
		}
		/* the third ACK may have been taken without its data: what is
		 * said again is what was said */
		if (c->mode == MP_MODE_MPTCP) {
			o.flags = c->crypt.synack_flags;
		}
		o.len = 12;
		o.key_snd = c->keys.local;
		c->crypt.synack_flags = o.flags;
		mp_opt_emit_capable(w, &o);
		return;
	}
	if (tx->kind != TCP_TX_SYN || c->mode != MP_MODE_PENDING) {
		return;
	}
	if (tx->syns >= mp_crypt_syn_offers(c) &&
	    c->mp->cfg.policy != MP_REQUIRE) {
		c->plain_syn = true;
		return;
	}
	mp_count(c->mp, MP_CAPABLE_SYN_TX);
	c->crypt.syn_flags = o.flags;
	mp_opt_emit_capable(w, &o);
}

static void opt_join_syn(struct mp_sub *s, struct wr *w)
{
	struct mp_opt_join o = { .backup = s->backup,
				 .addr_id = s->local_id };
	uint8_t mac[32];

	o.nonce = s->join.nonce_local;
	if (!s->passive) {
		o.len = 12;
		o.token = s->c->keys.token_remote;
		mp_count(s->c->mp, MP_JOIN_SYN_TX);
	} else {
		o.len = 16;
		if (!mp_crypt_join_mac(s, true, mac)) {
			return;
		}
		memcpy(o.mac, mac, 8);
	}
	mp_opt_emit_join(w, &o);
}

/* RFC 8684 3.2: the only copy of our HMAC, until it is answered */
static void opt_join_third(struct mp_sub *s, struct wr *w)
{
	struct mp_opt_join o = { .len = 24 };
	uint8_t mac[32];

	if (mp_crypt_join_mac(s, true, mac)) {
		memcpy(o.mac, mac, 20);
		mp_opt_emit_join(w, &o);
	}
}

static void opt_rst(struct mp_sub *s, struct wr *w)
{
	uint64_t key;

	if (s->rst.fastclose && mp_crypt_close_key(s->c, true, &key)) {
		mp_opt_emit_fastclose(w, key);
	}
	if (s->rst.fail) {
		mp_opt_emit_fail(w, s->sig.fail_dsn);
	}
	if (s->rst.with_reason) {
		mp_opt_emit_rst(w, s->rst.transient, s->rst.reason);
	}
}

static void set_ack(const struct mp_conn *c, struct mp_opt_dss *d)
{
	d->ack = true;
	d->ack8 = c->ack8;
	d->data_ack = mp_rx_data_ack(c);
}

/* Gives up what does not fit: first half of the DATA_ACK, then all of it. */
static bool emit_dss(struct wr *w, struct mp_opt_dss *d)
{
	if (mp_opt_dss_len(d) > wr_left(w) && d->ack) {
		d->ack8 = false;
	}
	if (mp_opt_dss_len(d) > wr_left(w) && d->map) {
		d->ack = false;
	}
	if (mp_opt_dss_len(d) > wr_left(w)) {
		return false;
	}
	return mp_opt_emit_dss(w, d) > 0;
}

static uint64_t dsn_of(const struct mp_conn *c, uint64_t off)
{
	return c->keys.idsn_local + 1 + off;
}

/* RFC 8684 3.1: the first data of the side that opened carries the keys until
 * a DATA_ACK proves that they arrived. */
static bool first_data(const struct mp_sub *s, const struct tcp_tx *tx)
{
	return s->first && !s->c->passive && !s->dss_seen && tx->ssn == 1;
}

/* smtcp(7), Init messages: whichever segment is the first that host B sees, it
 * brings the keys */
static bool unheard(const struct mp_sub *s)
{
	return mp_sealed(s->c) && mp_crypt_reserve(s);
}

static void opt_capable_third(struct mp_sub *s, struct mp_map *m,
			      struct wr *w)
{
	struct mp_conn *c = s->c;
	struct mp_opt_capable o = { .version = 1, .flags = capable_flags(c),
				    .len = 20, .key_snd = c->keys.local,
				    .key_rcv = c->keys.remote };

	if (m) {
		o.len = c->checksum ? 24 : 22;
		o.data_len = (uint16_t)m->len;
		if (c->checksum) {
			o.csum = mp_cksum_tx(s, m, dsn_of(c, m->off));
		}
	}
	mp_opt_emit_capable(w, &o);
}

static void opt_data(struct mp_sub *s, const struct tcp_tx *tx, struct wr *w)
{
	struct mp_conn *c = s->c;
	struct mp_map *m = mp_map_find(&s->tx, tx->ssn);
	struct mp_opt_dss d = { 0 };

	if (m) {
		m->declared = true;
		if (first_data(s, tx) || (unheard(s) && m->ssn == 1)) {
			opt_capable_third(s, m, w);
			return;
		}
		d.map = true;
		d.dsn8 = true;
		d.dsn = dsn_of(c, m->off);
		d.ssn = m->ssn;
		d.data_len = (uint16_t)(m->len + m->fin);
		d.fin = m->fin;
		if (c->checksum) {
			d.has_csum = true;
			d.csum = mp_cksum_tx(s, m, d.dsn);
		}
	}
	set_ack(c, &d);
	emit_dss(w, &d);
}

/* RFC 8684 3.3.3: a DATA_FIN without data */
static bool opt_fin(struct mp_sub *s, struct wr *w)
{
	struct mp_conn *c = s->c;
	struct mp_opt_dss d = { .fin = true, .map = true, .dsn8 = true,
				.dsn = dsn_of(c, c->snd.ring.tail),
				.data_len = 1 };

	if (c->checksum) {
		d.has_csum = true;
		d.csum = mp_cksum_fin(d.dsn);
	}
	set_ack(c, &d);
	return emit_dss(w, &d);
}

static void opt_signals(struct mp_sub *s, struct wr *w, struct instant now)
{
	struct mp_sub_sig *g = &s->sig;
	struct mp *mp = s->c->mp;

	if (g->fail && mp_opt_emit_fail(w, g->fail_dsn)) {
		g->fail = false;
		mp_count(mp, MP_FAIL_TX);
	}
	if (g->prio && mp_opt_emit_prio(w, s->backup)) {
		g->prio = false;
		mp_count(mp, MP_PRIO_TX);
	}
	if (g->n_rm && mp_opt_emit_remove(w, g->rm, g->n_rm)) {
		g->n_rm = 0;
		mp_count(mp, MP_RM_ADDR_TX);
	}
	mp_addr_emit(s, w, now);
}

/* Nothing but the keys can be said before the first data or the first DSS:
 * asking for an ACK would only repeat them. */
bool mp_sub_opt_mute(const struct mp_sub *s)
{
	return unheard(s) || (s->first && !s->c->passive && !s->dss_seen &&
			      !s->sig.fin && tcp_push_ssn(s->tcb) == 1);
}

static bool signals_due(const struct mp_sub *s)
{
	return s->sig.fin || s->sig.dss || s->sig.fail || s->sig.prio || s->sig.n_rm ||
	       mp_addr_due(s->c);
}

static void opt_ack(struct mp_sub *s, const struct tcp_tx *tx, struct wr *w)
{
	struct mp_conn *c = s->c;
	struct mp_opt_dss d = { 0 };

	if (unheard(s) ||
	    (first_data(s, tx) && !(s->sig.fin && s->third_out))) {
		/* RFC 8684 3.1: the keys come before anything else, each
		 * time: without them a DATA_FIN means nothing to the peer */
		opt_capable_third(s, NULL, w);
		s->third_out = true;
	} else if (s->sig.fin) {
		/* with the mapping there is no room for anything else */
		s->sig.fin = !opt_fin(s, w);
		s->third_out = false;
	} else {
		opt_signals(s, w, tx->now);
		set_ack(c, &d);
		s->sig.dss = !emit_dss(w, &d);
	}
	if (signals_due(s) && !mp_sub_opt_mute(s)) {
		mp_dirty(c); /* the next flush asks for another ACK */
	}
}

/* Plain TCP has no options, but for the last word that made it so. */
static void opt_fallen(struct mp_sub *s, const struct tcp_tx *tx,
		       struct wr *w)
{
	struct mp_conn *c = s->c;
	struct mp_fallen *f = &c->fall;
	struct mp_opt_dss d = { .map = true, .dsn8 = true,
				.has_csum = c->checksum };

	if (s->sig.fail && tx->kind == TCP_TX_ACK &&
	    mp_opt_emit_fail(w, s->sig.fail_dsn)) {
		s->sig.fail = false;
		mp_count(c->mp, MP_FAIL_TX);
	}
	if (f->infinite && tx->kind == TCP_TX_DATA &&
	    f->inf_at - tx->ssn < tx->len) {
		d.dsn = dsn_of(c, f->inf_off);
		d.ssn = f->inf_ssn;
		if (mp_opt_emit_dss(w, &d) && !tx->retransmit) {
			mp_count(c->mp, MP_INFINITE_TX);
		}
	}
}

static void opt_syn(struct mp_sub *s, const struct tcp_tx *tx, struct wr *w)
{
	if (s->first) {
		opt_capable_syn(s, tx, w);
	} else {
		opt_join_syn(s, w);
	}
}

static void opt_other(struct mp_sub *s, const struct tcp_tx *tx, struct wr *w)
{
	unsigned keep = mp_crypt_reserve(s);

	keep = keep < wr_left(w) ? keep : 0;
	w->end -= keep;
	if (s->c->mode == MP_MODE_TCP) {
		opt_fallen(s, tx, w);
	} else if (s->c->mode != MP_MODE_MPTCP) {
		/* the handshake has not decided yet */
	} else if (s->state == MP_SUB_PRE) {
		opt_join_third(s, w);
	} else if (tx->kind == TCP_TX_DATA) {
		opt_data(s, tx, w);
	} else {
		opt_ack(s, tx, w);
	}
	w->end += keep;
}

unsigned mp_sub_options(void *up, const struct tcp_tx *tx, uint8_t *buf,
			unsigned room)
{
	struct mp_sub *s = up;
	struct wr w = wr_make(buf, room);

	if (tx->kind == TCP_TX_RST) {
		opt_rst(s, &w);
		return w.ok ? (unsigned)wr_len(&w) : 0;
	}
	if (s->state == MP_SUB_DEAD) {
		return 0;
	}
	if (tx->kind == TCP_TX_SYN || tx->kind == TCP_TX_SYNACK) {
		opt_syn(s, tx, &w);
	} else {
		opt_other(s, tx, &w);
	}
	mp_crypt_option(s, tx, &w);
	if (tx->kind == TCP_TX_DATA && s->c->mode == MP_MODE_MPTCP) {
		s->opt_len = (uint8_t)((wr_len(&w) + 3) & ~(size_t)3);
	}
	return w.ok ? (unsigned)wr_len(&w) : 0;
}
