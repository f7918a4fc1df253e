#include "stack/tcp/tcp_wnd.h"

#include "stack/base/check.h"
#include "stack/base/seq.h"

#define FIELD_MAX 65535u

uint8_t tcp_wnd_shift(uint32_t most)
{
	uint8_t s = 0;

	while (s < TCP_WND_SCALE_MAX && most >> s > FIELD_MAX) {
		s++;
	}
	return s;
}

void tcp_wnd_init(struct tcp_wnd *w, uint32_t most)
{
	w->most = most;
	w->buffer = most;
	w->adv = 0;
	w->edge = 0;
	w->last = 0;
	w->shared = false;
	w->shift = 0;
}

void tcp_wnd_start(struct tcp_wnd *w, uint32_t nxt)
{
	w->adv = nxt + w->last;
	w->edge = w->adv;
}

uint32_t tcp_wnd_acceptable(const struct tcp_wnd *w, uint32_t nxt)
{
	return seq_gt(w->adv, nxt) ? w->adv - nxt : 0;
}

/* octets that the last segment said may come */
static uint32_t wnd_had(const struct tcp_wnd *w, uint32_t nxt)
{
	return seq_gt(w->edge, nxt) ? w->edge - nxt : 0;
}

/* RFC 9293 3.8.6.2.2: the edge stays until it can move by the lesser of half
 * the buffer and one segment. */
static uint32_t wnd_step(const struct tcp_wnd *w, uint32_t mss)
{
	return min_u32(w->buffer / 2, mss);
}

uint16_t tcp_wnd_field(struct tcp_wnd *w, uint32_t nxt, uint32_t room,
		       uint32_t mss, bool syn)
{
	unsigned shift = syn ? 0 : w->shift;
	uint32_t had = wnd_had(w, nxt);
	uint32_t most = min_u32(w->most, FIELD_MAX << shift);
	uint32_t unit = 1u << shift;
	uint32_t wnd = min_u32(room, most) & ~(unit - 1);

	if (wnd < had + wnd_step(w, mss)) {
		/* Rounded up: rounding down would move the edge left.  Less
		 * than promised is offered only by an upper that shares. */
		wnd = w->shared && room + unit < had ? room : had;
		wnd = min_u32((wnd + unit - 1) & ~(unit - 1),
			      FIELD_MAX << shift);
	}
	w->last = wnd;
	w->edge = nxt + wnd;
	w->adv = seq_max(w->adv, nxt + wnd);
	return (uint16_t)(wnd >> shift);
}

bool tcp_wnd_update_due(const struct tcp_wnd *w, uint32_t nxt, uint32_t room,
			uint32_t mss)
{
	uint32_t had = wnd_had(w, nxt);
	uint32_t most = min_u32(w->most, FIELD_MAX << w->shift);
	uint32_t wnd = min_u32(room, most) & ~((1u << w->shift) - 1);

	/* Data in flight brings acknowledgements with the window anyway: only
	 * a window that the sender may feel is worth a segment. */
	return wnd >= had + wnd_step(w, mss) && wnd / 2 >= had;
}
