/* tcp_label.h - the IPv6 flow label of a connection (RFC 6437)
 *
 * One for its life, unless the path is suspected: routers that spread by the label
 * then take another one.  So do we after a timeout, with each SYN or SYN-ACK that
 * is sent again, and, as Linux does, when the peer has changed its own label and
 * sends what we have: our acknowledgements do not get through.
 */
#ifndef TCP_TCP_LABEL_H
#define TCP_TCP_LABEL_H

#include <stdbool.h>
#include <stdint.h>

struct tcb;
struct tcp_seg;

struct tcp_label {
	uint32_t now;  /* of IPv4: what fragments are told apart by */
	uint32_t peer; /* of the last data */
	uint8_t nth;   /* how many there were before */
};

/* conf.no_label is as it was, or has changed */
void tcp_label_set(struct tcb *tcb);
/* the path is suspected */
void tcp_label_change(struct tcb *tcb);
/* data came that are news.. */
void tcp_label_data(struct tcb *tcb, const struct tcp_seg *seg);
/* ..or that were here before */
void tcp_label_dup(struct tcb *tcb, const struct tcp_seg *seg);

#endif
