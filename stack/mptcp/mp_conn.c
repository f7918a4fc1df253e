/* mp_conn.c - a connection's states, its birth and end, and what its owner is
 * told
 *
 *            OPEN         CLOSE           FIN_ACKED      FIN
 *  PRE       ESTAB        -               -              -
 *  ESTAB     -            FIN_WAIT_1      -              CLOSE_WAIT
 *  FIN_W_1   -            -               FIN_WAIT_2     CLOSING
 *  FIN_W_2   -            -               -              TIME_WAIT
 *  CLOSING   -            -               TIME_WAIT      -
 *  CLOSE_W   -            LAST_ACK        -              -
 *  LAST_ACK  -            -               TIME_WAIT      -
 *
 * END leads from everywhere to CLOSED.
 */
#include "stack/mptcp/mp_conn.h"

#include <errno.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define SNDBUF_DEFAULT (4u << 20)
#define RCVBUF_DEFAULT (6u << 20)
#define BUF_MIN        4096u
#define BUF_MAX        (1u << 30)

static const uint8_t next_state[MP_ST_N][MP_EV_N] = {
	/* 0 stands for "unknown here": no event leads to PRE */
	[MP_ST_PRE] = { [MP_EV_OPEN] = MP_ST_ESTAB,
			[MP_EV_END] = MP_ST_CLOSED },
	[MP_ST_ESTAB] = { [MP_EV_CLOSE] = MP_ST_FIN_WAIT_1,
			  [MP_EV_FIN] = MP_ST_CLOSE_WAIT,
			  [MP_EV_END] = MP_ST_CLOSED },
	[MP_ST_FIN_WAIT_1] = { [MP_EV_FIN_ACKED] = MP_ST_FIN_WAIT_2,
			       [MP_EV_FIN] = MP_ST_CLOSING,
			       [MP_EV_END] = MP_ST_CLOSED },
	[MP_ST_FIN_WAIT_2] = { [MP_EV_FIN] = MP_ST_TIME_WAIT,
			       [MP_EV_END] = MP_ST_CLOSED },
	[MP_ST_CLOSING] = { [MP_EV_FIN_ACKED] = MP_ST_TIME_WAIT,
			    [MP_EV_END] = MP_ST_CLOSED },
	[MP_ST_CLOSE_WAIT] = { [MP_EV_CLOSE] = MP_ST_LAST_ACK,
			       [MP_EV_END] = MP_ST_CLOSED },
	[MP_ST_LAST_ACK] = { [MP_EV_FIN_ACKED] = MP_ST_TIME_WAIT,
			     [MP_EV_END] = MP_ST_CLOSED },
	[MP_ST_TIME_WAIT] = { [MP_EV_END] = MP_ST_CLOSED },
};

static const char *const names[] = {
	[MP_ST_PRE] = "PRE",
	[MP_ST_ESTAB] = "M_ESTAB",
	[MP_ST_FIN_WAIT_1] = "M_FIN_WAIT_1",
	[MP_ST_FIN_WAIT_2] = "M_FIN_WAIT_2",
	[MP_ST_CLOSING] = "M_CLOSING",
	[MP_ST_CLOSE_WAIT] = "M_CLOSE_WAIT",
	[MP_ST_LAST_ACK] = "M_LAST_ACK",
	[MP_ST_TIME_WAIT] = "M_TIME_WAIT",
	[MP_ST_CLOSED] = "M_CLOSED",
};

static_assert(ARRAY_SIZE(names) == MP_ST_N, "a name per state");

bool mp_fsm_event(struct mp_fsm *f, enum mp_event ev)
{
	uint8_t next = next_state[f->state][ev];

	if (!next) {
		return false;
	}
	f->state = (enum mp_state)next;
	return true;
}

const char *mp_fsm_name(enum mp_state s)
{
	return names[s];
}

void mp_conn_event(struct mp_conn *c, enum mp_event ev)
{
	mp_fsm_event(&c->fsm, ev);
	if (c->fsm.state == MP_ST_LAST_ACK) {
		c->closed_last = true;
	}
}

static uint32_t clamp_buf(uint32_t v, uint32_t dflt)
{
	if (!v) {
		return dflt;
	}
	return v < BUF_MIN ? BUF_MIN : min_u32(v, BUF_MAX);
}

