#include "stack/crypt/eno_form.h"

#include <string.h>


static bool has_kx(const struct crypt_conf *c, uint8_t kx)
{
	for (unsigned i = 0; i < c->n_kx; i++) {
		if (c->kx[i] == kx) {
			return true;
		}
	}
	return false;
}

static bool has_cipher(const struct crypt_conf *c, uint16_t cipher)
{
	for (unsigned i = 0; i < c->n_aead; i++) {
		if (c->aead[i] == cipher) {
			return true;
		}
	}
	return false;
}

/* suboptions in the making, and memory for their data */
struct make {
	struct eno_opt_sub sub[CRYPT_KX_MAX + 1];
	unsigned n;
	uint8_t data[2][ENO_OPT_MAX];
	uint8_t nonce[ENO_NONCE];
};

static void add_plain(struct make *m, uint8_t tep, const struct crypt_ticket *t,
		      unsigned nonce_len)
{
	struct eno_opt_sub *s = &m->sub[m->n++];

	*s = (struct eno_opt_sub){ .tep = tep };
	if (t) {
		s->v = true;
		s->len = (uint8_t)(ENO_HALF + nonce_len);
		s->data = m->data[0];
		memcpy(m->data[0], crypt_ticket_own(t), ENO_HALF);
		memcpy(m->data[0] + ENO_HALF, m->nonce, nonce_len);
	}
}

static void add_smtcp(struct make *m, const uint8_t *kx, unsigned n_kx,
		      bool sig, const struct crypt_ticket *t,
		      unsigned nonce_len)
{
	struct eno_opt_sub *s = &m->sub[m->n++];
	const uint8_t *half = t ? crypt_ticket_own(t) : NULL;
	unsigned n = eno_opt_sm_emit(m->data[1], t ? &t->kx : kx, n_kx, sig,
				     half, m->nonce, nonce_len);

	*s = (struct eno_opt_sub){ .tep = ENO_TEP_EXP,
				   .v = true,
				   .len = (uint8_t)n,
				   .data = m->data[1] };
}

/* Active opener: all it has, best last; TEP 0x20 at the end, where its data
 * need no length octet.  0: does not fit. */
static unsigned make_offer(const struct crypt_conf *c,
			   const struct crypt_ticket *t, unsigned nonce_len,
			   const uint8_t *nonce, uint8_t *out, unsigned room)
{
	struct make m = { .n = 0 };
	struct wr w = wr_make(out, room);
	int global = (c->b ? ENO_OPT_B : 0) | (c->aware ? ENO_OPT_A : 0);

	memcpy(m.nonce, nonce, ENO_NONCE);
	for (unsigned i = c->n_kx; !c->vacuous && c->plain && i > 0; i--) {
		uint8_t tep = c->kx[i - 1];

		add_plain(&m, tep, t && t->tep == tep ? t : NULL, nonce_len);
	}
	/* smtcp(7), Terms: host A is who opens, so not with b */
	if (!c->vacuous && c->smtcp && !c->b && c->n_kx > 0) {
		add_smtcp(&m, c->kx, c->n_kx, c->sig,
			  t && t->tep == ENO_TEP_EXP ? t : NULL, nonce_len);
	}
	return eno_opt_emit(&w, global ? global : -1, m.sub, m.n);
}

bool eno_form_fits(const void *ctx, const struct crypt_ticket *t)
{
	const struct crypt_conf *c = ctx;

	return has_kx(c, t->kx) && has_cipher(c, t->aead) &&
	       (t->tep == ENO_TEP_EXP ? c->smtcp : c->plain);
}

/* a secret for this peer, still in the cache; 0: none */
static uint64_t nameable(const struct eno_env *env)
{
	const struct crypt_conf *c = env->conf;

	if (c->no_resume || c->vacuous) {
		return 0;
	}
	return crypt_cache_find_peer(env->cache, env->now, env->peer,
				     env->peer_len, eno_form_fits, c);
}

bool eno_would_resume(const struct eno *e, const struct eno_env *env)
{
	return e->active && e->state == ENO_OPEN && e->mine_len == 0 &&
	       nameable(env) != 0;
}

void eno_form_offer(struct eno *e, const struct eno_env *env, unsigned room)
{
	const struct crypt_conf *c = env->conf;
	const struct crypt_ticket *t;
	uint64_t serial = nameable(env);
	uint8_t nonce[ENO_NONCE] = { 0 };
	unsigned n = 0;

	t = serial ? crypt_cache_look(env->cache, serial) : NULL;
	if (t) {
		env->entropy->fill(env->entropy->ctx, nonce, sizeof(nonce));
		n = make_offer(c, t,
			       t->tep == ENO_TEP_EXP ? ENO_NONCE : c->nonce_len,
			       nonce, e->x->mine, room);
	}
	if (n > 0) {
		e->have_ticket =
			crypt_cache_take(env->cache, serial, &e->x->ticket);
		env->counter[CRYPT_RESUME_OFFERED]++;
	} else {
		n = make_offer(c, NULL, 0, nonce, e->x->mine, room);
	}
	e->mine_len = (uint8_t)n;
}

/* The nonce may be shorter than asked for only where the session depends on
 * other fresh octets too (smtcp(7)). */
static unsigned nonce_min(const struct crypt_conf *c,
			  const struct crypt_ticket *t)
{
	return t->tep == ENO_TEP_EXP ? 0 : c->nonce_len;
}

static unsigned make_answer(const struct crypt_conf *c, uint8_t tep, uint8_t kx,
			    const struct crypt_ticket *t, unsigned nonce_len,
			    const uint8_t *nonce, uint8_t *out, unsigned room)
{
	struct make m = { .n = 0 };
	struct wr w = wr_make(out, room);
	int global = ENO_OPT_B | (c->aware ? ENO_OPT_A : 0);

	memcpy(m.nonce, nonce, ENO_NONCE);
	if (tep == ENO_TEP_EXP) {
		add_smtcp(&m, &kx, 1, c->sig, t, nonce_len);
	} else if (tep) {
		add_plain(&m, tep, t, nonce_len);
	}
	return eno_opt_emit(&w, global, m.sub, m.n);
}

void eno_form_answer(struct eno *e, const struct eno_env *env, unsigned room)
{
	const struct crypt_conf *c = env->conf;
	const struct crypt_ticket *t;
	uint8_t nonce[ENO_NONCE] = { 0 };
	unsigned n = 0;

	t = e->wanted ? crypt_cache_look(env->cache, e->wanted) : NULL;
	if (t) {
		env->entropy->fill(env->entropy->ctx, nonce, sizeof(nonce));
		for (unsigned len = c->nonce_len; n == 0; len--) {
			n = make_answer(c, e->tep, e->kx, t, len, nonce,
					e->x->mine, room);
			if (len == nonce_min(c, t)) {
				break;
			}
		}
	}
	if (n > 0) {
		e->have_ticket =
			crypt_cache_take(env->cache, e->wanted, &e->x->ticket);
	} else {
		n = make_answer(c, e->tep, e->kx, NULL, 0, nonce, e->x->mine,
				room);
	}
	e->wanted = 0;
	e->mine_len = (uint8_t)n;
}

unsigned eno_form_vacuous(const struct crypt_conf *c, uint8_t *buf,
			  unsigned room)
{
	const uint8_t none[ENO_NONCE] = { 0 };

	return make_answer(c, 0, 0, NULL, 0, none, buf, room);
}
