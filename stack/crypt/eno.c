#include "stack/crypt/eno.h"

#include <string.h>

#include "stack/crypt/eno_form.h"
#include "stack/prim/hash.h"

void eno_init(struct eno *e, struct eno_early *x, bool active)
{
	*e = (struct eno){
		.x = x, .state = ENO_OPEN, .active = active, .why = CRYPT_OK
	};
}

static void count(const struct eno_env *env, enum crypt_reason r)
{
	env->counter[r]++;
}

/* A passive opener that did not enable encryption may still use the secret;
 * an active one that named it may not (RFC 8548 3.5). */
void eno_fini(struct eno *e, const struct eno_env *env)
{
	if (e->have_ticket && !e->active && e->state != ENO_AGREED) {
		crypt_cache_put(env->cache, e->x->ticket.born, &e->x->ticket,
				NULL, 0);
	}
	e->have_ticket = false;
	if (e->x) {
		prim_wipe(&e->x->ticket, sizeof(e->x->ticket));
	}
}

static void off(struct eno *e, const struct eno_env *env, enum crypt_reason why)
{
	e->state = ENO_OFF;
	e->why = why;
	count(env, why);
	eno_fini(e, env);
}

bool eno_give_up(struct eno *e, const struct eno_env *env,
		 enum crypt_reason why)
{
	if (e->sent_ack && e->got_ack) {
		return false;
	}
	if (e->state != ENO_OFF) {
		off(e, env, why);
	}
	return true;
}

/* The suboption of a TEP.  NULL: none, or repeated, which neither tcpcrypt nor
 * SMTCP defines (8547 4.5); other experiments under 0x20 do not matter. */
static const struct eno_opt_sub *the_sub(const struct eno_opt *o, uint8_t tep)
{
	const struct eno_opt_sub *found = NULL;
	struct eno_opt_sm m;

	for (unsigned i = 0; i < o->n; i++) {
		const struct eno_opt_sub *s = &o->sub[i];

		if (s->tep != tep ||
		    (tep == ENO_TEP_EXP && !eno_opt_sm_parse(s, &m))) {
			continue;
		}
		if (found) {
			return NULL;
		}
		found = s;
	}
	return found;
}

/* What a suboption says besides its TEP: RFC 8548 3.5, or smtcp(7).  Data of
 * a length that no resumption has are as none (r tells). */
static void read_sub(const struct eno_opt_sub *s, struct eno_opt_sm *out)
{
	if (s->tep == ENO_TEP_EXP) {
		eno_opt_sm_parse(s, out);
		return;
	}
	*out = (struct eno_opt_sm){ .n = 1 };
	out->kx[0] = s->tep;
	if (s->v && s->len >= ENO_HALF && s->len <= ENO_HALF + ENO_NONCE) {
		out->r = out->resume = true;
		out->half = s->data;
		out->nonce = s->data + ENO_HALF;
		out->nonce_len = (uint8_t)(s->len - ENO_HALF);
	}
}

static bool names_kx(const struct eno_opt_sm *m, uint8_t kx)
{
	for (unsigned i = 0; i < m->n; i++) {
		if (m->kx[i] == kx) {
			return true;
		}
	}
	return false;
}

/* --- what the two options mean ------------------------------------------- */

static void take_nonces(struct eno *e, const struct eno_opt_sm *mine,
			const struct eno_opt_sm *peer)
{
	const struct eno_opt_sm *a = e->x->ticket.orig_b ? peer : mine;
	const struct eno_opt_sm *b = e->x->ticket.orig_b ? mine : peer;
	struct wr w = wr_make(e->x->sn, sizeof(e->x->sn));

	wr_copy(&w, a->nonce, a->nonce_len);
	wr_copy(&w, b->nonce, b->nonce_len);
	e->sn_len = (uint8_t)wr_len(&w);
}

/* An answer to our SYN: one key exchange that we named, and a secret only if
 * we named one. */
static enum crypt_reason answers(const struct eno_opt_sm *mine,
				 const struct eno_opt_sm *peer)
{
	if (peer->n != 1 || !names_kx(mine, peer->kx[0])) {
		return CRYPT_OFF_NO_TEP;
	}
	return peer->r && !(mine->resume && peer->resume) ? CRYPT_OFF_HALF
							  : CRYPT_OK;
}

/* Is the suboption of host B valid for the connection, and what does it make?
 * (8547 4.5)  Both named a secret: the halves must belong together. */
static enum crypt_reason settle_sub(struct eno *e, const struct eno_opt_sub *m,
				    const struct eno_opt_sub *p)
{
	struct eno_opt_sm mine, peer;
	const struct eno_opt_sub *sub_b = e->role_b ? m : p;
	enum crypt_reason r = CRYPT_OK;

	read_sub(m, &mine);
	read_sub(p, &peer);
	if (e->active && !e->simultaneous) {
		r = answers(&mine, &peer);
	}
	if (r != CRYPT_OK) {
		return r;
	}
	e->resumed = false;
	e->sn_len = 0;
	if (mine.resume && peer.resume) {
		if (!e->have_ticket ||
		    !prim_equal(crypt_ticket_peer(&e->x->ticket), peer.half,
				ENO_HALF)) {
			return CRYPT_OFF_HALF;
		}
		e->resumed = true;
		take_nonces(e, &mine, &peer);
	}
	e->tep = sub_b->tep;
	e->tep_byte = (uint8_t)(sub_b->tep | (sub_b->v ? 0x80 : 0));
	/* B's answer has one; in a simultaneous open it is the TEP itself */
	e->kx = e->role_b ? mine.kx[0] : peer.kx[0];
	e->sig = e->tep == ENO_TEP_EXP && mine.sig && peer.sig;
	return CRYPT_OK;
}

