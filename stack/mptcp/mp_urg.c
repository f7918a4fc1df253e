#include "stack/mptcp/mp_urg.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

/* places of the next octet to arrive, and of the next to be read */
static uint64_t arrived(const struct mp_conn *c)
{
	return mp_sealed(c) ? c->open->strip.passed : c->rcv.nxt;
}

static uint64_t unread(const struct mp_conn *c)
{
	return arrived(c) - c->rcv.q_len;
}

static void seen(struct mp_conn *c, uint64_t at)
{
	if (at > c->rcv.urg.at && at > unread(c) && !c->rcv.discard) {
		c->rcv.urg.at = at;
	}
}

void mp_urg_header(struct mp_sub *s, uint32_t ssn)
{
	struct mp_conn *c = s->c;
	const struct mp_map *m;

	if (mp_sealed(c)) {
		return;
	}
	if (c->mode == MP_MODE_TCP) {
		seen(c, c->rcv.nxt + (uint32_t)(ssn - s->rx_nxt) + 1);
		return;
	}
	m = mp_map_find(&s->rx, ssn);
	if (m) {
		seen(c, m->off + (uint32_t)(ssn - m->ssn) + 1);
	}
}

void mp_urg_frame(struct mp_conn *c, uint64_t at)
{
	seen(c, at);
}

void mp_urg_read(struct mp_conn *c)
{
	if (c->rcv.urg.at <= unread(c)) {
		c->rcv.urg.at = 0;
	}
}

uint64_t mp_read_mark(const struct mp_conn *c)
{
	uint64_t at = c->rcv.urg.at;

	return at > unread(c) ? at - 1 - unread(c) : UINT64_MAX;
}
