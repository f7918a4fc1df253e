/* mp_listen.c - connections that others open: listeners, what of the offer in
 * a SYN is accepted (RFC 8684 3.1), and SYN cookies (RFC 4987)
 */
#include <errno.h>

#include "stack/mptcp/mp.h"
#include "stack/mptcp/mp_cookie.h"
#include "stack/mptcp/mp_open_part.h"

bool mp_defers(const struct mp_conn *c)
{
	return c->defers;
}

struct tcp_saved *mp_take_syn(struct mp_conn *c)
{
	return c->first && c->first->tcb ? tcp_take_syn(c->first->tcb) : NULL;
}

/* the key of a SYN cookie, the same each time */
static bool set_key(struct mp_conn *c, uint64_t key)
{
	struct mp *mp = c->mp;

	if (mp_keys_set_local(mp->hash, &c->keys, key) &&
	    mp_token_add(&mp->tokens, &c->token, c->keys.token_local)) {
		return true;
	}
	mp_count(mp, MP_TOKEN_COLLISION);
	c->keys.have_local = false;
	return false;
}

static enum mp_admit admitted(struct mp_listener *l, const struct tcp_seg *ack)
{
	return l->ops->admit ? l->ops->admit(l->lo, ack) : MP_ADMIT_YES;
}

static void unadmitted(struct mp_listener *l)
{
	if (l->ops->failed) {
		l->ops->failed(l->lo);
	}
}

/* What the SYN offers; false: refuse it, Multipath TCP is required.  key: of a
 * SYN cookie, or NULL. */
static bool passive_offer(struct mp_conn *c, const struct tcp_seg *syn,
			  const uint64_t *key)
{
	const struct mp_opts *o = &syn->opts.mp;
	struct mp *mp = c->mp;

	if (!(o->have & MP_HAVE(MP_OPT_CAPABLE))) {
		mp_open_as_plain(c, mp->cfg.policy == MP_OFF ?
					    MP_FALLBACK_OFF :
					    MP_FALLBACK_PEER);
		return mp->cfg.policy != MP_REQUIRE;
	}
	if (mp->cfg.policy == MP_OFF) {
		mp_open_as_plain(c, MP_FALLBACK_OFF);
		return true;
	}
	if (mp_crypt_excludes_mptcp(c)) {
		mp_open_as_plain(c, MP_FALLBACK_CRYPT);
		return true;
	}
	/* smtcp(7), Order: another version is as none */
	if (!mp_open_capable_ok(o, 4) ||
	    !(key ? set_key(c, *key) : mp_open_draw_key(c)) ||
	    (o->capable.version != 1 && mp_crypt_answers_smtcp(c))) {
		mp_count(mp, MP_CAPABLE_REFUSED);
		mp_open_as_plain(c, MP_FALLBACK_PEER);
		return mp->cfg.policy != MP_REQUIRE;
	}
	c->checksum = mp->cfg.checksum || o->capable.flags & MP_CAP_CSUM;
	c->crypt.syn_flags = o->capable.flags;
	c->peer_deny_join = o->capable.flags & MP_CAP_DENY;
	return true;
}

static bool passive_refused(struct mp_conn *c, const struct tcp_seg *syn,
			    const uint64_t *key)
{
	if (!passive_offer(c, syn, key)) {
		mp_count(c->mp, MP_REQUIRE_REFUSED);
		return true;
	}
	return mp_crypt_refuse(c);
}

/* A connection that has heard this SYN, and what TCP needs for its SYN-ACK;
 * NULL: no memory, or refused. */
static struct mp_conn *passive_conn(struct mp_listener *l, struct instant now,
				    const struct tcp_seg *syn,
				    const uint64_t *key, struct tcp_open *open)
{
	struct mp_conn *c = mp_conn_new(l->mp, &l->conf, now);
	struct mp_sub *s;

	if (!c) {
		return NULL;
	}
	c->passive = true;
	if (key) {
		/* an answer with a nonce would be another one each time */
		c->crypt.no_resume = true;
	}
	s = mp_open_first_sub(c, &syn->t, syn->dev, now);
	if (!s || !mp_crypt_open(c, now, NULL, syn)) {
		mp_open_forget(c);
		return NULL;
	}
	if (passive_refused(c, syn, key)) {
		mp_conn_refused(c);
		tcp_reset_seg(l->mp->tcp, syn, NULL, 0);
		mp_open_forget(c);
		return NULL;
	}
	s->irs = syn->seq;
	*open = (struct tcp_open){ .t = syn->t, .path = syn->dev,
				   .upper = &mp_sub_upper, .up = s,
				   .shared_wnd = true,
				   .no_ts = mp_crypt_wants_room(c),
				   .conf = mp_sub_conf(s) };
	c->defers = c->conf->tcp.defer_accept > open->conf.defer_accept;
	open->fastopen = !key && !syn->opts.eno.n &&
			 !(syn->opts.mp.have & MP_HAVE(MP_OPT_CAPABLE)) &&
			 mp_open_fastopen(c, open->conf.tfo_queue > 0);
	return c;
}

