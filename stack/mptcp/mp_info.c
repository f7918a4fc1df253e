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

/* a subflow ends: its numbers are kept while there is room */
void mp_info_keep(struct mp_sub *s)
{
	struct mp_conn *c = s->c;
	struct mem *mem = c->mp->env->mem;
	struct mp_sub_info *o;

	if (!c->old) {
		c->old = mem_zalloc(mem, MP_OLD_MAX * sizeof(*c->old));
	}
	if (!c->old || c->n_old == MP_OLD_MAX) {
		return;
	}
	o = &c->old[c->n_old++];
	sub_info(s, o);
	o->closed = true;
}

void mp_info(const struct mp_conn *c, struct mp_info *out)
{
	*out = (struct mp_info){
		.mode = c->mode,
		.why_plain = c->why_plain,
		.passive = c->passive,
		.checksum = c->mode == MP_MODE_MPTCP && c->checksum,
		.token_local = c->keys.token_local,
		.token_remote = c->keys.token_remote,
		.bytes_sent = c->snd.total,
		.bytes_received = c->rcv.total,
		.bytes_reinjected = c->snd.again_total,
		.write_seq = c->snd.ring.tail,
		.snd_una = c->snd.una,
		.rcv_nxt = c->rcv.nxt,
	};
	for (unsigned i = 0; i < c->n_old; i++) {
		out->sub[out->n_subs++] = c->old[i];
	}
	list_each(n, &c->subs) {
		if (out->n_subs < ARRAY_SIZE(out->sub)) {
			sub_info(list_entry(n, struct mp_sub, node),
				 &out->sub[out->n_subs++]);
		}
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
