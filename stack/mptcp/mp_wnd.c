#include "stack/mptcp/mp_wnd.h"

#include "stack/base/check.h"

#define RTT_FLOOR  (10 * NANOS_MS) /* a measurement needs some time */
#define SPARE_PART 4 /* of the spare memory, to one connection at once */

void mp_wnd_init(struct mp_rwnd *w, const struct mp_wnd_conf *conf,
		 struct instant now)
{
	*w = (struct mp_rwnd){ .since = now };
	mp_wnd_set(w, conf);
	w->edge = w->conf.clamp ? min_u32(w->size, w->conf.clamp) : w->size;
}

void mp_wnd_set(struct mp_rwnd *w, const struct mp_wnd_conf *conf)
{
	uint32_t least = max_u32(MP_WND_INITIAL, conf->lowat);

	w->conf = *conf;
	if (conf->fixed) {
		w->size = conf->max;
	} else {
		w->size = min_u32(max_u32(w->size, least), conf->max);
	}
}

uint32_t mp_wnd_offer(struct mp_rwnd *w, uint64_t nxt, uint64_t queued)
{
	uint64_t used = queued + w->held;
	uint32_t size = w->size;
	uint64_t room;

	if (w->conf.clamp) {
		size = min_u32(size, w->conf.clamp);
	}
	size = max_u32(size, w->floor);
	room = size > used ? size - used : 0;
	/* RFC 8684 3.3.4: the right edge MUST NOT shrink */
	w->edge = max_u64(w->edge, nxt + room);
	return w->edge > nxt ? (uint32_t)min_u64(w->edge - nxt, UINT32_MAX) :
			       0;
}

void mp_wnd_gone(struct mp_rwnd *w, uint64_t n)
{
	w->taken += n;
}

void mp_wnd_read(struct mp_rwnd *w, uint64_t n, nanos rtt, uint64_t spare,
		 struct instant now)
{
	uint64_t want;

	w->taken += n;
	if (instant_since(now, w->since) < nanos_max(rtt, RTT_FLOOR)) {
		return;
	}
	/* Twice what one round trip brings lets a sender in slow start double;
	 * the rest is for a loss that takes a round trip to repair. */
	want = min_u64(w->taken * 4, w->size + spare / SPARE_PART);
	if (want > w->size) { /* never when fixed: it is at its most */
		w->size = (uint32_t)min_u64(want,
					    max_u32(w->conf.max, w->size));
	}
	w->taken = 0;
	w->since = now;
}