/* false: nothing came of it, and the listener knows */
static bool passive_accept(struct mp_listener *l, struct instant now,
			   const struct tcp_seg *syn, const uint64_t *key)
{
	struct tcp_open open;
	struct mp_conn *c = passive_conn(l, now, syn, key, &open);
	int err;

	if (c) {
		c->first->tcb = tcp_accept(l->mp->tcp, now, syn, &open, &err);
		if (c->first->tcb) {
			c->listener = l;
			list_push_back(&l->half, &c->first->half);
			return true;
		}
		mp_open_forget(c);
	}
	unadmitted(l);
	return false;
}

/* An offer that no cookie keeps is worth a place of its own, where a secret to
 * resume is named more than ever: the oldest half-open connection gives way. */
static bool make_place(struct mp_listener *l, struct instant now)
{
	struct list *n = list_first(&l->half);

	if (!n) {
		return false;
	}
	mp_count(l->mp, MP_HALF_EVICTED);
	mp_conn_fail(list_entry(n, struct mp_sub, half)->c, now, ETIMEDOUT);
	return admitted(l, NULL) == MP_ADMIT_YES;
}

/* No more may be half open: answered by a connection that is gone again
 * before anybody hears of it. */
static void passive_answer(struct mp_listener *l, struct instant now,
			   const struct tcp_seg *in)
{
	struct mp *mp = l->mp;
	struct tcp_seg syn;
	struct tcp_open open;
	struct mp_conn *c;
	uint64_t key;
	uint8_t bits;

	tcp_cookie_syn(mp->tcp, now, in, &syn, &key);
	if (!mp_cookie_keep(&syn, &bits)) {
		if (make_place(l, now)) {
			passive_accept(l, now, in, NULL);
			return;
		}
		mp_count(mp, MP_COOKIE_NO_ENO);
		if (mp->cfg.crypt_policy >= MP_CRYPT_REQUIRE_ANY) {
			return; /* it comes again, perhaps at a better time */
		}
	}
	c = passive_conn(l, now, &syn, &key, &open);
	if (c) {
		tcp_answer(mp->tcp, now, l->tl, &syn, &open, bits);
		mp_open_forget(c);
	}
}

static void on_syn(void *lctx, struct instant now, const struct tcp_seg *syn)
{
	struct mp_listener *l = lctx;
	enum mp_admit a = admitted(l, NULL);

	if (a != MP_ADMIT_NO && syn->opts.mp.have & MP_HAVE(MP_OPT_CAPABLE)) {
		mp_count(l->mp, MP_CAPABLE_SYN_RX);
	}
	switch (a) {
	case MP_ADMIT_NO:
		tcp_count(l->mp->tcp, TCP_DROP_BACKLOG);
		break;
	case MP_ADMIT_YES:
		passive_accept(l, now, syn, NULL);
		break;
	case MP_ADMIT_STATELESS:
		passive_answer(l, now, syn);
		break;
	}
}

/* the answer to a passive_answer() came */
static void on_cookie(void *lctx, struct instant now, const struct tcp_seg *in,
		      const struct tcp_seg *ack, const struct tcp_cookie *k)
{
	struct mp_listener *l = lctx;
	const struct mp_opts *o = &ack->opts.mp;
	struct tcp_seg syn = *in;

	if (!(o->have & MP_HAVE(MP_OPT_CAPABLE)) &&
	    o->have & MP_HAVE(MP_OPT_DSS)) {
		return; /* overtook the one with the keys, which comes again */
	}
	if (admitted(l, ack) != MP_ADMIT_YES) {
		tcp_count(l->mp->tcp, TCP_DROP_BACKLOG);
		return;
	}
	mp_cookie_recall(&syn, ack, k->upper, k->tag);
	passive_accept(l, now, &syn, &k->tag);
}

static const struct tcp_listener_ops listener_ops = {
	.on_syn = on_syn,
	.restore = on_cookie,
};

struct mp_listener *mp_listen(struct mp *mp, const struct endpoint *local,
			      bool dual, bool reuseport,
			      const struct mp_conf *conf,
			      const struct mp_listener_ops *ops, void *lo,
			      int *err)
{
	struct mp_listener *l = mem_zalloc(mp->env->mem, sizeof(*l));

	if (!l) {
		mp_count(mp, MP_NOMEM);
		*err = ENOBUFS;
		return NULL;
	}
	*err = 0;
	*l = (struct mp_listener){ .mp = mp, .conf = *conf, .ops = ops,
				   .lo = lo };
	list_init(&l->half);
	l->tl = tcp_listen(mp->tcp, local, dual, reuseport, &listener_ops, l,
			   err);
	if (!l->tl) {
		mem_free(mp->env->mem, l, sizeof(*l));
		return NULL;
	}
	return l;
}

void mp_listen_set_conf(struct mp_listener *l, const struct mp_conf *conf)
{
	l->conf = *conf;
}

void mp_listen_tfo_keys(struct mp_listener *l, const uint8_t *keys, unsigned n)
{
	tcp_listen_tfo_keys(l->tl, keys, n);
}

void mp_unlisten(struct mp *mp, struct mp_listener *l)
{
	tcp_unlisten(mp->tcp, l->tl);
	list_each_safe(n, &mp->conns) {
		struct mp_conn *c = list_entry(n, struct mp_conn, all);

		if (c->listener == l) {
			c->listener = NULL;
			mp_conn_disown(c);
			mp_conn_fail(c, mp->last, ECONNABORTED);
		}
	}
	mem_free(mp->env->mem, l, sizeof(*l));
}
