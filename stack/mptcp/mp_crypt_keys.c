/* mp_crypt_keys.c - a sealed connection: Init messages, confirmation, what is
 * keyed from the session, and bad frames (smtcp(7))
 */
#include <errno.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define BAD_MAX  8
#define BAD_WAIT (60 * NANOS_S)

/* what becomes a rule of the stack's memory, not of the peer */
static bool our_fault(enum crypt_reason why)
{
	return why == CRYPT_NOMEM || why == CRYPT_LIB;
}

static void end_all(struct mp_conn *c, struct instant now, int err)
{
	uint64_t key;

	if (c->mode == MP_MODE_MPTCP && c->established &&
	    mp_crypt_close_key(c, true, &key)) {
		mp_close_fast(c, now); /* ends with ECONNABORTED */
	} else {
		mp_conn_fail(c, now, err);
	}
}

void mp_crypt_abort(struct mp_conn *c, struct instant now, enum mp_reason why)
{
	if (c->fsm.state != MP_ST_CLOSED) {
		mp_count(c->mp, why);
		end_all(c, now, ECONNABORTED);
	}
}

/* --- key exchange ------------------------------------------------------- */

/* Init message wrong, key not valid */
static bool init_failed(struct mp_conn *c, struct instant now,
			enum crypt_reason why)
{
	if (our_fault(why)) {
		mp_count(c->mp, MP_NOMEM);
		mp_conn_fail(c, now, ENOBUFS);
		return false;
	}
	mp_count(c->mp, MP_CRYPT_ABORT);
	if (c->mode == MP_MODE_MPTCP) {
		list_each(n, &c->subs) {
			mp_sub_reset_why(list_entry(n, struct mp_sub, node),
					 MP_RST_MPTCP, false);
		}
	}
	mp_conn_fail(c, now, ECONNABORTED);
	return false;
}

void mp_crypt_transcript(const struct mp_conn *c,
			 uint8_t out[MP_CRYPT_TRANSCRIPT])
{
	const struct mp_crypt *y = &c->crypt;
	const struct mp_keys *k = &c->keys;
	uint64_t a = c->passive ? k->remote : k->local;
	uint64_t b = c->passive ? k->local : k->remote;
	struct wr w = wr_make(out, MP_CRYPT_TRANSCRIPT);
	struct mp_opt_capable syn = { .len = 4, .version = 1,
				      .flags = y->syn_flags };
	struct mp_opt_capable synack = { .len = 12, .version = 1,
					 .flags = y->synack_flags,
					 .key_snd = b };

	mp_opt_emit_capable(&w, &syn);
	mp_opt_emit_capable(&w, &synack);
	wr_u64(&w, a);
	wr_u64(&w, b);
	check(wr_left(&w) == 0);
}

static bool start(struct mp_conn *c, struct instant now, bool mptcp)
{
	struct mp_crypt *y = &c->crypt;
	enum crypt_reason r;
	uint8_t mpc[MP_CRYPT_TRANSCRIPT];
	size_t n = 0;

	if (y->smtcp && mptcp && c->keys.have_local && c->keys.have_remote) {
		mp_crypt_transcript(c, mpc);
		n = sizeof(mpc);
	}
	y->started = true;
	y->have_mpc = n > 0;
	r = crypt_start(y->k, now, mpc, n);
	prim_wipe(mpc, sizeof(mpc));
	if (r != CRYPT_OK) {
		return init_failed(c, now, r);
	}
	mp_dirty(c); /* Init, or a first frame: mp_tx_run() */
	return true;
}

bool mp_crypt_established(struct mp_conn *c, struct instant now)
{
	struct mp_crypt *y = &c->crypt;
	struct crypt_info i;

	mp_crypt_compare(c);
	if (y->state != MP_CRYPT_SEALED || y->started) {
		return true;
	}
	crypt_info(y->k, &i);
	/* host B computes nothing before it has to */
	if (i.role_b && !crypt_resumes(y->k)) {
		return true;
	}
	if (!start(c, now, c->mode == MP_MODE_MPTCP)) {
		return false;
	}
	/* resumed: data may come in time to be in the first frame */
	if (mp_crypt_keyed(c) && c->mode == MP_MODE_MPTCP) {
		mp_seal_hold(c, now);
	}
	return true;
}