/* 8547 4.3 to 4.6; CRYPT_OK: negotiated */
static enum crypt_reason settle(struct eno *e, const struct crypt_conf *conf,
				const struct eno_opt *peer)
{
	struct eno_opt mine;
	const struct eno_opt *b;
	enum crypt_reason why = CRYPT_OFF_NO_TEP;

	if (!eno_opt_parse(e->x->mine, e->mine_len, &mine)) {
		return CRYPT_OFF_ILL;
	}
	e->role_b = (mine.global & ENO_OPT_B) != 0;
	e->peer_aware = (peer->global & ENO_OPT_A) != 0;
	if (((mine.global ^ peer->global) & ENO_OPT_B) == 0) {
		return CRYPT_OFF_ROLES;
	}
	if (conf->aware_only && !e->peer_aware) {
		return CRYPT_OFF_AWARE;
	}
	if (mine.n == 0 || peer->n == 0) {
		return CRYPT_OFF_VACUOUS;
	}
	b = e->role_b ? &mine : peer;
	for (unsigned i = b->n; i > 0; i--) {
		uint8_t tep = b->sub[i - 1].tep;
		const struct eno_opt_sub *m = the_sub(&mine, tep);
		const struct eno_opt_sub *p = the_sub(peer, tep);
		enum crypt_reason r;

		/* smtcp(7), Terms: not where both opened */
		if (!m || !p || (tep == ENO_TEP_EXP && e->simultaneous)) {
			continue;
		}
		r = settle_sub(e, m, p);
		if (r == CRYPT_OK) {
			return CRYPT_OK;
		}
		why = r;
	}
	return why;
}

/* --- what we choose ------------------------------------------------------ */

/* Passive opener: one TEP that the peer named (8547 4.5), and in e->wanted the
 * secret that it named too, still in the cache. */
static bool choose(struct eno *e, const struct eno_env *env,
		   const struct eno_opt *peer, uint8_t *tep, uint8_t *kx)
{
	const struct crypt_conf *c = env->conf;
	const struct eno_opt_sub *s;
	struct eno_opt_sm m = { .n = 0 };
	const struct crypt_ticket *t;

	*tep = 0;
	s = c->smtcp ? the_sub(peer, ENO_TEP_EXP) : NULL;
	if (s) {
		read_sub(s, &m);
	}
	for (unsigned i = 0; s && *tep == 0 && i < c->n_kx; i++) {
		if (names_kx(&m, c->kx[i])) {
			*tep = ENO_TEP_EXP;
			*kx = c->kx[i];
		}
	}
	for (unsigned i = 0; c->plain && *tep == 0 && i < c->n_kx; i++) {
		s = the_sub(peer, c->kx[i]);
		if (s) {
			*tep = *kx = c->kx[i];
			read_sub(s, &m);
		}
	}
	if (*tep == 0) {
		return false;
	}
	if (m.resume && !c->no_resume) {
		e->wanted = crypt_cache_find_half(env->cache, env->now, *tep,
						  m.half);
		t = e->wanted ? crypt_cache_look(env->cache, e->wanted) : NULL;
		/* of one ss[0] host B has them for passive opens (smtcp(7)) */
		if (!t || t->kx != *kx || !eno_form_fits(c, t) ||
		    (*tep == ENO_TEP_EXP && !t->orig_b)) {
			e->wanted = 0;
			count(env, CRYPT_RESUME_MISS);
		}
	}
	return true;
}

/* --- segments ------------------------------------------------------------ */

static enum crypt_reason missing(enum crypt_seg seg)
{
	switch (seg) {
	case CRYPT_SEG_SYN:
		return CRYPT_OFF_NO_SYN;
	case CRYPT_SEG_SYNACK:
		return CRYPT_OFF_NO_SYNACK;
	case CRYPT_SEG_ACK:
	default:
		return CRYPT_OFF_NO_ACK;
	}
}

/* both options are there */
static void settle_or_off(struct eno *e, const struct eno_env *env,
			  const struct eno_opt *peer)
{
	enum crypt_reason r = settle(e, env->conf, peer);

	if (r != CRYPT_OK) {
		e->tep = 0;
		off(e, env, r);
		return;
	}
	e->settled = true;
	if (e->have_ticket && !e->resumed) {
		/* named in vain: gone for good */
		count(env, CRYPT_RESUME_DECLINED);
		e->have_ticket = false;
		prim_wipe(&e->x->ticket, sizeof(e->x->ticket));
	}
}

