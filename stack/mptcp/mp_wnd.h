/* mp_wnd.h - the receive window that all subflows share (RFC 8684 3.3.4)
 *
 * Its right edge never moves left.  Its size starts small and grows with what
 * the application takes per round trip, up to the receive buffer.
 */
#ifndef MPTCP_MP_WND_H
#define MPTCP_MP_WND_H

#include <stdint.h>

#include "stack/base/time.h"

#define MP_WND_INITIAL (256u << 10)

struct mp_rwnd {
	uint32_t size; /* octets the buffer may hold now */
	uint32_t max;
	uint32_t floor; /* the size is at least this, whatever size and max
			 * say: what a sealed frame needs to be ever whole */
	uint64_t edge; /* data offset promised */
	uint64_t held; /* handed on, not taken by the application yet */
	struct instant since; /* of the measurement */
	uint64_t taken;       /* octets read since then */
};

void mp_wnd_init(struct mp_rwnd *w, uint32_t max, struct instant now);
void mp_wnd_set_max(struct mp_rwnd *w, uint32_t max);
/* octets to advertise from nxt on, with queued octets unread */
uint32_t mp_wnd_offer(struct mp_rwnd *w, uint64_t nxt, uint64_t queued);
/* n octets of the stream took no place: not data */
void mp_wnd_gone(struct mp_rwnd *w, uint64_t n);
/* the application took n octets; rtt: the longest of the subflows */
void mp_wnd_read(struct mp_rwnd *w, uint64_t n, nanos rtt,
		 struct instant now);

#endif
