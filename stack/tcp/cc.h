/* cc.h - congestion control as a table of functions (RFC 5681, 9438)
 *
 * The window is in octets.  Loss detection and recovery are not here: the
 * recovery code tells what happened, and during recovery sends by
 * proportional rate reduction towards ssthresh; cc decides cwnd and ssthresh.
 * An algorithm with its own model of the path (ops->model) decides cwnd in
 * recovery, too, and the rate at which it is sent.
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
	uint32_t seed;     /* unpredictable for others, the same in a replay */
	/* octets per second to send at, 0: as the pacer thinks fit */
	uint64_t pacing_rate;
	/* Less is kept in flight than the path takes: rate samples are marked
	 * as if the application gave too little.  Cleared by whoever reads. */
	bool below_path;
	uint64_t priv[16]; /* the algorithm's own state */
};

/* one acknowledgement that advanced snd_una or brought new SACKs */
struct cc_ack {
	struct instant now;
	uint32_t acked;     /* octets newly delivered, in order or not */
	uint32_t in_flight; /* octets before this acknowledgement */
	nanos rtt;          /* sample, or -1 */
	nanos srtt, min_rtt;
	bool cwnd_limited; /* the flight filled the window when it was sent */
	bool in_recovery;  /* do not grow: fast recovery, or a duplicate ACK
			     * (after a timeout slow start goes on, RFC 5681
			     * 3.1) */
	bool round_start;  /* the first ACK of a new round trip */
	/* for models of the path */
	uint32_t flight;    /* octets in flight now, losses marked */
	uint32_t lost;      /* octets found lost since the last call */
	uint64_t delivered; /* octets ever delivered */
	/* ..and when the newest range that this ACK brought had been sent;
	 * `delivered` itself: unknown */
	uint64_t prior_delivered;
	uint64_t bw;      /* delivery rate, octets per second; 0: no sample */
	bool app_limited; /* ..of an application that gave too little */
};

struct cc_ops {
	const char *name;
	/* It keeps cwnd by itself, whatever happens: no PRR, ssthresh is not
	 * used, and on_recovered() is called after timeouts, too. */
	bool model;
	/* sets up priv (all zero before); also when it takes over a running
	 * connection, so it leaves cwnd and ssthresh alone */
	void (*init)(struct cc *cc, struct instant now);
	void (*on_ack)(struct cc *cc, const struct cc_ack *a);
	/* entering fast recovery: sets ssthresh (cwnd is recovery's to move
	 * until on_recovered, which finds it at ssthresh).  in_flight: octets
	 * not acknowledged (FlightSize), at most cwnd */
	void (*on_loss)(struct cc *cc, struct instant now, uint32_t in_flight);
	void (*on_recovered)(struct cc *cc, struct instant now);
	/* the first retransmission timeout in a row: sets ssthresh and cwnd
	 * (RFC 5681 3.1) */
	void (*on_rto)(struct cc *cc, struct instant now, uint32_t in_flight);
	/* the last reduction was spurious: restore what was before it; cwnd
	 * never falls.  Once per reduction; harmless without one. */
	void (*undo)(struct cc *cc, struct instant now);
	/* sending resumed after an idle period of more than one RTO; with
	 * model: whenever nothing was on its way for want of data */
	void (*on_idle)(struct cc *cc, struct instant now);
};

extern const struct cc_ops cc_reno;
extern const struct cc_ops cc_cubic;
extern const struct cc_ops cc_bbr;

/* NULL: unknown name */
const struct cc_ops *cc_find(const char *name);
/* name of the i-th, NULL past the end: for help texts and getsockopt */
const char *cc_name(unsigned i);
/* RFC 6928: octets */
uint32_t cc_initial_window(uint32_t mss);
/* what leaves at once at this rate (octets per second): a millisecond of it,
 * whole segments, at least two and at most 64 KiB */
uint32_t cc_quantum(uint64_t rate, uint32_t mss);
/* starts with the initial window and ssthresh CC_INF, then calls ops->init */
void cc_init(struct cc *cc, const struct cc_ops *ops, uint32_t mss,
	     struct instant now);
void cc_set_mss(struct cc *cc, uint32_t mss);

#endif
