#include "stack/tcp/tcp_guard.h"

#include "stack/base/seq.h"

enum tcp_guard_rst tcp_guard_rst(uint32_t seq, uint32_t rcv_nxt, uint32_t wnd)
{
	if (seq == rcv_nxt) {
		return TCP_GUARD_RESET;
	}
	if (seq_gt(seq, rcv_nxt) && seq_lt(seq, rcv_nxt + wnd)) {
		return TCP_GUARD_CHALLENGE;
	}
	return TCP_GUARD_DROP;
}

bool tcp_guard_ack(uint32_t ack, uint32_t una, uint32_t nxt, uint32_t max_wnd)
{
	return seq_leq(una - max_wnd, ack) && seq_leq(ack, nxt);
}

bool tcp_guard_seq(uint32_t seq, uint32_t len, uint32_t rcv_nxt, uint32_t wnd)
{
	uint32_t last = seq + len - 1;

	if (len == 0) {
		/* The right edge itself passes: a sender that filled the
		 * window acknowledges from there. */
		return seq_geq(seq, rcv_nxt) && seq_leq(seq, rcv_nxt + wnd);
	}
	if (wnd == 0) {
		return false;
	}
	return (seq_geq(seq, rcv_nxt) && seq_lt(seq, rcv_nxt + wnd)) ||
	       (seq_geq(last, rcv_nxt) && seq_lt(last, rcv_nxt + wnd)) ||
	       (seq_lt(seq, rcv_nxt) && seq_geq(last, rcv_nxt));
}

static bool guard_early(const struct tcp_guard *g, struct instant now)
{
	return g->any && instant_since(now, g->last) < TCP_GUARD_SPACING;
}

static void guard_mark(struct tcp_guard *g, struct instant now)
{
	g->last = now;
	g->any = true;
}

bool tcp_guard_spaced(struct tcp_guard *g, struct instant now)
{
	if (guard_early(g, now)) {
		return false;
	}
	guard_mark(g, now);
	return true;
}

static void guard_second(struct tcp_guard_rate *all, struct instant now)
{
	uint64_t r = siphash24(&all->key, &now, sizeof(now));

	all->second = now;
	all->left = TCP_GUARD_PER_S / 2 + (uint32_t)(r % TCP_GUARD_PER_S);
}

void tcp_guard_rate_init(struct tcp_guard_rate *all, struct instant now,
			 const struct siphash_key *key)
{
	all->key = *key;
	guard_second(all, now);
}

bool tcp_guard_allow(struct tcp_guard *g, struct tcp_guard_rate *all,
		     struct instant now)
{
	if (guard_early(g, now)) {
		return false;
	}
	if (instant_since(now, all->second) >= NANOS_S) {
		guard_second(all, now);
	}
	if (all->left == 0) {
		return false;
	}
	all->left--;
	guard_mark(g, now);
	return true;
}
