#include "stack/mptcp/mp_sndbuf.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define RTT_LEAST (10 * NANOS_US)
#define WORTH_MOST (64u << 10)

void mp_sndbuf_conf(struct mp_conn *c)
{
	uint32_t most = c->conf->sndbuf;

	if (c->conf->sndbuf_fixed) {
		c->snd.size = most;
	} else {
		c->snd.size = min_u32(most,
				      max_u32(c->snd.size, MP_SNDBUF_FIRST));
	}
}

static nanos rtt_of(const struct mp_sub *s)
{
	return nanos_max(tcp_srtt(s->tcb), RTT_LEAST);
}

static nanos longest_rtt(const struct mp_conn *c)
{
	nanos most = RTT_LEAST;

	list_each(n, &c->subs) {
		const struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN && !s->stale) {
			most = nanos_max(most, rtt_of(s));
		}
	}
	return most;
}

/* octets that all paths together carry in one longest round trip */
static uint64_t in_a_round(const struct mp_conn *c)
{
	uint64_t rtt = (uint64_t)(longest_rtt(c) / NANOS_US), sum = 0;

	list_each(n, &c->subs) {
		const struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN) {
			sum += tcp_cwnd(s->tcb) * rtt /
			       (uint64_t)(rtt_of(s) / NANOS_US);
		}
	}
	return sum;
}

/* nobody gets more when half of all memory is taken */
static bool memory_is_short(const struct mp_conn *c)
{
	const struct mem *m = c->mp->env->mem;

	return m->used > m->limit / 2;
}

void mp_sndbuf_grow(struct mp_conn *c)
{
	uint64_t want;

	if (!c->snd.want_room || c->conf->sndbuf_fixed ||
	    c->snd.size >= c->conf->sndbuf || memory_is_short(c)) {
		return;
	}
	want = min_u64(2 * in_a_round(c), c->conf->sndbuf);
	c->snd.size = (uint32_t)max_u64(c->snd.size, want);
}

uint64_t mp_sndbuf_unsent(const struct mp_conn *c)
{
	uint64_t n = c->snd.ring.tail - c->snd.nxt;

	return mp_sealed(c) ? n + ring_len(&c->seal->stage) : n;
}

uint32_t mp_sndbuf_room(const struct mp_conn *c, uint32_t free)
{
	uint32_t low = c->conf->notsent_lowat;
	uint64_t waits = low ? mp_sndbuf_unsent(c) : 0;

	if (low) {
		free = waits < low ? min_u32(free, low - (uint32_t)waits) : 0;
	}
	return free;
}

bool mp_sndbuf_full(const struct mp_conn *c)
{
	return c->snd.size >= c->conf->sndbuf &&
	       ring_len(&c->snd.ring) >= c->snd.size;
}

uint32_t mp_sndbuf_worth(const struct mp_conn *c)
{
	uint32_t size = c->snd.size;

	if (c->conf->notsent_lowat) {
		size = min_u32(size, c->conf->notsent_lowat);
	}
	return max_u32(min_u32(size / 4, WORTH_MOST), 1);
}
