/* tcp_reasm.h - data that arrived out of order, and the SACKs that say so
 *
 * Slices hang on one list in sequence order; a sorted array of runs (contiguous
 * ranges) points at the first and last slice of each.  Finding a place is a
 * binary search over runs; extending a run at either end, the usual case, moves
 * nothing.  Bounded in memory charged (slice->charge), slices and runs; more
 * narrowly while memory is scarce (mem_share()).
 *
 * The octets received first win; what a later segment repeats is cut off, and
 * the first such range is remembered for D-SACK (RFC 2883).
 */
#ifndef TCP_TCP_REASM_H
#define TCP_TCP_REASM_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/env.h"
#include "stack/base/list.h"
#include "stack/base/pkt.h"
#include "stack/wire/tcp_hdr.h"

#define TCP_REASM_MAX_SLICES 8192u
#define TCP_REASM_MAX_RUNS   1024u
#define TCP_REASM_RECENT     4u

struct tcp_reasm_run {
	uint32_t lo, hi;
	struct slice *first, *last;
};

struct tcp_reasm {
	struct mem *mem;
	struct list q; /* of struct slice, by seq */
	struct tcp_reasm_run *run;
	uint32_t n_run, cap_run;
	uint32_t n_slice;
	uint32_t charge;     /* of all slices */
	uint32_t max_charge; /* the caller may move it at any time */
	uint32_t octets;     /* payload held */
	/* an octet of each of the runs that grew last, latest first */
	uint32_t recent[TCP_REASM_RECENT];
	uint8_t n_recent;
	bool dsack;
	struct range32 dsack_range;
};

enum tcp_reasm_result {
	TCP_REASM_OK,   /* some of it was new and is held */
	TCP_REASM_DUP,  /* all of it was held or delivered already */
	TCP_REASM_FULL, /* a bound; what fitted before it may be held */
	TCP_REASM_NOMEM,
};

void tcp_reasm_init(struct tcp_reasm *r, struct mem *mem, uint32_t max_charge);
void tcp_reasm_fini(struct tcp_reasm *r); /* frees all; idempotent */
/* gives the table back while nothing is held */
void tcp_reasm_trim(struct tcp_reasm *r);

static inline bool tcp_reasm_empty(const struct tcp_reasm *r)
{
	return r->n_slice == 0;
}

/* Takes s (always: it is freed when not held).  s->seq is the sequence number
 * of its first octet, in 32 bits; s->len > 0.  The caller has cut it to the
 * receive window; what lies before rcv_nxt is cut here.  A slice that begins
 * at or before rcv_nxt is let in beyond the bounds: tcp_reasm_pop() follows. */
enum tcp_reasm_result tcp_reasm_insert(struct tcp_reasm *r, uint32_t rcv_nxt,
				       struct slice *s);
/* The slice that begins at rcv_nxt, now the caller's; NULL: none. */
struct slice *tcp_reasm_pop(struct tcp_reasm *r, uint32_t rcv_nxt);
/* [lo, hi) arrived although it had been delivered before (not seen by
 * tcp_reasm_insert()); reported once */
void tcp_reasm_dup(struct tcp_reasm *r, uint32_t lo, uint32_t hi);
/* Up to max (at most 4) SACK blocks for the next ACK: a D-SACK if one is due
 * (it is then done with), then the runs that grew last, latest first
 * (RFC 2018 4, RFC 2883 4). */
unsigned tcp_reasm_sack(struct tcp_reasm *r, struct range32 out[4],
			unsigned max);
/* would tcp_reasm_sack() have a block? */
bool tcp_reasm_has_sack(const struct tcp_reasm *r);
/* end of the highest octet held; rcv_nxt when empty */
uint32_t tcp_reasm_end(const struct tcp_reasm *r, uint32_t rcv_nxt);

#endif
