/* mp_open.c - the first subflow of a connection: MP_CAPABLE, both roles
 * (RFC 8684 3.1)
 */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"
#include "stack/mptcp/mp_cookie.h"

#define DRAWS_MAX 8

/* Only exactly this combination is understood: version 1, HMAC-SHA256 among
 * the proposals, no extension. */
static bool capable_ok(const struct mp_opts *o, uint8_t len)
{
	const struct mp_opt_capable *m = &o->capable;

	return o->have & MP_HAVE(MP_OPT_CAPABLE) && m->len == len &&
	       m->version >= 1 && !(m->flags & MP_CAP_EXT) &&
	       m->flags & MP_CAP_SHA256;
}

/* A key whose token nobody here has; false: libcrypto refuses, or the table
 * is full. */
static bool draw_key(struct mp_conn *c)
{
	struct mp *mp = c->mp;

	for (unsigned i = 0; i < DRAWS_MAX; i++) {
		uint64_t key = entropy_u64(&mp->env->entropy);

		if (!mp_keys_set_local(mp->hash, &c->keys, key)) {
			return false;
		}
		if (mp_token_add(&mp->tokens, &c->token,
				 c->keys.token_local)) {
			return true;
		}
		mp_count(mp, MP_TOKEN_COLLISION);
	}
	c->keys.have_local = false;
	return false;
}

