#include "stack/crypt/crypt.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt_cache.h"
#include "stack/crypt/crypt_hs.h"
#include "stack/crypt/crypt_keys.h"
#include "stack/crypt/crypt_pool.h"
#include "stack/crypt/crypt_set.h"
#include "stack/crypt/eno.h"

#define CACHE_MAX 1024
#define CACHE_AGE (2 * 3600 * NANOS_S)
#define MPC_MAX   64

struct crypt {
	const struct env *env;
	struct hash *hash;
	struct aead *aead;
	struct crypt_pool pool;
	struct crypt_cache cache;
	struct trace keylog;
	uint64_t counter[CRYPT_REASON_N];
};

/* what nobody needs once there are keys and the next secret is kept */
struct early {
	struct eno_early eno;
	struct crypt_ticket next[2]; /* of set, of alt */
	uint8_t mpc[MPC_MAX];
	uint8_t peer_name[CRYPT_PEER_MAX];
};

struct crypt_conn {
	struct crypt *c;
	struct early *early; /* NULL once it rested with keys */
	struct crypt_conf conf;
	enum crypt_state state; /* ENO's until it has AGREED */
	enum crypt_reason why;  /* DEAD */
	struct eno eno;
	struct crypt_hs *hs; /* INIT, and until our message is copied */
	bool init_sent;
	uint32_t mine_len, peer_len; /* of Init messages */
	struct crypt_set set;        /* KEYED */
	/* made without MP_CAPABLE transcript, until a frame decides which of
	 * the two is the peer's too */
	struct crypt_set *alt;
	bool doubtful; /* make it */
	uint16_t cipher;
	bool orig_b; /* our role when ss[0] was made: which keys are ours */
	bool resumed;
	uint64_t cached; /* number of the next secret in the cache, 0: none */
	struct instant next_born; /* the peer's first frame was opened */
	uint8_t mpc_len, peer_name_len;
};

/* --- the part of a stack ------------------------------------------------- */

struct crypt *crypt_new(const struct env *env, const struct crypt_setup *s)
{
	struct crypt *c = mem_zalloc(env->mem, sizeof(*c));

	if (!c) {
		return NULL;
	}
	c->env = env;
	c->keylog = s->keylog;
	c->hash = hash_new();
	c->aead = aead_new();
	if (!c->hash || !c->aead || !crypt_pool_init(&c->pool, &env->entropy) ||
	    !crypt_cache_init(&c->cache, env,
			      s->cache_max ? s->cache_max : CACHE_MAX,
			      s->cache_age ? s->cache_age : CACHE_AGE)) {
		crypt_free(c);
		return NULL;
	}
	return c;
}

void crypt_free(struct crypt *c)
{
	struct mem *mem;

	if (!c) {
		return;
	}
	mem = c->env->mem;
	crypt_cache_fini(&c->cache);
	crypt_pool_fini(&c->pool);
	aead_free(c->aead);
	hash_free(c->hash);
	mem_free(mem, c, sizeof(*c));
}

bool crypt_prepare(struct crypt *c)
{
	return crypt_pool_fill(&c->pool);
}

void crypt_forget_all(struct crypt *c)
{
	crypt_cache_clear(&c->cache);
}

uint32_t crypt_cached(const struct crypt *c)
{
	return c->cache.n;
}

uint64_t crypt_counter(const struct crypt *c, enum crypt_reason r)
{
	if (r < 0 || r >= CRYPT_REASON_N) {
		return 0;
	}
	return r == CRYPT_CACHE_EVICTED ? c->cache.evicted : c->counter[r];
}

static enum crypt_reason counted(struct crypt_conn *k, enum crypt_reason r)
{
	if (r != CRYPT_OK) {
		k->c->counter[r]++;
	}
	return r;
}

/* --- one connection ------------------------------------------------------ */

