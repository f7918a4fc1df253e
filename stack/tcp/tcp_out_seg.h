/* tcp_out_seg.h - one segment of a connection: numbers, flags, options, octets
 *
 * Private to tcp_out.c, which decides what leaves.
 */
#ifndef TCP_TCP_OUT_SEG_H
#define TCP_TCP_OUT_SEG_H

#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_seg.h"

/* what to put into a segment with sequence space */
struct tcp_out_range {
	uint32_t seq;
	uint32_t len; /* payload */
	uint32_t room; /* of an MTU probe: payload and options; else 0 */
	bool fin;
	bool retransmit;
};

/* does the device cut large packets into segments? */
bool tcp_out_gso(const struct tcb *tcb);
/* a SYN or SYN-ACK */
void tcp_out_syn(struct tcb *tcb, struct instant now, struct tcp_seg_desc *d);
/* an ACK; probe: with an old number; forced: for the sake of options */
void tcp_out_pure(struct tcb *tcb, struct instant now, struct tcp_seg_desc *d,
		  bool probe, bool forced);
/* Octets and FIN; r becomes shorter where options leave less room.  False: the
 * upper has let go of the octets, and the connection has ended. */
bool tcp_out_range(struct tcb *tcb, struct instant now,
		   struct tcp_out_range *r, struct tcp_seg_desc *d);

#endif