static struct mp_sub *first_sub(struct mp_conn *c, const struct tuple *t,
				unsigned path, struct instant now)
{
	struct mp_sub *s = mp_sub_new(c, now);
	const struct ip_path *p = ip_path(c->mp->ip, path);

	if (!s) {
		return NULL;
	}
	s->first = true;
	s->passive = c->passive;
	s->t = *t;
	s->path = (uint16_t)path;
	s->backup = p && p->backup;
	c->first = s;
	c->t = *t;
	return s;
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

/* never seen by anybody: no obituary, no hooks */
static void forget(struct mp_conn *c)
{
	mp_conn_free(c);
}

static void plain_from_start(struct mp_conn *c, enum mp_reason why)
{
	c->mode = MP_MODE_TCP;
	c->why_plain = why;
	mp_count(c->mp, why);
}

/* what our SYN will say; false: no memory, or c->err */
static bool active_offer(struct mp_conn *c, struct instant now,
			 const struct endpoint *remote)
{
	const struct mp_cfg *cfg = &c->mp->cfg;

	c->checksum = cfg->checksum;
	if (cfg->policy == MP_OFF) {
		plain_from_start(c, MP_FALLBACK_OFF);
	} else if (!draw_key(c)) {
		return false;
	}
	return mp_crypt_open(c, now, remote, NULL) && !mp_crypt_refuse(c);
}

/* RFC 7413: data in a SYN belong to plain TCP.  With Multipath TCP they would
 * have no mapping, and with an ENO option they are discarded (RFC 8547 4.7). */
static bool may_fastopen(const struct mp_conn *c, bool wanted)
{
	if (!wanted) {
		return false;
	}
	if (c->mode == MP_MODE_TCP && !c->crypt.k) {
		return true;
	}
	mp_count(c->mp, MP_FASTOPEN_OFF);
	return false;
}

bool mp_defers(const struct mp_conn *c)
{
	return c->defers;
}

struct tcp_saved *mp_take_syn(struct mp_conn *c)
{
	return c->first && c->first->tcb ? tcp_take_syn(c->first->tcb) : NULL;
}

bool mp_connect_held(const struct mp_conn *c)
{
	return c->first && c->first->tcb && tcp_tfo_holds(c->first->tcb);
}

struct mp_conn *mp_connect(struct mp *mp, struct instant now,
			   const struct tuple *t, unsigned path,
			   const struct mp_conf *conf,
			   const struct mp_owner *owner, void *o, int *err)
{
	struct mp_conn *c = mp_conn_new(mp, conf, now);
	struct tcp_open open;
	struct mp_sub *s;

	*err = ENOBUFS;
	if (!c) {
		return NULL;
	}
	s = first_sub(c, t, path, now);
	if (!s) {
		forget(c);
		return NULL;
	}
	if (!active_offer(c, now, &t->remote)) {
		*err = c->err ? c->err : ENOBUFS;
		forget(c);
		return NULL;
	}
	open = (struct tcp_open){ .t = *t, .path = (uint16_t)path,
				  .upper = &mp_sub_upper, .up = s,
				  .shared_wnd = true,
				  .no_ts = mp_crypt_wants_room(c),
				  .conf = mp_sub_conf(s) };
	open.fastopen = may_fastopen(c, open.conf.tfo_connect);
	s->tcb = tcp_connect(mp->tcp, now, &open, err);
	if (!s->tcb) {
		forget(c);
		return NULL;
	}
	c->told = tcp_tfo_holds(s->tcb);
	s->t = *tcp_tuple(s->tcb);
	c->t = s->t;
	c->owner = owner;
	c->o = o;
	*err = 0;
	return c;
}

/* the handshake shows that there is no Multipath TCP */
static enum tcp_verdict open_plain(struct mp_sub *s, struct instant now,
				   enum mp_reason why)
{
	if (mp_fall(s->c, now, why)) {
		return TCP_UP_OK;
	}
	s->c->err = EPROTO;
	return TCP_UP_RESET;
}

/* our SYN is answered */
enum tcp_verdict mp_open_synack(struct mp_sub *s, struct instant now,
				const struct tcp_seg *seg, uint32_t wnd)
{
	struct mp_conn *c = s->c;
	const struct mp_opt_capable *m = &seg->opts.mp.capable;

	s->irs = seg->flags & TCP_SYN ? seg->seq : s->irs;
	if (c->mode != MP_MODE_PENDING) {
		return TCP_UP_OK;
	}
	if (!(seg->flags & TCP_ACK)) {
		return open_plain(s, now, MP_FALLBACK_SIMULTANEOUS);
	}
	if (!(seg->opts.mp.have & MP_HAVE(MP_OPT_CAPABLE))) {
		return open_plain(s, now,
				  c->plain_syn ? MP_FALLBACK_SYN_TIMEOUT :
						 MP_FALLBACK_SYNACK);
	}
	mp_count(c->mp, MP_CAPABLE_SYNACK_RX);
	/* the answer has exactly the one bit we proposed */
	if (!capable_ok(&seg->opts.mp, 12) || m->version != 1 ||
	    (m->flags & MP_CAP_CRYPTO) != MP_CAP_SHA256 ||
	    !mp_keys_set_remote(c->mp->hash, &c->keys, m->key_snd)) {
		mp_count(c->mp, MP_CAPABLE_REFUSED);
		return open_plain(s, now, MP_FALLBACK_SYNACK);
	}
	c->checksum = c->checksum || m->flags & MP_CAP_CSUM;
	c->crypt.synack_flags = m->flags;
	c->peer_deny_join = m->flags & MP_CAP_DENY;
	c->mode = MP_MODE_MPTCP;
	c->snd.edge = wnd;
	return TCP_UP_OK;
}

/* --- listening ------------------------------------------------------- */

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
		plain_from_start(c, mp->cfg.policy == MP_OFF ?
					    MP_FALLBACK_OFF :
					    MP_FALLBACK_PEER);
		return mp->cfg.policy != MP_REQUIRE;
	}
	if (mp->cfg.policy == MP_OFF) {
		plain_from_start(c, MP_FALLBACK_OFF);
		return true;
	}
	if (mp_crypt_excludes_mptcp(c)) {
		plain_from_start(c, MP_FALLBACK_CRYPT);
		return true;
	}
	/* smtcp(7), Order: another version is as none */
	if (!capable_ok(o, 4) || !(key ? set_key(c, *key) : draw_key(c)) ||
	    (o->capable.version != 1 && mp_crypt_answers_smtcp(c))) {
		mp_count(mp, MP_CAPABLE_REFUSED);
		plain_from_start(c, MP_FALLBACK_PEER);
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
	s = first_sub(c, &syn->t, syn->dev, now);
	if (!s || !mp_crypt_open(c, now, NULL, syn)) {
		forget(c);
		return NULL;
	}
	if (passive_refused(c, syn, key)) {
		mp_conn_refused(c);
		tcp_reset_seg(l->mp->tcp, syn, NULL, 0);
		forget(c);
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
			 may_fastopen(c, open->conf.tfo_queue > 0);
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
		forget(c);
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
		forget(c);
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

/* The third ACK, or data that arrives in its place. */
enum tcp_verdict mp_open_third(struct mp_sub *s, struct instant now,
			       const struct tcp_seg *seg, uint32_t wnd)
{
	struct mp_conn *c = s->c;
	const struct mp_opts *o = &seg->opts.mp;
	const struct mp_opt_capable *m = &o->capable;

	if (c->mode != MP_MODE_PENDING) {
		return TCP_UP_OK;
	}
	if (!(o->have & MP_HAVE(MP_OPT_CAPABLE))) {
		if (o->have & MP_HAVE(MP_OPT_DSS)) {
			/* options pass, but the segment with the peer's key
			 * is late: it comes again */
			return TCP_UP_DROP;
		}
		return open_plain(s, now, MP_FALLBACK_ACK);
	}
	mp_count(c->mp, MP_CAPABLE_ACK_RX);
	if (m->len < 20 || m->version != 1 || m->flags & MP_CAP_EXT ||
	    m->key_rcv != c->keys.local ||
	    !mp_keys_set_remote(c->mp->hash, &c->keys, m->key_snd)) {
		mp_count(c->mp, MP_CAPABLE_REFUSED);
		return open_plain(s, now, MP_FALLBACK_ACK);
	}
	c->mode = MP_MODE_MPTCP;
	c->snd.edge = wnd;
	return TCP_UP_OK;
}