/* what this build and libcrypto can do of what the program wants */
static void sanitize(struct crypt_conn *k, bool active)
{
	struct crypt_conf *c = &k->conf;
	unsigned n = 0;

	if (active && c->b) {
		c->smtcp = false; /* its host A is who opens */
	}
	for (unsigned i = 0; i < c->n_kx && i < CRYPT_KX_MAX; i++) {
		enum dh_group g = crypt_hs_group(c->kx[i]);

		if (g != DH_N && dh_has(k->c->pool.dh, g)) {
			c->kx[n++] = c->kx[i];
		}
	}
	c->n_kx = (uint8_t)n;
	n = 0;
	for (unsigned i = 0; i < c->n_aead && i < CRYPT_AEAD_MAX; i++) {
		enum aead_alg alg = crypt_keys_alg(c->aead[i]);

		if (alg != AEAD_N && aead_has(k->c->aead, alg)) {
			c->aead[n++] = c->aead[i];
		}
	}
	c->n_aead = (uint8_t)n;
	if (c->nonce_len > ENO_NONCE) {
		c->nonce_len = ENO_NONCE;
	}
	if ((c->n_kx == 0 || n == 0 || !(c->plain || c->smtcp)) &&
	    !c->vacuous) {
		c->on = false;
	}
}

static struct eno_env eno_env(struct crypt_conn *k, struct instant now)
{
	return (struct eno_env){
		.conf = &k->conf,
		.cache = &k->c->cache,
		.entropy = &k->c->env->entropy,
		.counter = k->c->counter,
		.peer = k->early ? k->early->peer_name : NULL,
		.peer_len = k->early ? k->peer_name_len : 0,
		.now = now,
	};
}

struct crypt_conn *crypt_conn_new(struct crypt *c,
				  const struct crypt_conf *conf, bool active,
				  const void *peer, size_t peer_len)
{
	struct mem *mem = c->env->mem;
	struct crypt_conn *k = mem_zalloc(mem, sizeof(*k));
	struct early *early = k ? mem_zalloc(mem, sizeof(*early)) : NULL;
	struct eno_env env;

	check(peer_len <= CRYPT_PEER_MAX);
	if (!early) {
		mem_free(mem, k, sizeof(*k));
		return NULL;
	}
	k->c = c;
	k->early = early;
	k->conf = *conf;
	k->state = CRYPT_NEGOTIATING;
	k->why = CRYPT_OK;
	if (peer_len > 0) {
		memcpy(early->peer_name, peer, peer_len);
	}
	k->peer_name_len = (uint8_t)peer_len;
	sanitize(k, active);
	eno_init(&k->eno, &early->eno, active);
	if (!k->conf.on) {
		env = eno_env(k, (struct instant){ 0 });
		eno_give_up(&k->eno, &env, CRYPT_OFF_CONF);
	}
	return k;
}

static void drop_alt(struct crypt_conn *k)
{
	if (k->alt) {
		crypt_set_fini(k->alt);
		mem_free(k->c->env->mem, k->alt, sizeof(*k->alt));
		k->alt = NULL;
	}
}

static void drop_early(struct crypt_conn *k)
{
	if (k->early) {
		prim_wipe(k->early, sizeof(*k->early));
		mem_free(k->c->env->mem, k->early, sizeof(*k->early));
		k->early = NULL;
		k->eno.x = NULL;
	}
}

static void drop_keys(struct crypt_conn *k)
{
	crypt_hs_free(k->hs);
	k->hs = NULL;
	drop_alt(k);
	crypt_set_fini(&k->set);
}

void crypt_conn_free(struct crypt_conn *k)
{
	struct eno_env env;
	struct mem *mem;

	if (!k) {
		return;
	}
	env = eno_env(k, (struct instant){ 0 });
	eno_fini(&k->eno, &env);
	drop_keys(k);
	drop_early(k);
	mem = k->c->env->mem;
	prim_wipe(k, sizeof(*k));
	mem_free(mem, k, sizeof(*k));
}

