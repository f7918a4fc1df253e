/* tcp_rcvrtt.h - the round trip as a receiver sees it
 *
 * Who only receives has no acknowledgements to measure.  With timestamps the
 * time since the echoed one was sent; without, the time that a window of data
 * takes to arrive, which is no less than a round trip.  For the size of the
 * receive window and for reports only, never for a timer.
 */
#ifndef TCP_TCP_RCVRTT_H
#define TCP_TCP_RCVRTT_H

#include <stdint.h>

#include "stack/base/time.h"

struct tcp_rcvrtt {
	nanos rtt;         /* 0: no sample yet */
	uint32_t last_ecr; /* one sample for each echo */
	uint32_t edge;     /* without timestamps: measured up to here */
	struct instant at; /* ... since then; 0: not begun */
};

/* data came with this echo; rtt: its age, negative when it cannot be */
void tcp_rcvrtt_echo(struct tcp_rcvrtt *r, uint32_t ecr, nanos rtt);
/* data came in order up to nxt, with wnd octets promised behind it */
void tcp_rcvrtt_window(struct tcp_rcvrtt *r, struct instant now, uint32_t nxt,
		       uint32_t wnd);

#endif
