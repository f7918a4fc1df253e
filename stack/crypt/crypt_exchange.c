/* From what was negotiated to keys: key exchange and resumption (RFC 8548 3.3 to
 * 3.5) */
#include "stack/crypt/crypt_part.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt_keys.h"

static enum crypt_reason dead(struct crypt_conn *k, enum crypt_reason why)
{
	crypt_drop_keys(k);
	k->state = CRYPT_DEAD;
	k->why = why;
	return crypt_counted(k, why);
}

static void log_keys(struct crypt_conn *k, struct iov id)
{
	char line[CRYPT_KEYS_LINE];
	bool a_is_ab = k->eno.role_b == k->orig_b;
	/* no rekeying yet: this is mk[0] */
	struct crypt_keys_line l = { id, k->cipher, a_is_ab, k->set.rec.tx_mk,
				     k->set.session_id };

	if (k->c->keylog.line) {
		crypt_keys_line(&l, line);
		k->c->keylog.line(k->c->keylog.ctx, line);
		prim_wipe(line, sizeof(line));
	}
}

/* all that follows from a session secret */
static bool make_set(struct crypt_conn *k, struct instant now,
		     const uint8_t *ss, struct iov sn, struct crypt_set *out)
{
	struct crypt_rec rec = {
		.hash = k->c->hash,
		.aead = k->c->aead,
		.conf = &k->conf,
		.alg = crypt_keys_alg(k->cipher),
		.phases = crypt_is_smtcp(k),
		.sig = k->eno.sig,
		.ab = !k->orig_b,
		.tx_base = k->conf.base_frames ? k->mine_len : 0,
		.rx_base = k->conf.base_frames ? k->peer_len : 0,
		.rx_start = k->peer_len,
		.tx_next = k->mine_len,
	};
	struct crypt_ticket *next = &k->early->next[out == k->alt];
	struct crypt_set_spec spec = {
		.rec = &rec,
		.next = k->conf.no_cache ? NULL : next,
		.smtcp = crypt_is_smtcp(k),
		.tep_byte = k->eno.tep_byte,
		.ss = ss,
		.sn = sn,
	};

	*next = (struct crypt_ticket){ .tep = k->eno.tep,
				       .kx = k->eno.kx,
				       .aead = k->cipher,
				       .orig_b = k->orig_b };
	return crypt_set_make(out, now, &spec);
}

/* the keys are those of both; id names the session in the key log */
static void keyed(struct crypt_conn *k, struct iov id)
{
	log_keys(k, id);
	crypt_counted(k, k->resumed ? CRYPT_RESUMED : CRYPT_FRESH);
}

static enum crypt_reason resume(struct crypt_conn *k, struct instant now)
{
	struct crypt_ticket *t = &k->early->eno.ticket;
	struct iov part[3], sn = { k->early->eno.sn, k->eno.sn_len };
	uint8_t digest[32];
	bool ok;

	eno_transcript(&k->eno, part);
	part[2] = (struct iov){ k->early->mpc, k->mpc_len };
	if (crypt_is_smtcp(k)) {
		if (!crypt_keys_smtcp_sn(k->c->hash, part, digest)) {
			return dead(k, CRYPT_LIB);
		}
		sn = (struct iov){ digest, sizeof(digest) };
	}
	k->resumed = true;
	k->cipher = t->aead;
	k->orig_b = t->orig_b;
	ok = make_set(k, now, t->ss, sn, &k->set);
	prim_wipe(t, sizeof(*t));
	k->eno.have_ticket = false;
	if (!ok) {
		return dead(k, CRYPT_LIB);
	}
	k->state = CRYPT_KEYED;
	keyed(k, part[0]);
	return CRYPT_OK;
}

static struct crypt_hs_env hs_env(struct crypt_conn *k)
{
	return (struct crypt_hs_env){
		.mem = k->c->env->mem,
		.entropy = &k->c->env->entropy,
		.pool = &k->c->pool,
		.aead = k->c->aead,
		.conf = &k->conf,
	};
}

enum crypt_reason crypt_start(struct crypt_conn *k, struct instant now,
			      const uint8_t *mpc, size_t n)
{
	struct crypt_hs_env env = hs_env(k);
	enum crypt_reason r;

	check(crypt_state(k) == CRYPT_AGREED && n <= MPC_MAX);
	if (crypt_is_smtcp(k) && n > 0) {
		memcpy(k->early->mpc, mpc, n);
		k->mpc_len = (uint8_t)n;
	}
	if (k->eno.resumed) {
		return resume(k, now);
	}
	k->orig_b = k->eno.role_b;
	k->hs = crypt_hs_new(&env, k->eno.role_b, k->eno.kx, &r);
	if (!k->hs) {
		return dead(k, r);
	}
	k->state = CRYPT_INIT;
	return CRYPT_OK;
}

