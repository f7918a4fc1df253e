/* tcp_in.h - a segment arrives at a connection, in the order of RFC 9293
 * 3.10.7
 */
#ifndef TCP_TCP_IN_H
#define TCP_TCP_IN_H

#include <stdbool.h>

#include "stack/base/time.h"

struct tcb;
struct tcp_seg;

/* an ACK in answer to something that was not accepted, held back by rate */
void tcp_in_challenge(struct tcb *tcb, struct instant now);
/* asks the upper; false: the segment is not to be processed further */
bool tcp_in_upper(struct tcb *tcb, struct instant now,
		  const struct tcp_seg *seg);

/* tcp_in_open.c: SYN-SENT, and the acknowledgement that ends SYN-RECEIVED
 * (false: nothing more to do with the segment) */
void tcp_in_open_syn_sent(struct tcb *tcb, struct instant now,
			  const struct tcp_seg *seg);
bool tcp_in_open_ack(struct tcb *tcb, struct instant now,
		     const struct tcp_seg *seg);
/* a passive connection is open before its SYN-ACK is acknowledged: tcp_tfo.c */
void tcp_in_open_early(struct tcb *tcb, struct instant now);
/* tcp_in_data.c: payload, urgent pointer and FIN */
void tcp_in_data(struct tcb *tcb, struct instant now,
		 const struct tcp_seg *seg);

#endif