/* a passive opener's first look at the peer's option */
static void first_syn(struct eno *e, const struct eno_env *env,
		      const struct eno_opt *peer)
{
	uint8_t tep, kx = 0;

	e->peer_aware = (peer->global & ENO_OPT_A) != 0;
	if (peer->global & ENO_OPT_B) {
		off(e, env, CRYPT_OFF_ROLES);
	} else if (env->conf->aware_only && !e->peer_aware) {
		off(e, env, CRYPT_OFF_AWARE);
	} else if (peer->n == 0 || env->conf->vacuous) {
		off(e, env, CRYPT_OFF_VACUOUS);
	} else if (!choose(e, env, peer, &tep, &kx)) {
		off(e, env, CRYPT_OFF_NO_TEP);
	} else {
		e->tep = tep;
		e->kx = kx;
	}
}

static void syn_form(struct eno *e, const struct eno_env *env,
		     const struct eno_opt_seen *seen)
{
	struct eno_opt peer;

	if (seen->n > 1) {
		off(e, env, CRYPT_OFF_TWO);
		return;
	}
	if (seen->len > ENO_OPT_MAX ||
	    !eno_opt_parse(seen->opt, seen->len, &peer)) {
		off(e, env, CRYPT_OFF_ILL);
		return;
	}
	if (e->peer_len > 0) {
		/* it may not change; if it did, the keys will tell */
		return;
	}
	memcpy(e->x->peer, seen->opt, seen->len);
	e->peer_len = seen->len;
	if (e->active) {
		settle_or_off(e, env, &peer);
	} else {
		first_syn(e, env, &peer);
	}
}

void eno_in(struct eno *e, const struct eno_env *env, enum crypt_seg seg,
	    const struct eno_opt_seen *seen)
{
	bool ack = seg != CRYPT_SEG_SYN;

	if (seg == CRYPT_SEG_ACK) {
		e->got_nonsyn = true;
	}
	e->simultaneous |= e->active && seg == CRYPT_SEG_SYN;
	if (e->state != ENO_OPEN || e->got_ack) {
		return;
	}
	if (seen->n == 0) {
		off(e, env, missing(seg));
		return;
	}
	if (seg != CRYPT_SEG_ACK) {
		syn_form(e, env, seen);
	}
	if (e->state == ENO_OPEN && ack) {
		if (e->settled) {
			e->got_ack = true;
			e->state = ENO_AGREED;
		} else {
			/* an ACK before any SYN that settled something */
			off(e, env, missing(seg));
		}
	}
}

static unsigned put(const struct eno *e, uint8_t *buf, unsigned room)
{
	if (!e->x || e->mine_len == 0 || e->mine_len > room) {
		return 0;
	}
	memcpy(buf, e->x->mine, e->mine_len);
	return e->mine_len;
}

static unsigned out_synack(struct eno *e, const struct eno_env *env,
			   uint8_t *buf, unsigned room)
{
	struct eno_opt peer;
	unsigned n;

	if (e->mine_len == 0 && !e->active && e->peer_len > 0) {
		eno_form_answer(e, env, room);
		if (e->mine_len == 0) {
			off(e, env, CRYPT_OFF_ROOM);
			return 0;
		}
		if (eno_opt_parse(e->x->peer, e->peer_len, &peer)) {
			settle_or_off(e, env, &peer);
		}
	}
	n = e->state != ENO_OFF ? put(e, buf, room) : 0;
	e->sent_ack |= n > 0;
	return n;
}

/* A vacuous answer says that encryption is here, but not to be had; only to
 * a SYN with ENO (8547 4.6). */
static unsigned out_vacuous(struct eno *e, const struct eno_env *env,
			    uint8_t *buf, unsigned room)
{
	if (e->active || e->why != CRYPT_OFF_VACUOUS || !env->conf->vacuous ||
	    e->peer_len == 0) {
		return 0;
	}
	return eno_form_vacuous(env->conf, buf, room);
}

unsigned eno_out(struct eno *e, const struct eno_env *env, enum crypt_seg seg,
		 uint8_t *buf, unsigned room)
{
	struct wr w = wr_make(buf, room);
	unsigned n;

	if (e->state == ENO_OFF) {
		return seg == CRYPT_SEG_SYNACK ? out_vacuous(e, env, buf, room)
					       : 0;
	}
	switch (seg) {
	case CRYPT_SEG_SYN:
		if (e->mine_len == 0 && e->active) {
			eno_form_offer(e, env, room);
			if (e->mine_len == 0) {
				off(e, env, CRYPT_OFF_ROOM);
			}
		}
		return put(e, buf, room);
	case CRYPT_SEG_SYNACK:
		return out_synack(e, env, buf, room);
	case CRYPT_SEG_ACK:
	default:
		if (e->got_nonsyn) {
			return 0;
		}
		n = eno_opt_emit_ack(&w);
		e->sent_ack |= n > 0;
		return n;
	}
}

void eno_transcript(const struct eno *e, struct iov out[2])
{
	struct iov mine = { e->x->mine, e->mine_len };
	struct iov peer = { e->x->peer, e->peer_len };

	out[0] = e->role_b ? peer : mine;
	out[1] = e->role_b ? mine : peer;
}