/* false: no memory; nothing has changed */
static bool set_conf(struct mp_conn *c, const struct mp_conf *conf)
{
	bool crypt = c->mp->cfg.crypt &&
		     c->mp->cfg.crypt_policy != MP_CRYPT_OFF;
	const struct mp_conf *got;
	struct mp_conf v;

	memcpy(&v, conf, sizeof(v));
	v.sndbuf = clamp_buf(conf->sndbuf, SNDBUF_DEFAULT);
	v.rcvbuf = clamp_buf(conf->rcvbuf, RCVBUF_DEFAULT);
	if (!v.tcp.rcv_wnd_max) {
		v.tcp.rcv_wnd_max = v.rcvbuf;
	}
	/* a frame must fit, however small the buffer: mp_rx_window() */
	v.tcp.rcv_wnd_limit = crypt ? MP_UNSEAL_WINDOW : 0;
	got = same_get(&c->mp->confs, &v);
	if (!got) {
		mp_count(c->mp, MP_NOMEM);
		return false;
	}
	same_put(&c->mp->confs, c->conf);
	c->conf = got;
	return true;
}

static struct mp_wnd_conf window_conf(const struct mp_conf *conf)
{
	return (struct mp_wnd_conf){ .max = conf->rcvbuf,
				     .fixed = conf->rcvbuf_fixed,
				     .clamp = conf->wnd_clamp,
				     .lowat = conf->rcvlowat };
}

static void run_gone(void *ctx, const struct mp_run *run)
{
	struct mp_conn *c = ctx;

	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->hint == run) {
			s->hint = NULL;
		}
	}
}

struct mp_conn *mp_conn_new(struct mp *mp, const struct mp_conf *conf,
			    struct instant now)
{
	struct mp_conn *c = mem_zalloc(mp->env->mem, sizeof(*c));
	struct mp_wnd_conf wnd;

	if (!c) {
		mp_count(mp, MP_NOMEM);
		return NULL;
	}
	c->mp = mp;
	if (!set_conf(c, conf)) {
		mem_free(mp->env->mem, c, sizeof(*c));
		return NULL;
	}
	list_init(&c->dirty);
	list_init(&c->idle.node);
	list_init(&c->subs);
	list_init(&c->graves);
	ring_init(&c->snd.ring, mp->env->mem, c->conf->sndbuf, 0);
	ranges_init(&c->snd.again, mp->env->mem);
	list_init(&c->rcv.q);
	c->fall.tx_ssn = 1; /* plain from the start: offset 0 is ssn 1 */
	/* a piece may pin up to four times its octets (stack/base/pkt.h) */
	mp_reasm_init(&c->rcv.ooo, mp->env->mem,
		      4 * (uint64_t)c->conf->rcvbuf + (256u << 10), run_gone, c);
	mp_sndbuf_conf(c);
	wnd = window_conf(c->conf);
	mp_wnd_init(&c->rcv.wnd, &wnd, now);
	mp_timer_init(&c->timers, mp->wheel, c->due, MP_T_DATA, MP_T_CONN_N,
		      mp_timer_conn);
	list_push_back(&mp->conns, &c->all);
	mp->n_conns++;
	return c;
}

void mp_conn_disown(struct mp_conn *c)
{
	if (!c->closed) {
		c->closed = true;
		c->mp->n_owing++;
	}
}

void mp_conn_established(struct mp_conn *c, struct instant now)
{
	struct mp_listener *l = c->listener;

	if (c->established) {
		return;
	}
	c->established = true;
	mp_conn_event(c, MP_EV_OPEN);
	if (c->rcv.fin_in) {
		mp_conn_event(c, MP_EV_FIN); /* came with the third ACK */
	}
	if (c->snd.shut) {
		mp_conn_event(c, MP_EV_CLOSE); /* asked for before */
	}
	if (l) {
		c->listener = NULL;
		if (!l->ops->accepted || !l->ops->accepted(l->lo, now, c)) {
			mp_conn_disown(c);
			mp_conn_fail(c, now, ECONNABORTED);
		}
		return;
	}
	if (c->owner && c->owner->established) {
		c->owner->established(c->o, now);
	}
	mp_dirty(c);
}

void mp_conn_readable(struct mp_conn *c, struct instant now)
{
	if (c->owner && c->owner->readable) {
		c->owner->readable(c->o, now);
	}
}