bool mp_crypt_init_in(struct mp_conn *c, struct instant now, bool mapped,
		      const uint8_t *p, size_t n, size_t *used)
{
	struct mp_crypt *y = &c->crypt;
	enum crypt_reason r;

	*used = 0;
	if (!y->started && !start(c, now, mapped)) {
		return false;
	}
	if (!mapped && y->have_mpc) {
		crypt_mpc_doubtful(y->k); /* host A's part only */
	}
	r = crypt_init_in(y->k, now, p, n, used);
	if (r != CRYPT_OK) {
		return init_failed(c, now, r);
	}
	mp_dirty(c);
	return true;
}

bool mp_crypt_keyed(const struct mp_conn *c)
{
	return c->crypt.k && crypt_state(c->crypt.k) == CRYPT_KEYED;
}

/* --- confirmation ------------------------------------------------------- */

bool mp_crypt_early(const struct mp_conn *c)
{
	return c->crypt.state != MP_CRYPT_CLEAR && !c->crypt.confirmed;
}

bool mp_crypt_may_join(const struct mp_conn *c)
{
	const struct mp_crypt *y = &c->crypt;

	return y->state == MP_CRYPT_CLEAR ||
	       (y->state == MP_CRYPT_SEALED && y->confirmed &&
		y->peer_confirmed);
}

/* the path manager has waited for this */
static void joinable(struct mp_conn *c)
{
	if (mp_crypt_may_join(c)) {
		c->confirm_due = c->confirm_due || c->confirmed;
		c->pm.due = true;
		mp_dirty(c);
	}
}

static void arm_rekey(struct mp_conn *c, struct instant now)
{
	nanos t = c->mp->cfg.crypt_conf.rekey_time;

	if (t > 0) {
		mp_timer_set(&c->timers, MP_T_CRYPT, instant_add(now, t));
	} else {
		mp_timer_stop(&c->timers, MP_T_CRYPT);
	}
}

void mp_crypt_verified(struct mp_conn *c, struct instant now)
{
	struct mp_crypt *y = &c->crypt;
	bool first = !y->confirmed;

	if (!y->k) {
		return;
	}
	y->confirmed = true;
	if (first || y->bad) {
		y->bad = 0;
		arm_rekey(c, now);
	}
	if (first) {
		mp_crypt_remember(c, now);
		joinable(c);
	}
	if (crypt_due(y->k)) {
		mp_dirty(c);
	}
}

void mp_crypt_acked(struct mp_conn *c, uint64_t off)
{
	struct mp_crypt *y = &c->crypt;

	if (!y->k) {
		return;
	}
	crypt_acked(y->k, off);
	if (!y->peer_confirmed && mp_crypt_keyed(c) &&
	    off > crypt_init_len(y->k, false)) {
		y->peer_confirmed = true;
		joinable(c);
	}
}

/* --- bad frames --------------------------------------------------------- */

static bool single(const struct mp_conn *c)
{
	return c->mode != MP_MODE_MPTCP || !c->crypt.confirmed;
}

void mp_crypt_bad(struct mp_sub *s, struct instant now, enum crypt_reason why)
{
	struct mp_conn *c = s->c;
	struct mp_crypt *y = &c->crypt;

	if (c->fsm.state == MP_ST_CLOSED || s->state == MP_SUB_DEAD) {
		return;
	}
	(void)why; /* stack/crypt has counted it */
	if (single(c)) {
		mp_crypt_abort(c, now, MP_CRYPT_ABORT);
		return;
	}
	mp_count(c->mp, MP_CRYPT_BAD_FRAME);
	if (++y->bad >= BAD_MAX) {
		mp_crypt_abort(c, now, MP_CRYPT_BAD_LIMIT);
		return;
	}
	mp_sub_reset_why(s, MP_RST_MIDDLEBOX, true);
	mp_sub_abort(s, now);
	mp_count(c->mp, MP_SUBFLOW_LOST);
	if (c->fsm.state < MP_ST_TIME_WAIT) {
		c->mp->pm->lost(c, now, s);
	}
	if (!c->n_subs) {
		mp_timer_set(&c->timers, MP_T_CRYPT,
			     instant_add(now, BAD_WAIT));
		mp_close_no_subflow(c, now);
	}
}

