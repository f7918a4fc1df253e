/* tcp_sent.h - the sent map: what is on its way, and what became of it
 *
 * One entry per transmitted burst (up to 64 KiB), in sequence order without
 * gaps: the entries cover exactly [una, nxt), FIN counted as one octet.  An
 * entry is in one of three states:
 *
 *   FLIGHT  sent and not heard of; on `flight`, in order of transmission
 *   LOST    thought lost, not sent again yet; on `lost`, about by sequence
 *   SACKED  delivered out of order; on neither list; neighbours are merged,
 *           so that a SACK block heard again costs one look-up
 *
 * A SACK block that covers part of an entry splits it, at multiples of the
 * segment size it was sent with (a partial segment is not counted as
 * delivered).  Look-up is a binary search over an array of pointers; the head
 * and the tail are O(1); work per ACK is proportional to what it changes.
 * There are never more than TCP_SENT_MAX entries: new data is refused from
 * TCP_SENT_MAX_NEW on, splits at the bound (the block is then ignored or, for
 * a retransmission, the whole entry counts as sent: RACK or the RTO finds what
 * was not).
 *
 * What one ACK may cost whatever it says: for each of at most four blocks two
 * cuts and one merge, each of which moves at most half of TCP_SENT_MAX pointers.
 *
 * All counters are octets, but for sacked_segs, and kept as entries change.
 */
#ifndef TCP_TCP_SENT_H
#define TCP_TCP_SENT_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/list.h"
#include "stack/base/time.h"
#include "stack/wire/tcp_hdr.h"

#define TCP_SENT_MAX     8192u
#define TCP_SENT_MAX_NEW 6144u
#define TCP_SENT_BURST   65535u /* octets of one entry as transmitted */

enum tcp_sent_state {
	TCP_SENT_FLIGHT,
	TCP_SENT_LOST,
	TCP_SENT_SACKED,
};

struct tcp_sent_entry {
	struct list node;
	uint32_t seq, len;
	uint32_t base; /* segments of mss octets are counted from here */
	uint16_t mss;
	uint8_t state;
	uint8_t rtx; /* retransmissions, saturating */
	bool app_limited;
	uint32_t segs;           /* SACKED: segments it was sent as */
	uint64_t order;          /* number of the last transmission.. */
	struct instant tx;       /* ..and its time */
	struct instant first_tx; /* first one: for the user timeout */
	/* the map's delivered count and time at the last transmission: what
	 * a delivery-rate sample needs */
	uint64_t delivered;
	struct instant delivered_at;
	struct instant rate_from; /* ..and tcp_rate.from, set by the caller */
};

struct tcp_sent {
	struct mem *mem;
	struct tcp_sent_entry **v; /* ring of cap pointers */
	uint32_t first, n, cap;
	struct list flight, lost;
	struct list *lost_hint; /* last insertion into lost, or &lost */
	struct list spare;      /* free entries */
	uint32_t n_spare;
	uint32_t una, nxt;  /* what the entries cover */
	uint32_t in_flight; /* octets in FLIGHT, resent ones too */
	uint32_t n_lost;    /* octets in LOST */
	uint32_t n_sacked;  /* octets in SACKED */
	uint32_t sacked_segs; /* ..and segments, as they were sent */
	uint32_t n_resent;  /* octets in FLIGHT that were sent again */
	uint32_t fack;      /* end of the highest octet ever delivered */
	uint64_t delivered; /* octets ever delivered */
	struct instant delivered_at;
	uint64_t order;     /* transmissions so far */
	uint64_t n_refused; /* splits refused for bound or memory */
};

/* seq: the first octet that will be added (ISS + 1) */
void tcp_sent_init(struct tcp_sent *s, struct mem *mem, uint32_t seq,
		   struct instant now);
void tcp_sent_fini(struct tcp_sent *s); /* frees everything; idempotent */
/* gives spare memory back; harmless at any time */
void tcp_sent_trim(struct tcp_sent *s);

static inline bool tcp_sent_empty(const struct tcp_sent *s)
{
	return s->n == 0;
}

/* Octets not cumulatively acknowledged: in_flight + n_lost + n_sacked. */
static inline uint32_t tcp_sent_outstanding(const struct tcp_sent *s)
{
	return s->nxt - s->una;
}

/* May a burst be added?  Makes sure of the memory, so that an add right after
 * it succeeds.  False: full or no memory; wait for an ACK. */
bool tcp_sent_can_add(struct tcp_sent *s);
/* len (> 0) octets at nxt were sent for the first time, in segments of mss
 * (> 0) octets.  False as above; then nothing changed and they must not be
 * sent. */
bool tcp_sent_add(struct tcp_sent *s, struct instant now, uint32_t len,
		  uint16_t mss, bool app_limited);

