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

/* EOPNOTSUPP on a connection that is plain TCP, as on Linux */
int sock_opt_mptcp_get(struct sock *sk, int name, void *val, uint32_t *len)
{
	struct lx_mptcp_info out;
	struct mp_info m;

	if (name != LX_MPTCP_INFO || !sk->conn ||
	    mp_mode(sk->conn) != MP_MODE_MPTCP) {
		return EOPNOTSUPP;
	}
	mp_info(sk->conn, &m);
	fill(sk, &m, &out);
	return sock_opt_put(&out, sizeof(out), val, len);
}
