/* tcp_ack.h - what an acknowledgement means (RFC 9293 3.10.7.4, fifth) */
#ifndef TCP_TCP_ACK_H
#define TCP_TCP_ACK_H

#include <stdint.h>

#include "stack/base/time.h"

struct tcb;
struct tcp_seg;

/* The peer's window in octets, as the segment states it. */
uint32_t tcp_ack_window(const struct tcb *tcb, const struct tcp_seg *seg);
/* seg has ACK and passed all checks; the connection is synchronized.  May end
 * the connection (tcb->dead). */
void tcp_ack_segment(struct tcb *tcb, struct instant now,
		     const struct tcp_seg *seg);
/* can_send() if there is room; after a segment was processed */
void tcp_ack_room(struct tcb *tcb, struct instant now);

#endif
