/* tcp_mtu.h - one connection's segment size: device, ICMP, peer and what
 * tcp_mtup has found out, put together
 */
#ifndef TCP_TCP_MTU_H
#define TCP_TCP_MTU_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/tcp/tcb.h"

/* the least that a peer's MSS counts as: 8 octets beside 40 of options */
#define TCP_MSS_MIN 48

/* the sizes of a fresh connection, our own MSS option among them */
void tcp_mtu_first(struct tcb *tcb, struct instant now);
/* ..and the search, if one is known to be needed; rec is set up */
void tcp_mtu_start(struct tcb *tcb, struct instant now);

/* payload and options of one segment by what is known now */
void tcp_mtu_update(struct tcb *tcb, struct instant now);
/* ..and if that is another size, in the middle of a transfer: what is out is
 * sent again in a smaller one */
void tcp_mtu_apply(struct tcb *tcb, struct instant now);

/* ..if another connection's ICMP error has changed any since */
void tcp_mtu_fresh(struct tcb *tcb, struct instant now);

/* an acknowledgement was applied, or losses were marked by a timer */
void tcp_mtu_check(struct tcb *tcb, struct instant now);
/* a retransmission timeout; instead of tcp_mtu_check() */
void tcp_mtu_timeout(struct tcb *tcb, struct instant now);

/* Payload and options of a probe that may leave now, in front of everything
 * else; 0: none.  With rec.mtup.gathers nothing is to leave, so that enough
 * comes together for one. */
uint32_t tcp_mtu_probe(struct tcb *tcb, struct instant now);
/* a segment with `payload and options` of base octets left, [seq, seq + len) */
void tcp_mtu_probed(struct tcb *tcb, uint32_t seq, uint32_t len, uint32_t base);
/* the first full segment of what was sent ends at `end` */
void tcp_mtu_full(struct tcb *tcb, uint32_t end);

/* A "packet too big" with this MTU (0: not said) quotes seq, which is in
 * flight.  False: nothing follows from it. */
bool tcp_mtu_too_big(struct tcb *tcb, struct instant now, uint32_t mtu,
		     uint32_t seq);

#endif
