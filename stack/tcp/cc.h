/* cc.h - congestion control as a table of functions (RFC 5681, 9438)
 *
 * The window is in octets.  Loss detection and recovery are not here: the
 * recovery code tells what happened, and during recovery sends by
 * proportional rate reduction towards ssthresh; cc decides cwnd and ssthresh.
 */
#ifndef TCP_CC_H
#define TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/time.h"

#define CC_INF UINT32_MAX

struct cc_ops;

struct cc {
	const struct cc_ops *ops;
	uint32_t mss;
	uint32_t cwnd;     /* octets */
	uint32_t ssthresh; /* octets, CC_INF at first */
	uint64_t priv[16]; /* the algorithm's own state */
};

/* one acknowledgement that advanced snd_una or brought new SACKs */
struct cc_ack {
	struct instant now;
	uint32_t acked;     /* octets newly delivered */
	uint32_t in_flight; /* octets before this acknowledgement */
	nanos rtt;          /* sample, or -1 */
	nanos srtt, min_rtt;
	bool cwnd_limited;  /* the flight filled the window when it was sent */
	bool in_recovery;   /* fast or timeout recovery: do not grow */
	bool round_start;   /* the first ACK of a new round trip */
};

struct cc_ops {
	const char *name;
	void (*init)(struct cc *cc, struct instant now);
	void (*on_ack)(struct cc *cc, const struct cc_ack *a);
	/* entering fast recovery: sets ssthresh (cwnd is recovery's to move
	 * until on_recovered) */
	void (*on_loss)(struct cc *cc, struct instant now, uint32_t in_flight);
	void (*on_recovered)(struct cc *cc, struct instant now);
	/* retransmission timeout: sets ssthresh and cwnd (RFC 5681 3.1) */
	void (*on_rto)(struct cc *cc, struct instant now, uint32_t in_flight);
	/* the last reduction was spurious: restore what was before it */
	void (*undo)(struct cc *cc, struct instant now);
	/* sending resumed after an idle period of more than one RTO */
	void (*on_idle)(struct cc *cc, struct instant now);
};

extern const struct cc_ops cc_reno;
extern const struct cc_ops cc_cubic;

/* NULL: unknown name */
const struct cc_ops *cc_find(const char *name);
/* name of the i-th, NULL past the end: for help texts and getsockopt */
const char *cc_name(unsigned i);
/* initial window of RFC 6928 */
void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss,
	     struct instant now);
void cc_set_mss(struct cc *cc, uint32_t mss);

#endif
