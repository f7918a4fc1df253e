/* mp_open.c - the first subflow of a connection: opening it, and what SYN-ACK
 * and third ACK say of MP_CAPABLE (RFC 8684 3.1)
 */
#include <errno.h>

#include "stack/mptcp/mp.h"
#include "stack/mptcp/mp_open_part.h"

#define DRAWS_MAX 8

bool mp_open_capable_ok(const struct mp_opts *o, uint8_t len)
{
	const struct mp_opt_capable *m = &o->capable;

	return o->have & MP_HAVE(MP_OPT_CAPABLE) && m->len == len &&
	       m->version >= 1 && !(m->flags & MP_CAP_EXT) &&
	       m->flags & MP_CAP_SHA256;
}

bool mp_open_draw_key(struct mp_conn *c)
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

struct mp_sub *mp_open_first_sub(struct mp_conn *c, const struct tuple *t,
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

void mp_open_as_plain(struct mp_conn *c, enum mp_reason why)
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
		mp_open_as_plain(c, MP_FALLBACK_OFF);
	} else if (!mp_open_draw_key(c)) {
		return false;
	}
	return mp_crypt_open(c, now, remote, NULL) && !mp_crypt_refuse(c);
}

/* RFC 7413: data in a SYN belong to plain TCP.  With Multipath TCP they would
 * have no mapping, and with an ENO option they are discarded (RFC 8547 4.7). */
bool mp_open_fastopen(const struct mp_conn *c, bool wanted)
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
	s = mp_open_first_sub(c, t, path, now);
	if (!s) {
		mp_open_forget(c);
		return NULL;
	}
	if (!active_offer(c, now, &t->remote)) {
		*err = c->err ? c->err : ENOBUFS;
		mp_open_forget(c);
		return NULL;
	}
	open = (struct tcp_open){ .t = *t, .path = (uint16_t)path,
				  .upper = &mp_sub_upper, .up = s,
				  .shared_wnd = true,
				  .no_ts = mp_crypt_wants_room(c),
				  .conf = mp_sub_conf(s) };
	open.fastopen = mp_open_fastopen(c, open.conf.tfo_connect);
	s->tcb = tcp_connect(mp->tcp, now, &open, err);
	if (!s->tcb) {
		mp_open_forget(c);
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
	if (!mp_open_capable_ok(&seg->opts.mp, 12) || m->version != 1 ||
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