void mp_conn_writable(struct mp_conn *c, struct instant now)
{
	if (c->snd.want_room && mp_write_room(c) >= mp_sndbuf_worth(c)) {
		c->snd.want_room = false;
		if (c->owner && c->owner->writable) {
			c->owner->writable(c->o, now);
		}
	}
}

void mp_conn_refused(const struct mp_conn *c)
{
	if (c->mp->refused) {
		c->mp->refused(c->mp->refused_ctx, c);
	}
}

void mp_conn_over(struct mp_conn *c, struct instant now, int err)
{
	struct mp_listener *l = c->listener;

	if (c->over) {
		return;
	}
	c->over = true;
	c->err = err;
	if (l) {
		c->listener = NULL;
		if (err == EPROTO) {
			mp_conn_refused(c);
		}
		if (l->ops->failed) {
			l->ops->failed(l->lo);
		}
		mp_conn_disown(c);
		return;
	}
	if (c->owner && c->owner->closed && !c->closed) {
		c->owner->closed(c->o, now, err);
	}
}

void mp_conn_fail(struct mp_conn *c, struct instant now, int err)
{
	if (c->fsm.state == MP_ST_CLOSED) {
		return;
	}
	mp_conn_event(c, MP_EV_END);
	mp_timer_stop_all(&c->timers);
	mp_token_del(&c->mp->tokens, &c->token);
	list_each_safe(n, &c->subs) {
		mp_sub_abort(list_entry(n, struct mp_sub, node), now);
	}
	mp_conn_over(c, now, err);
	mp_conn_maybe_gone(c, now);
}

void mp_conn_maybe_gone(struct mp_conn *c, struct instant now)
{
	(void)now;
	if (c->dead || !c->closed || c->n_subs ||
	    c->fsm.state != MP_ST_CLOSED) {
		return;
	}
	c->dead = true;
	mp_timer_stop_all(&c->timers);
	list_del(&c->dirty);
	list_del(&c->idle.node);
	list_del(&c->all);
	list_push_back(&c->mp->dead, &c->all);
}

void mp_conn_free(struct mp_conn *c)
{
	struct mem *mem = c->mp->env->mem;

	list_each_safe(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		list_del(&s->node);
		mp_sub_free(s);
	}
	list_each_safe(n, &c->graves) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		list_del(&s->node);
		mp_sub_free(s);
	}
	mp_timer_stop_all(&c->timers);
	mp_token_del(&c->mp->tokens, &c->token);
	mp_keys_wipe(&c->keys);
	mp_crypt_fini(c);
	mp_seal_fini(c);
	mp_unseal_fini(c);
	ring_fini(&c->snd.ring);
	ranges_fini(&c->snd.again);
	same_put(&c->mp->confs, c->conf);
	mem_free(mem, c->addrs.remote,
		 MP_ADDRS_MAX * sizeof(*c->addrs.remote));
	slice_free_all(mem, &c->rcv.q);
	mp_reasm_fini(&c->rcv.ooo);
	mem_free(mem, c->old, MP_OLD_MAX * sizeof(*c->old));
	mem_free(mem, c->pm.tries, PM_TRIES_MAX * sizeof(*c->pm.tries));
	list_del(&c->all);
	list_del(&c->dirty);
	list_del(&c->idle.node);
	c->mp->n_conns--;
	if (c->closed) {
		c->mp->n_owing--;
	}
	mem_free(mem, c, sizeof(*c));
}

void mp_set_owner(struct mp_conn *c, const struct mp_owner *owner, void *o)
{
	c->owner = owner;
	c->o = o;
}

bool mp_set_conf(struct mp_conn *c, struct instant now,
		 const struct mp_conf *conf)
{
	bool pushed = (!c->conf->nodelay && conf->nodelay) ||
		      (c->conf->cork && !conf->cork);
	struct mp_wnd_conf wnd;

	if (!set_conf(c, conf)) {
		return false;
	}
	/* a ring never shrinks below what it holds, nor gives up its memory */
	c->snd.ring.max = max_u32(c->conf->sndbuf, c->snd.ring.cap);
	mp_sndbuf_conf(c);
	wnd = window_conf(c->conf);
	mp_wnd_set(&c->rcv.wnd, &wnd);
	c->rcv.ooo.limit = 4 * (uint64_t)c->conf->rcvbuf + (256u << 10);
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);
		struct tcp_conf own = mp_sub_conf(s);

		tcp_set_conf(s->tcb, &own, now);
	}
	if (pushed) {
		mp_dirty(c);
	}
	return true;
}
