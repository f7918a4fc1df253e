#include "stack/mptcp/mp_wnd.h"

#include "stack/base/check.h"

#define RTT_FLOOR (10 * NANOS_MS) /* a measurement needs some time */

void mp_wnd_init(struct mp_rwnd *w, uint32_t max, struct instant now)
{
	*w = (struct mp_rwnd){ .size = min_u32(max, MP_WND_INITIAL),
			       .max = max, .since = now };
	w->edge = w->size;
}

void mp_wnd_set_max(struct mp_rwnd *w, uint32_t max)
{
	w->max = max;
	w->size = min_u32(w->size, max);
	if (w->size < MP_WND_INITIAL) {
		w->size = min_u32(max, MP_WND_INITIAL);
	}
}

uint32_t mp_wnd_offer(struct mp_rwnd *w, uint64_t nxt, uint64_t queued)
{
	uint64_t used = queued + w->held;
	uint32_t size = max_u32(w->size, w->floor);
	uint64_t room = size > used ? size - used : 0;

	/* RFC 8684 3.3.4: the right edge MUST NOT shrink */
	w->edge = max_u64(w->edge, nxt + room);
	return w->edge > nxt ? (uint32_t)min_u64(w->edge - nxt, UINT32_MAX) :
			       0;
}

void mp_wnd_gone(struct mp_rwnd *w, uint64_t n)
{
	w->taken += n;
}

void mp_wnd_read(struct mp_rwnd *w, uint64_t n, nanos rtt, struct instant now)
{
	uint64_t want;

	w->taken += n;
	if (instant_since(now, w->since) < nanos_max(rtt, RTT_FLOOR)) {
		return;
	}
	/* Twice what one round trip brings lets a sender in slow start double;
	 * the rest is for a loss that takes a round trip to repair. */
	want = w->taken * 4;
	if (want > w->size) {
		w->size = (uint32_t)min_u64(want, w->max);
	}
	w->taken = 0;
	w->since = now;
}
