/* mp_wnd.h - the receive window that all subflows share (RFC 8684 3.3.4)
 *
 * Its right edge never moves left.  Its size starts small and grows with what
 * the application takes per round trip, up to the receive buffer; a size that
 * the program chose is had at once.
 */
#ifndef MPTCP_MP_WND_H
#define MPTCP_MP_WND_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"

#define MP_WND_INITIAL (256u << 10)

struct mp_wnd_conf {
	uint32_t max;   /* the receive buffer */
	bool fixed;     /* ... is what the program asked for */
	uint32_t clamp; /* TCP_WINDOW_CLAMP: the most that is promised; 0 none */
	uint32_t lowat; /* a reader waits for that many octets */
};

struct mp_rwnd {
	uint32_t size; /* octets the buffer may hold now */
	struct mp_wnd_conf conf;
	uint32_t floor; /* the size is at least this, whatever size and max
			 * say: what a sealed frame needs to be ever whole */
	uint64_t edge; /* data offset promised */
	uint64_t held; /* handed on, not taken by the application yet */
	struct instant since; /* of the measurement */
	uint64_t taken;       /* octets read since then */
};

void mp_wnd_init(struct mp_rwnd *w, const struct mp_wnd_conf *conf,
		 struct instant now);
void mp_wnd_set(struct mp_rwnd *w, const struct mp_wnd_conf *conf);
/* octets to advertise from nxt on, with queued octets unread */
uint32_t mp_wnd_offer(struct mp_rwnd *w, uint64_t nxt, uint64_t queued);
/* n octets of the stream took no place: not data */
void mp_wnd_gone(struct mp_rwnd *w, uint64_t n);
/* the application took n octets; rtt: the longest of the subflows; spare:
 * memory that nobody has, of which the window takes but a part */
void mp_wnd_read(struct mp_rwnd *w, uint64_t n, nanos rtt, uint64_t spare,
		 struct instant now);

#endif
