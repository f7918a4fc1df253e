/* tcp_defer.h - TCP_DEFER_ACCEPT: a connection begins with its first data
 *
 * As Linux does it: the third ACK of a handshake is noted and not taken, so
 * that the connection stays in SYN-RECEIVED until data or a FIN comes.
 * Meanwhile its timer counts timeouts as ever, but repeats no SYN-ACK; only
 * when the time is over one more is sent, and an ACK that follows it counts.
 * Who does not answer that either is forgotten.
 *
 * conf.defer_accept is the number of timeouts to wait for.
 */
#ifndef TCP_TCP_DEFER_H
#define TCP_TCP_DEFER_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"

struct tcb;
struct tcp_seg;

struct tcp_defer {
	/* microseconds from our SYN-ACK to the ACK that was not taken; 0: none
	 * came, UINT32_MAX: it was not clear which SYN-ACK it answered */
	uint32_t rtt_us;
};

static inline bool tcp_defer_held(const struct tcp_defer *d)
{
	return d->rtt_us != 0;
}

/* A valid third ACK in SYN-RECEIVED: one that is not taken, but.. */
bool tcp_defer_bare(const struct tcb *tcb, const struct tcp_seg *seg);
/* ..noted.  rtt: of the handshake, negative: not known */
void tcp_defer_hold(struct tcb *tcb, nanos rtt);
/* round trip of the handshake after tcp_defer_hold(), negative: not known */
nanos tcp_defer_rtt(const struct tcp_defer *d);

/* The timer of the SYN-ACK fired, for the n-th time (0, 1, ..): is one to be
 * sent again? */
bool tcp_defer_resend(const struct tcb *tcb, unsigned n);
/* no: it may also go on for longer than SYN-ACKs usually do */
bool tcp_defer_goes_on(const struct tcb *tcb, unsigned n);

#endif