/* --- acknowledgement ---------------------------------------------------- */

struct tcp_sent_in {
	struct instant now;
	uint32_t ack;
	const struct range32 *sack; /* as received; any content */
	unsigned n_sack;
	/* No copy sent at or after this instant can be what this ACK answers
	 * (from the timestamp echo); INSTANT_NEVER: unknown. */
	struct instant echo_before;
	nanos min_rtt; /* 0: unknown */
};

struct tcp_sent_out {
	uint32_t acked;     /* octets that una advanced by */
	uint32_t sacked;    /* octets newly marked SACKED */
	uint32_t delivered; /* octets newly delivered, either way.. */
	uint32_t hi;        /* ..and the end of the highest (if any) */
	uint32_t late;      /* ..and what of them was LOST: no longer waited for */
	bool dsack;         /* the first block reports a duplicate */
	struct range32 dsack_range;
	bool rtx_delivered;  /* ..of which some had been sent again */
	bool orig_delivered; /* ..of which some had been sent only once */
	bool reordered; /* an octet sent only once arrived after a higher one
			 * that an earlier ACK reported (RFC 8985 6.2 step 3) */
	/* samples from octets sent only once, -1: none, or some octets of this
	 * ACK were sent again.  rtt is of the oldest of them (holds the peer's
	 * delay), rtt_newest of the newest. */
	nanos rtt, rtt_newest;
	/* the delivered octets that were sent last, RFC 8985 6.2 step 2: copies
	 * that this ACK cannot mean are left out */
	bool rack;
	uint64_t rack_order;
	struct instant rack_tx;
	uint32_t rack_end;
	bool rack_rtx;
	/* for a delivery-rate sample: state when those octets were sent */
	uint64_t prior_delivered;
	struct instant prior_delivered_at;
	struct instant rate_from;
	bool app_limited;
};

/* Applies an ACK.  ack must lie within [una, nxt] (the caller has checked);
 * otherwise only out is cleared.  Blocks outside [una, nxt], empty, reversed
 * or reporting a duplicate (RFC 2883 4) mark nothing. */
void tcp_sent_ack(struct tcp_sent *s, const struct tcp_sent_in *in,
		  struct tcp_sent_out *out);

/* --- loss and retransmission -------------------------------------------- */

/* e leaves FLIGHT for LOST */
void tcp_sent_mark_lost(struct tcp_sent *s, struct tcp_sent_entry *e);
/* The head entry's first segment (mss octets at most) becomes LOST, if it is
 * in FLIGHT.  Octets marked. */
uint32_t tcp_sent_mark_head_lost(struct tcp_sent *s, uint16_t mss);
/* The head becomes LOST, and what is in FLIGHT since `by` or before (timeout).
 * clear_sack: also what is SACKED, the peer may have dropped it (RFC 2018
 * 8). */
void tcp_sent_mark_lost_by(struct tcp_sent *s, struct instant by,
			   bool clear_sack);
/* all of it, whenever it was sent */
void tcp_sent_mark_all_lost(struct tcp_sent *s, bool clear_sack);
/* everything LOST is in FLIGHT again, as sent at its last transmission: the
 * loss was none */
void tcp_sent_unmark_lost(struct tcp_sent *s);
/* the head is SACKED although the cumulative ACK stands before it: the peer
 * has dropped data it had reported */
bool tcp_sent_reneged(const struct tcp_sent *s);

/* The next range to send again: an entry in LOST, cut to max (> 0) octets;
 * NULL: none.  Send min(len, max) octets of it: at the bound of entries it
 * could not be cut.  It stays LOST until tcp_sent_resent(), and is valid until
 * any other call that changes s. */
struct tcp_sent_entry *tcp_sent_next_lost(struct tcp_sent *s, uint32_t max);
/* The last segment (max octets at most) that is not SACKED, for a tail loss
 * probe; NULL: none.  Its state may be FLIGHT or LOST. */
struct tcp_sent_entry *tcp_sent_tail(struct tcp_sent *s, uint32_t max);
/* e was sent again, in segments of mss octets: it is in FLIGHT */
void tcp_sent_resent(struct tcp_sent *s, struct tcp_sent_entry *e,
		     struct instant now, uint16_t mss);

/* --- looking ------------------------------------------------------------ */

/* i-th in sequence order, i < s->n */
static inline struct tcp_sent_entry *tcp_sent_at(const struct tcp_sent *s,
						 uint32_t i)
{
	return s->v[(s->first + i) & (s->cap - 1)];
}

/* index of the entry that holds seq; una <= seq < nxt */
uint32_t tcp_sent_find(const struct tcp_sent *s, uint32_t seq);

/* oldest transmission still in FLIGHT, NULL: none */
struct tcp_sent_entry *tcp_sent_oldest(const struct tcp_sent *s);

#endif