enum crypt_state crypt_state(const struct crypt_conn *k)
{
	if (k->state != CRYPT_NEGOTIATING) {
		return k->state;
	}
	switch (k->eno.state) {
	case ENO_AGREED:
		return CRYPT_AGREED;
	case ENO_OFF:
		return CRYPT_OFF;
	case ENO_OPEN:
	default:
		return CRYPT_NEGOTIATING;
	}
}

enum crypt_reason crypt_why(const struct crypt_conn *k)
{
	return k->state == CRYPT_DEAD ? k->why : k->eno.why;
}

void crypt_seg_in(struct crypt_conn *k, struct instant now, enum crypt_seg seg,
		  const struct eno_opt_seen *seen)
{
	struct eno_env env = eno_env(k, now);

	eno_in(&k->eno, &env, seg, seen);
}

unsigned crypt_seg_out(struct crypt_conn *k, struct instant now,
		       enum crypt_seg seg, uint8_t *buf, unsigned room)
{
	struct eno_env env = eno_env(k, now);

	return eno_out(&k->eno, &env, seg, buf, room);
}

bool crypt_would_resume(struct crypt_conn *k, struct instant now)
{
	struct eno_env env = eno_env(k, now);

	return eno_would_resume(&k->eno, &env);
}

uint8_t crypt_choice(const struct crypt_conn *k)
{
	return k->eno.state != ENO_OFF ? k->eno.tep : 0;
}

bool crypt_resumes(const struct crypt_conn *k)
{
	return k->eno.settled ? k->eno.resumed : k->eno.wanted != 0;
}

bool crypt_give_up(struct crypt_conn *k, enum crypt_reason why)
{
	struct eno_env env = eno_env(k, (struct instant){ 0 });

	return k->state == CRYPT_NEGOTIATING && eno_give_up(&k->eno, &env, why);
}

/* --- keys ---------------------------------------------------------------- */

static enum crypt_reason dead(struct crypt_conn *k, enum crypt_reason why)
{
	drop_keys(k);
	k->state = CRYPT_DEAD;
	k->why = why;
	return counted(k, why);
}

static bool is_smtcp(const struct crypt_conn *k)
{
	return k->eno.tep == ENO_TEP_EXP;
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
		.phases = is_smtcp(k),
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
		.smtcp = is_smtcp(k),
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
	counted(k, k->resumed ? CRYPT_RESUMED : CRYPT_FRESH);
}

static enum crypt_reason resume(struct crypt_conn *k, struct instant now)
{
	struct crypt_ticket *t = &k->early->eno.ticket;
	struct iov part[3], sn = { k->early->eno.sn, k->eno.sn_len };
	uint8_t digest[32];
	bool ok;

