/* mp_io.c - the owner's side of the octets */
#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

unsigned mp_write_vec(struct mp_conn *c, uint32_t want, struct iov_mut v[2])
{
	unsigned n;

	if (c->snd.shut || c->fsm.state == MP_ST_CLOSED || c->over) {
		return 0;
	}
	want = min_u32(want, mp_write_room(c));
	n = mp_sealed(c) ? mp_seal_space(c, want, v) :
			   ring_space(&c->snd.ring, want, v);
	if (!n) {
		c->snd.want_room = true;
		if (want && mp_write_room(c)) {
			mp_count(c->mp, MP_NOMEM);
			c->snd.refused = true;
			mp_dirty(c);
		}
	}
	return n;
}

void mp_write_done(struct mp_conn *c, struct instant now, uint32_t n)
{
	if (!n) {
		mp_idle_turn(c, now); /* the ring may be there for nothing */
	}
	/* what comes behind the DATA_FIN would be no part of the stream */
	if (n && !c->snd.fin_sent) {
		if (mp_sealed(c)) {
			mp_seal_written(c, n);
		} else {
			ring_commit(&c->snd.ring, n);
		}
		mp_dirty(c);
	}
}

static uint32_t free_of(const struct mp_conn *c)
{
	uint64_t used = ring_len(&c->snd.ring);

	return used < c->snd.size ? c->snd.size - (uint32_t)used : 0;
}

uint32_t mp_write_room(const struct mp_conn *c)
{
	if (c->snd.shut || c->fsm.state == MP_ST_CLOSED || c->over) {
		return 0;
	}
	return mp_sndbuf_room(c, mp_sealed(c) ? mp_seal_room(c) : free_of(c));
}

uint64_t mp_write_pending(const struct mp_conn *c)
{
	return mp_sealed(c) ? mp_seal_pending(c) :
			      c->snd.ring.tail - c->snd.una;
}

uint64_t mp_write_unsent(const struct mp_conn *c)
{
	return min_u64(mp_sndbuf_unsent(c), mp_write_pending(c));
}

void mp_write_urgent(struct mp_conn *c, struct instant now)
{
	(void)now;
	if (mp_sealed(c)) {
		mp_seal_urgent(c); /* the frame says it, never the header */
		return;
	}
	c->snd.urgent = c->snd.ring.tail;
	mp_dirty(c);
}

unsigned mp_read_vec(const struct mp_conn *c, struct iov *v, unsigned max)
{
	uint64_t left = mp_read_len(c) ? max_u64(mp_read_mark(c), 1) : 0;
	unsigned k = 0;

	list_each(n, &c->rcv.q) {
		const struct slice *s = list_entry(n, struct slice, node);

		if (k == max || !left) {
			break;
		}
		v[k] = (struct iov){ s->p, (size_t)min_u64(s->len, left) };
		left -= v[k++].n;
	}
	return k;
}

static nanos longest_rtt(const struct mp_conn *c)
{
	nanos most = 0;

	list_each(n, &c->subs) {
		const struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN) {
			most = nanos_max(most, tcp_rcv_rtt(s->tcb));
		}
	}
	return most;
}

static void window_opened(struct mp_conn *c, struct instant now)
{
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN) {
			tcp_window_opened(s->tcb, now);
		}
	}
}

void mp_read_done(struct mp_conn *c, struct instant now, uint64_t n)
{
	struct mp_rcv *r = &c->rcv;
	struct mem *mem = c->mp->env->mem;

	n = min_u64(n, r->q_len);
	r->q_len -= n;
	mp_wnd_read(&r->wnd, n, longest_rtt(c),
		    mem->limit > mem->used ? mem->limit - mem->used : 0, now);
	while (n) {
		struct slice *s = list_entry(r->q.next, struct slice, node);

		if (s->len > n) {
			slice_trim(s, (uint32_t)n);
			break;
		}
		n -= s->len;
		slice_free(mem, s);
	}
	mp_urg_read(c);
	window_opened(c, now);
}

uint64_t mp_read_len(const struct mp_conn *c)
{
	return c->crypt.watch == MP_WATCH_HELD ? 0 : c->rcv.q_len;
}

bool mp_read_eof(const struct mp_conn *c)
{
	return mp_rx_eof(c);
}

void mp_read_held(struct mp_conn *c, struct instant now, uint32_t n)
{
	bool less = n < c->rcv.wnd.held;

	c->rcv.wnd.held = n;
	if (less) {
		window_opened(c, now);
	}
}
