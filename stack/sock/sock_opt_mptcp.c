#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/sock/sock_linux.h"
#include "stack/sock/sock_state.h"

static void fill(const struct sock *sk, const struct mp_info *m,
		 struct lx_mptcp_info *o)
{
	unsigned live = 0;

	memset(o, 0, sizeof(*o));
	for (unsigned i = 0; i < m->n_subs; i++) {
		const struct mp_sub_info *s = &m->sub[i];

		live += s->established && !s->closed;
		o->retransmits += s->tcp.retrans;
		o->bytes_retrans += s->tcp.bytes_retrans;
	}
	o->subflows_total = (uint8_t)live;
	o->subflows = (uint8_t)(live ? live - 1 : 0); /* additional ones */
	o->subflows_max = sk->s->cfg.mp.subflows_max;
	o->flags = LX_MPTCP_FLAG_REMOTE_KEY;
	o->token = m->token_local;
	o->write_seq = m->write_seq;
	o->snd_una = m->snd_una;
	o->rcv_nxt = m->rcv_nxt;
	o->csum_enabled = m->checksum;
	o->bytes_sent = m->bytes_sent;
	o->bytes_received = m->bytes_received;
	o->bytes_acked = m->bytes_sent -
			 min_u64(m->bytes_sent, mp_write_pending(sk->conn));
}

/* --- encryption ------------------------------------------------------------ */

bool sock_opt_private(int level, int name)
{
	return level == LX_SOL_MPTCP &&
	       ((uint32_t)name & LX_MPTCP_PRIVATE_MASK) == LX_MPTCP_PRIVATE;
}

/* 0: there are keys.  ENOTCONN: not yet, or no connection; EOPNOTSUPP: there
 * never will be. */
static int keyed(const struct sock *sk, struct mp_info *m)
{
	if (!sk->conn) {
		return ENOTCONN;
	}
	mp_info(sk->conn, m);
	if (!m->sealed) {
		return m->mode == MP_MODE_PENDING ? ENOTCONN : EOPNOTSUPP;
	}
	return m->have_session_id ? 0 : ENOTCONN;
}

static void fill_crypt(const struct mp_info *m, struct lx_mptcp_crypt_info *o)
{
	const struct crypt_info *c = &m->crypt;

	*o = (struct lx_mptcp_crypt_info){
		.mode = m->sec == MP_SEC_SMTCP ? LX_CRYPT_SMTCP
					       : LX_CRYPT_TCPCRYPT,
		.role = c->role_b ? 'B' : 'A',
		.kx = c->kx,
		.cipher = c->aead,
		.tx_generation = c->tx_gen,
		.rx_generation = c->rx_gen,
		.tx_frames = c->tx_frames,
		.rx_frames = c->rx_frames,
		.tx_bytes = c->tx_bytes,
		.rx_bytes = c->rx_bytes,
	};
	o->flags = (uint8_t)((c->resumed ? LX_CRYPT_RESUMED : 0) |
			     (c->peer_aware ? LX_CRYPT_PEER_AWARE : 0) |
			     (c->peer_fin ? LX_CRYPT_PEER_END : 0));
}

static int get_keyed(const struct sock *sk, int name, void *val, uint32_t *len)
{
	struct lx_mptcp_crypt_info out;
	struct mp_info m;
	int err = keyed(sk, &m);

	if (err) {
		return err;
	}
	if (name == LX_MPTCP_SESSION_ID) {
		return sock_opt_put(m.session_id, sizeof(m.session_id), val,
				    len);
	}
	fill_crypt(&m, &out);
	return sock_opt_put(&out, sizeof(out), val, len);
}

static int get_conf(const struct sock *sk, int name, int *v)
{
	switch (name) {
	case LX_MPTCP_CRYPT_AWARE:
		*v = sk->conf->crypt.aware_only ? LX_AWARE_ONLY
		     : sk->conf->crypt.aware    ? LX_AWARE_ON
					       : LX_AWARE_OFF;
		return 0;
	case LX_MPTCP_CRYPT_RESUME:
		*v = !sk->conf->crypt.no_resume;
		return 0;
	case LX_MPTCP_CRYPT_KEEP:
		*v = !sk->conf->crypt.no_cache;
		return 0;
	case LX_MPTCP_CRYPT_PASSIVE:
		*v = sk->conf->crypt.b;
		return 0;
	default:
		return ENOPROTOOPT;
	}
}

/* EOPNOTSUPP on a connection that is plain TCP, as on Linux */
static int get_info(const struct sock *sk, void *val, uint32_t *len)
{
	struct lx_mptcp_info out;
	struct mp_info m;

	if (!sk->conn || mp_mode(sk->conn) != MP_MODE_MPTCP) {
		return EOPNOTSUPP;
	}
	mp_info(sk->conn, &m);
	fill(sk, &m, &out);
	return sock_opt_put(&out, sizeof(out), val, len);
}

int sock_opt_mptcp_get(struct sock *sk, int name, void *val, uint32_t *len)
{
	int v = 0, err;

	switch (name) {
	case LX_MPTCP_INFO:
		return get_info(sk, val, len);
	case LX_MPTCP_SESSION_ID:
	case LX_MPTCP_CRYPT_INFO:
		return get_keyed(sk, name, val, len);
	default:
		break;
	}
	if (!sock_opt_private(LX_SOL_MPTCP, name)) {
		return EOPNOTSUPP;
	}
	err = get_conf(sk, name, &v);
	return err ? err : sock_opt_put_int(v, val, len);
}

static int act(struct sock *sk, struct instant now, int name)
{
	struct mp_info m;
	int err = keyed(sk, &m);

	if (!err && name == LX_MPTCP_CRYPT_FORGET) {
		mp_forget(sk->conn);
	} else if (!err) {
		err = mp_rekey(sk->conn, now);
	}
	return err;
}

static int set_conf(struct sock *sk, int name, int v)
{
	if (v < 0 || v > (name == LX_MPTCP_CRYPT_AWARE ? LX_AWARE_ONLY : 1)) {
		return EINVAL;
	}
	switch (name) {
	case LX_MPTCP_CRYPT_AWARE:
		sk->conf->crypt.aware = v != LX_AWARE_OFF;
		sk->conf->crypt.aware_only = v == LX_AWARE_ONLY;
		return 0;
	case LX_MPTCP_CRYPT_RESUME:
		sk->conf->crypt.no_resume = !v;
		return 0;
	case LX_MPTCP_CRYPT_KEEP:
		sk->conf->crypt.no_cache = !v;
		return 0;
	case LX_MPTCP_CRYPT_PASSIVE:
		sk->conf->crypt.b = v;
		return 0;
	default:
		return ENOPROTOOPT;
	}
}

int sock_opt_mptcp_set(struct sock *sk, struct instant now, int name,
		       const void *val, uint32_t len)
{
	int v, err;

	switch (name) {
	case LX_MPTCP_CRYPT_REKEY:
	case LX_MPTCP_CRYPT_FORGET:
		return act(sk, now, name);
	case LX_MPTCP_SESSION_ID:
	case LX_MPTCP_CRYPT_INFO:
		return ENOPROTOOPT;
	default:
		break;
	}
	if (!sock_opt_private(LX_SOL_MPTCP, name)) {
		return ENOPROTOOPT;
	}
	/* said in the SYN: afterwards it would be no more than a wish */
	if (sk->state != SOCK_IDLE && sk->state != SOCK_FAILED) {
		return EINVAL;
	}
	err = sock_opt_int(val, len, &v);
	return err ? err : set_conf(sk, name, v);
}
