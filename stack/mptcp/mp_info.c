/* mp_info.c - what a connection and its subflows look like from outside */
#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

static void sub_info(const struct mp_sub *s, struct mp_sub_info *out)
{
	*out = (struct mp_sub_info){
		.t = s->t,
		.path = s->path,
		.local_id = s->local_id,
		.remote_id = s->remote_id,
		.backup = s->backup,
		.peer_backup = s->peer_backup,
		.established = s->state == MP_SUB_OPEN,
		.stale = s->stale,
		.bytes_sent = s->sent,
		.bytes_received = s->received,
		.bytes_reinjected = s->reinjected,
	};
	if (s->tcb) {
		tcp_info(s->tcb, &out->tcp);
	}
}

/* a place for one more: free, or that of an attempt which never opened; -1 */
static int old_place(struct mp_conn *c, bool opened)
{
	if (c->n_old < MP_OLD_MAX) {
		return c->n_old++;
	}
	for (unsigned i = 0; opened && i < MP_OLD_MAX; i++) {
		if (!c->old[i].established) {
			return (int)i;
		}
	}
	return -1;
}

/* a subflow ends: its numbers are kept while there is room */
void mp_info_keep(struct mp_sub *s)
{
	struct mp_conn *c = s->c;
	struct mem *mem = c->mp->env->mem;
	int i;

	if (!c->old) {
		c->old = mem_zalloc(mem, MP_OLD_MAX * sizeof(*c->old));
	}
	i = c->old ? old_place(c, s->state == MP_SUB_OPEN) : -1;
	if (i >= 0) {
		sub_info(s, &c->old[i]);
		c->old[i].closed = true;
		c->old_nr[i] = s->nr;
	}
}

/* in the order of creation: the first subflow is the connection's face */
static void insert(struct mp_info *out, uint8_t *nrs,
		   const struct mp_sub_info *si, uint8_t nr)
{
	unsigned i = out->n_subs;

	if (i == ARRAY_SIZE(out->sub)) {
		return;
	}
	for (; i > 0 && nrs[i - 1] > nr; i--) {
		out->sub[i] = out->sub[i - 1];
		nrs[i] = nrs[i - 1];
	}
	out->sub[i] = *si;
	nrs[i] = nr;
	out->n_subs++;
}

static void crypt_part(const struct mp_conn *c, struct mp_info *out)
{
	const struct mp_crypt *y = &c->crypt;

	out->why_clear = y->state == MP_CRYPT_CLEAR ? y->why : CRYPT_OK;
	out->weaker = y->weaker;
	out->sealed = mp_sealed(c);
	if (!out->sealed) {
		return;
	}
	out->sec = y->smtcp && c->mode == MP_MODE_MPTCP ? MP_SEC_SMTCP :
							  MP_SEC_TCPCRYPT;
	crypt_info(y->k, &out->crypt);
	out->have_session_id = crypt_session_id(y->k, out->session_id);
}

void mp_info(const struct mp_conn *c, struct mp_info *out)
{
	uint8_t nrs[ARRAY_SIZE(out->sub)];

	*out = (struct mp_info){
		.mode = c->mode,
		.why_plain = c->why_plain,
		.passive = c->passive,
		.checksum = c->mode == MP_MODE_MPTCP && c->checksum,
		.fin_acked = c->snd.fin_acked,
		.token_local = c->keys.token_local,
		.token_remote = c->keys.token_remote,
		.sndbuf = c->snd.size,
		.rcvbuf = c->rcv.wnd.size,
		.unsent = mp_sndbuf_unsent(c),
		.bytes_sent = c->snd.total,
		.bytes_received = c->rcv.total,
		.bytes_reinjected = c->snd.again_total,
		.write_seq = c->snd.ring.tail,
		.snd_una = c->snd.una,
		.rcv_nxt = c->rcv.nxt,
	};
	crypt_part(c, out);
	for (unsigned i = 0; i < c->n_old; i++) {
		insert(out, nrs, &c->old[i], c->old_nr[i]);
	}
	list_each(n, &c->subs) {
		const struct mp_sub *s = list_entry(n, struct mp_sub, node);
		struct mp_sub_info si;

		sub_info(s, &si);
		insert(out, nrs, &si, s->nr);
	}
}

const struct tuple *mp_tuple(const struct mp_conn *c)
{
	return &c->t;
}

bool mp_passive(const struct mp_conn *c)
{
	return c->passive;
}

enum mp_mode mp_mode(const struct mp_conn *c)
{
	return c->mode;
}

const char *mp_mode_text(enum mp_mode m)
{
	switch (m) {
	case MP_MODE_PENDING:
		return "pending";
	case MP_MODE_TCP:
		return "tcp";
	case MP_MODE_MPTCP:
		return "mptcp";
	}
	return "?";
}

const char *mp_info_mode(const struct mp_info *i)
{
	return i->sec == MP_SEC_SMTCP	 ? "smtcp" :
	       i->sec == MP_SEC_TCPCRYPT ? "tcpcrypt" :
					   mp_mode_text(i->mode);
}

const char *mp_info_why(const struct mp_info *i)
{
	if (i->mode == MP_MODE_TCP) {
		return mp_reason_text(i->why_plain);
	}
	return i->sealed ? "" : crypt_reason_text(i->why_clear);
}

bool mp_session_id(const struct mp_conn *c, uint8_t out[CRYPT_SESSION_ID])
{
	return c->crypt.k && crypt_session_id(c->crypt.k, out);
}