void mp_crypt_timer(struct mp_conn *c, struct instant now)
{
	struct mp_crypt *y = &c->crypt;

	if (y->state != MP_CRYPT_SEALED) {
		mp_watch_release(c);
		mp_conn_readable(c, now);
		return;
	}
	/* RFC 8548 has no confirmation: a peer may have nothing to say */
	if (!y->confirmed && (y->smtcp || !mp_crypt_keyed(c))) {
		mp_crypt_abort(c, now, MP_CRYPT_UNCONFIRMED);
		return;
	}
	if (y->bad && !c->n_open) {
		mp_crypt_abort(c, now, MP_CRYPT_ABORT);
		return;
	}
	if (c->mp->cfg.crypt_conf.rekey_time > 0) {
		mp_rekey(c, now);
		arm_rekey(c, now);
	}
}

/* --- keys for others ---------------------------------------------------- */

static bool mac_key(const struct mp_conn *c, bool ours, struct mp_mac_key *out)
{
	const struct mp_keys *k = &c->keys;
	const struct crypt_sk *sk;
	bool a = ours != c->passive; /* the HMAC is host A's */

	if (!mp_sealed(c)) {
		mp_keys_mac_key(out, ours ? k->local : k->remote,
				ours ? k->remote : k->local);
		return k->have_local && k->have_remote;
	}
	sk = crypt_sk(c->crypt.k);
	if (!sk) {
		return false;
	}
	memcpy(out->k, a ? sk->sk_a : sk->sk_b, CRYPT_SK);
	memcpy(out->k + CRYPT_SK, a ? sk->sk_b : sk->sk_a, CRYPT_SK);
	out->n = 2 * CRYPT_SK;
	return true;
}

bool mp_crypt_join_mac(const struct mp_sub *s, bool ours, uint8_t out[32])
{
	uint32_t l = s->join.nonce_local, r = s->join.nonce_remote;
	struct mp_mac_key key;
	bool ok;

	ok = mac_key(s->c, ours, &key) &&
	     mp_keys_join_mac(s->c->mp->hash, &key, ours ? l : r, ours ? r : l,
			      out);
	prim_wipe(&key, sizeof(key));
	return ok;
}

bool mp_crypt_addr_mac(const struct mp_conn *c, bool ours,
		       const struct mp_opt_add_addr *a, uint8_t out[8])
{
	struct mp_mac_key key;
	bool ok;

	ok = mac_key(c, ours, &key) &&
	     mp_keys_addr_mac(c->mp->hash, &key, a->id, &a->addr, a->port, out);
	prim_wipe(&key, sizeof(key));
	return ok;
}

/* In the option is the key of the one who receives it. */
bool mp_crypt_close_key(const struct mp_conn *c, bool ours, uint64_t *key)
{
	const struct crypt_sk *sk;
	bool to_a = ours == c->passive;

	if (!mp_sealed(c)) {
		*key = ours ? c->keys.remote : c->keys.local;
		return ours ? c->keys.have_remote : c->keys.have_local;
	}
	sk = crypt_sk(c->crypt.k);
	if (!sk || (ours && c->passive && !c->crypt.confirmed)) {
		return false;
	}
	*key = be64_get(to_a ? sk->fc_a : sk->fc_b);
	return true;
}

/* --- asked by the program ----------------------------------------------- */

int mp_rekey(struct mp_conn *c, struct instant now)
{
	if (!mp_crypt_keyed(c) || !c->crypt.confirmed) {
		return ENOTCONN;
	}
	if (!crypt_rekey(c->crypt.k, now)) {
		return EALREADY;
	}
	mp_dirty(c);
	return 0;
}

void mp_forget(struct mp_conn *c)
{
	if (c->crypt.k) {
		crypt_forget(c->crypt.k);
	}
}

void mp_crypt_fini(struct mp_conn *c)
{
	crypt_conn_free(c->crypt.k);
	c->crypt.k = NULL;
	c->crypt.state = MP_CRYPT_CLEAR;
}