	eno_transcript(&k->eno, part);
	part[2] = (struct iov){ k->early->mpc, k->mpc_len };
	if (is_smtcp(k)) {
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
	if (is_smtcp(k) && n > 0) {
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

static void maybe_free_hs(struct crypt_conn *k)
{
	if (k->init_sent && k->state == CRYPT_KEYED && !k->alt) {
		crypt_hs_free(k->hs);
		k->hs = NULL;
	}
}

void crypt_init_sent(struct crypt_conn *k)
{
	k->init_sent = true;
	maybe_free_hs(k);
}

static struct iov nonce_a(const struct crypt_conn *k)
{
	return (struct iov){ crypt_hs_nonce_a(k->hs), CRYPT_NONCE };
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
	k->doubtful |= k->state == CRYPT_INIT && is_smtcp(k) &&
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
					       : counted(k, CRYPT_NOT_KEYED);
	}
	r = crypt_hs_in(k->hs, &env, p, n, used);
	if (r == CRYPT_OK && k->hs->done) {
		r = exchanged(k, now);
	}
	if (r != CRYPT_OK) {
		return dead(k, r);
	}
	maybe_free_hs(k);
	return CRYPT_OK;
}

uint32_t crypt_init_len(const struct crypt_conn *k, bool peer)
{
	return peer ? k->peer_len : k->mine_len;
}

/* --- frames -------------------------------------------------------------- */

enum crypt_reason crypt_seal(struct crypt_conn *k, const struct crypt_seal *s,
			     const struct iov_mut *out, unsigned n_out,
			     size_t *len)
{
	uint64_t gen = k->set.rec.tx_gen;
	enum crypt_reason r;

	*len = 0;
	if (k->state != CRYPT_KEYED || k->alt) {
		return counted(k, CRYPT_NOT_KEYED);
	}
	r = crypt_rec_seal(&k->set.rec, s, out, n_out, len);
	if (r == CRYPT_OK) {
		k->c->counter[CRYPT_SEALED]++;
		if (k->set.rec.tx_gen > gen &&
		    k->set.rec.tx_gen > k->set.rec.rx_gen) {
			k->c->counter[CRYPT_REKEY_OUT]++;
		}
	}
	return counted(k, r);
}

size_t crypt_frame_max(const struct crypt_conn *k)
{
	return is_smtcp(k) ? CRYPT_FRAME_SMTCP_MAX : CRYPT_FRAME_MAX;
}

size_t crypt_frame_len(const uint8_t *hdr)
{
	struct crypt_frame_hdr h;

	return crypt_msg_frame_parse(hdr, &h) ? (size_t)h.clen + CRYPT_FRAME_HDR
					      : 0;
}

/* The peer keeps the secret when it has opened a frame of ours.  Whoever opens
 * connections may use it at once, in a SYN that overtakes that frame, and would
 * be declined: it waits until the frame is acknowledged. */
static bool peer_keeps_next(const struct crypt_conn *k)
{
	const struct crypt_rec *r = &k->set.rec;

	return k->peer_name_len == 0 || r->tx_gen > 0 || r->tx_marked;
}

/* The peer has the same keys: only now the next secret is worth keeping. */
static void keep_next(struct crypt_conn *k)
{
	struct crypt_set *s = &k->set;

	if (s->next && s->rec.rx_frames > 0 && peer_keeps_next(k)) {
		k->cached =
			crypt_cache_put(&k->c->cache, k->next_born, s->next,
					k->early->peer_name, k->peer_name_len);
		k->c->counter[CRYPT_CACHED] += k->cached != 0;
		crypt_set_no_next(s);
	}
}

/* the first frame of a peer whose transcript is not known */
static enum crypt_reason open_first(struct crypt_conn *k, uint64_t offset,
				    const struct iov_mut *v, unsigned n,
				    size_t len, struct crypt_opened *out)
{
	struct mem *mem = k->c->env->mem;
	enum crypt_reason r;

	r = crypt_set_choose(&k->set, k->alt, mem, offset, v, n, len, out);
	if (r == CRYPT_OK) {
		drop_alt(k);
		keyed(k, nonce_a(k));
		maybe_free_hs(k);
	}
	return r;
}

enum crypt_reason crypt_open(struct crypt_conn *k, struct instant now,
			     uint64_t offset, const struct iov_mut *v,
			     unsigned n, size_t len, struct crypt_opened *out)
{
	uint64_t gen = k->set.rec.rx_gen;
	enum crypt_reason r;

	*out = (struct crypt_opened){ 0 };
	if (k->state != CRYPT_KEYED) {
		return counted(k, CRYPT_NOT_KEYED);
	}
	r = k->alt ? open_first(k, offset, v, n, len, out)
		   : crypt_rec_open(&k->set.rec, offset, v, n, len, out);
	if (r == CRYPT_OK) {
		k->c->counter[CRYPT_OPENED]++;
		if (k->set.rec.rx_gen > gen &&
		    k->set.rec.rx_gen > k->set.rec.tx_gen) {
			k->c->counter[CRYPT_REKEY_IN]++;
		}
		if (k->set.rec.rx_frames == 1) {
			k->next_born = now;
		}
		keep_next(k);
	}
	return counted(k, r);
}

enum crypt_reason crypt_blame(struct crypt_conn *k, enum crypt_reason why)
{
	return counted(k, why);
}

enum crypt_reason crypt_end_in(struct crypt_conn *k, uint64_t end)
{
	return counted(k, k->state == CRYPT_KEYED
				  ? crypt_rec_end(&k->set.rec, end)
				  : CRYPT_TRUNCATED);
}

void crypt_received(struct crypt_conn *k, uint64_t offset)
{
	if (k->state == CRYPT_KEYED) {
		crypt_rec_received(&k->set.rec, offset);
	}
}

void crypt_acked(struct crypt_conn *k, uint64_t offset)
{
	if (k->state == CRYPT_KEYED) {
		crypt_rec_acked(&k->set.rec, offset);
		keep_next(k);
	}
}

bool crypt_rekey(struct crypt_conn *k, struct instant now)
{
	bool ok = k->state == CRYPT_KEYED && !k->alt &&
		  crypt_rec_rekey(&k->set.rec, now);

	k->c->counter[CRYPT_REKEY_OUT] += ok;
	return ok;
}

bool crypt_due(const struct crypt_conn *k)
{
	return k->state == CRYPT_KEYED && crypt_rec_due(&k->set.rec);
}

bool crypt_rekeying(const struct crypt_conn *k)
{
	return k->state == CRYPT_KEYED && k->set.rec.rx_gen < k->set.rec.tx_gen;
}

void crypt_rest(struct crypt_conn *k)
{
	if (k->state == CRYPT_KEYED && !k->alt) {
		crypt_rec_rest(&k->set.rec);
		if (!k->hs && !k->set.next) {
			drop_early(k);
		}
	}
}

bool crypt_confirmed(const struct crypt_conn *k)
{
	return k->state == CRYPT_KEYED && k->set.rec.rx_frames > 0;
}

/* --- asking -------------------------------------------------------------- */

void crypt_info(const struct crypt_conn *k, struct crypt_info *out)
{
	*out = (struct crypt_info){
		.state = crypt_state(k),
		.why = crypt_why(k),
		.role_b = k->eno.role_b,
		.peer_aware = k->eno.peer_aware,
	};
	if (k->eno.settled && out->state != CRYPT_OFF) {
		out->smtcp = is_smtcp(k);
		out->sig = k->eno.sig;
		out->tep = k->eno.tep;
		out->kx = k->eno.kx;
	}
	if (out->state == CRYPT_KEYED) {
		out->resumed = k->resumed;
		out->aead = k->cipher;
		out->peer_fin = k->set.rec.rx_fin;
		out->tx_gen = k->set.rec.tx_gen;
		out->rx_gen = k->set.rec.rx_gen;
		out->tx_frames = k->set.rec.tx_frames;
		out->rx_frames = k->set.rec.rx_frames;
		out->tx_bytes = k->set.rec.tx_bytes;
		out->rx_bytes = k->set.rec.rx_bytes;
	}
}

bool crypt_session_id(const struct crypt_conn *k, uint8_t out[CRYPT_SESSION_ID])
{
	if (k->state != CRYPT_KEYED || k->alt) {
		return false;
	}
	memcpy(out, k->set.session_id, CRYPT_SESSION_ID);
	return true;
}

const struct crypt_sk *crypt_sk(const struct crypt_conn *k)
{
	return k->state == CRYPT_KEYED && is_smtcp(k) && !k->alt ? &k->set.sk
								 : NULL;
}

void crypt_forget(struct crypt_conn *k)
{
	crypt_set_no_next(&k->set);
	if (k->alt) {
		crypt_set_no_next(k->alt);
	}
	if (k->cached) {
		crypt_cache_drop(&k->c->cache, k->cached);
		k->cached = 0;
	}
	k->conf.no_cache = true;
}