const uint8_t *crypt_init_out(const struct crypt_conn *k, size_t *n)
{
	struct iov v = { NULL, 0 };

	if (k->hs && !k->init_sent) {
		v = crypt_hs_mine(k->hs);
	}
	*n = v.n;
	return v.n ? v.p : NULL;
}

void crypt_drop_hs(struct crypt_conn *k)
{
	if (k->init_sent && k->state == CRYPT_KEYED && !k->alt) {
		crypt_hs_free(k->hs);
		k->hs = NULL;
	}
}

void crypt_init_sent(struct crypt_conn *k)
{
	k->init_sent = true;
	crypt_drop_hs(k);
}

static struct iov nonce_a(const struct crypt_conn *k)
{
	return (struct iov){ crypt_hs_nonce_a(k->hs), CRYPT_NONCE };
}

void crypt_decided(struct crypt_conn *k)
{
	crypt_drop_alt(k);
	keyed(k, nonce_a(k));
	crypt_drop_hs(k);
}

/* mpc: the transcript to be used */
static bool make_fresh(struct crypt_conn *k, struct instant now, struct iov mpc,
		       struct crypt_set *out)
{
	const struct iov none = { NULL, 0 };
	struct iov part[6], init[3];
	uint8_t prk[CRYPT_K_LEN];
	bool ok;

	eno_transcript(&k->eno, part);
	part[2] = mpc;
	crypt_hs_parts(k->hs, init);
	for (unsigned i = 0; i < 3; i++) {
		part[3 + i] = init[i];
	}
	ok = crypt_keys_prk(k->c->hash, nonce_a(k).p, part, prk) &&
	     make_set(k, now, prk, none, out);
	prim_wipe(prk, sizeof(prk));
	return ok;
}

/* Both Init messages are there. */
static enum crypt_reason exchanged(struct crypt_conn *k, struct instant now)
{
	struct iov init[3];
	bool ok;

	crypt_hs_parts(k->hs, init);
	k->mine_len = (uint32_t)init[k->eno.role_b ? 1 : 0].n;
	k->peer_len = (uint32_t)init[k->eno.role_b ? 0 : 1].n;
	k->cipher = k->hs->cipher;
	if (k->doubtful) {
		k->alt = mem_zalloc(k->c->env->mem, sizeof(*k->alt));
		if (!k->alt) {
			return CRYPT_NOMEM;
		}
	}
	ok = make_fresh(k, now, (struct iov){ k->early->mpc, k->mpc_len },
			&k->set) &&
	     (!k->alt || make_fresh(k, now, (struct iov){ NULL, 0 }, k->alt));
	prim_wipe(k->hs->es, sizeof(k->hs->es));
	if (!ok) {
		return CRYPT_LIB;
	}
	k->state = CRYPT_KEYED;
	if (!k->alt) {
		keyed(k, nonce_a(k));
	}
	return CRYPT_OK;
}

void crypt_mpc_doubtful(struct crypt_conn *k)
{
	k->doubtful |= k->state == CRYPT_INIT && crypt_is_smtcp(k) &&
		       !k->eno.role_b && k->mpc_len > 0;
}

bool crypt_confused(const struct crypt_conn *k)
{
	return k->alt != NULL;
}

enum crypt_reason crypt_init_in(struct crypt_conn *k, struct instant now,
				const uint8_t *p, size_t n, size_t *used)
{
	struct crypt_hs_env env = hs_env(k);
	enum crypt_reason r;

	*used = 0;
	if (k->state != CRYPT_INIT) {
		return k->state == CRYPT_KEYED ? CRYPT_OK
					       : crypt_counted(k, CRYPT_NOT_KEYED);
	}
	r = crypt_hs_in(k->hs, &env, p, n, used);
	if (r == CRYPT_OK && k->hs->done) {
		r = exchanged(k, now);
	}
	if (r != CRYPT_OK) {
		return dead(k, r);
	}
	crypt_drop_hs(k);
	return CRYPT_OK;
}

uint32_t crypt_init_len(const struct crypt_conn *k, bool peer)
{
	return peer ? k->peer_len : k->mine_len;
}
