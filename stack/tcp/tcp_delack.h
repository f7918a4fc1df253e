/* tcp_delack.h - when to acknowledge (RFC 9293 3.8.6.3, RFC 5681 4.2)
 *
 * At once: every second full segment (a merged burst counts as what it was),
 * out-of-order data, data that fills a gap, FIN, the first segments of a
 * connection and after loss ("quick"), and a pushed small segment while the
 * traffic is one-way.  Otherwise with outgoing data or after 40 ms, longer
 * where the data comes slowly, never above 200 ms.
 */
#ifndef TCP_TCP_DELACK_H
#define TCP_TCP_DELACK_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"

#define TCP_DELACK_MIN   (40 * NANOS_MS)
#define TCP_DELACK_MAX   (200 * NANOS_MS)
#define TCP_DELACK_QUICK 16u

enum tcp_delack_flag {
	TCP_DELACK_PSH = 1 << 0,
	TCP_DELACK_FIN = 1 << 1,
	TCP_DELACK_OOO = 1 << 2, /* not at rcv_nxt, or a duplicate */
	TCP_DELACK_GAP = 1 << 3, /* something is or was queued out of order */
};

struct tcp_delack {
	struct instant at; /* deadline of the ACK owed, NEVER: none */
	bool now;          /* an ACK is owed at once */
	bool owed;         /* something is not acknowledged yet */
	bool pingpong;     /* the application answers what it gets */
	uint32_t max_us;   /* TCP_DELACK_MAX_US; 0: TCP_DELACK_MAX */
	uint8_t pushed;    /* small pushed segments since the last ACK */
	uint8_t quick;     /* ACKs still to be sent at once */
	uint32_t pending;  /* octets in order since the last ACK */
	uint32_t rcv_mss;  /* estimate of the peer's segment size */
	uint32_t rcv_mss_max;
	nanos ato;
	struct instant last_data; /* NEVER: none yet */
};

/* mss: the largest segment we let the peer send */
void tcp_delack_init(struct tcp_delack *d, uint32_t mss);
/* A segment or merged burst with len octets arrived; seg: octets of one
 * original segment, 0: unknown (one segment); flags as above; srtt and rto for
 * bounds (srtt 0: unknown).  len 0 with FIN is a bare FIN. */
void tcp_delack_data(struct tcp_delack *d, struct instant now, uint32_t len,
		     uint32_t seg, unsigned flags, nanos srtt, nanos rto);
/* an ACK left (any segment with ACK); data: it carried payload */
void tcp_delack_sent(struct tcp_delack *d, struct instant now, bool data);
/* acknowledge what comes next at once (after loss, a window probe, a timeout
 * of the peer) */
void tcp_delack_quick(struct tcp_delack *d);

/* TCP_QUICKACK (tcp(7)): 0, the application is going to answer what it gets; 1,
 * it is not, and what is owed goes at once; other even numbers, what is owed
 * goes at once, and then as 0.  What the traffic shows later counts more. */
void tcp_delack_option(struct tcp_delack *d, int val);
/* the ACK of a SYN-ACK waits for the application's first data, at most
 * TCP_DELACK_MAX */
void tcp_delack_first(struct tcp_delack *d, struct instant now);

/* an ACK is to be sent now */
static inline bool tcp_delack_now(const struct tcp_delack *d)
{
	return d->now;
}

/* when to call tcp_delack_fire(); INSTANT_NEVER: off */
static inline struct instant tcp_delack_deadline(const struct tcp_delack *d)
{
	return d->at;
}

/* True: the ACK is due now (a delayed one: count it); harmless early. */
bool tcp_delack_fire(struct tcp_delack *d, struct instant now);

#endif
