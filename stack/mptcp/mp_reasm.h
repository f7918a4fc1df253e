/* mp_reasm.h - data received out of order at the connection level
 *
 * Pieces that touch form a run; runs are a sorted list.  A subflow's pieces
 * mostly continue where its last one went, so each subflow keeps a hint and
 * an insertion is nearly constant.  Runs and memory are bounded.
 */
#ifndef MPTCP_MP_REASM_H
#define MPTCP_MP_REASM_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/base/list.h"
#include "stack/base/pkt.h"

#define MP_RUNS_MAX 1024

struct mp_run {
	struct list node;
	struct list q;   /* slices, by seq, touching */
	uint64_t lo, hi; /* [lo, hi) */
};

struct mp_reasm {
	struct mem *mem;
	struct list runs;
	uint32_t n;
	uint64_t charge, limit; /* octets of memory */
	uint64_t dup; /* octets that were there already, since last asked */
	/* a run is about to be freed: hints to it must go */
	void (*gone)(void *ctx, const struct mp_run *run);
	void *gone_ctx;
};

enum mp_reasm_status {
	MP_REASM_OK,
	MP_REASM_LIMIT, /* a bound was reached: the slice was freed */
};

void mp_reasm_init(struct mp_reasm *r, struct mem *mem, uint64_t limit,
		   void (*gone)(void *ctx, const struct mp_run *run),
		   void *ctx);
void mp_reasm_fini(struct mp_reasm *r);
/* Takes over s; s->seq is its data offset, above what is in order.  *hint is
 * the caller's, NULL at first; gone() tells which of them die. */
enum mp_reasm_status mp_reasm_add(struct mp_reasm *r, struct slice *s,
				  struct mp_run **hint);
/* moves what begins at or before *nxt to the tail of q, without repeats, and
 * advances *nxt; the octets moved */
uint64_t mp_reasm_take(struct mp_reasm *r, uint64_t *nxt, struct list *q);
bool mp_reasm_empty(const struct mp_reasm *r);
/* would slices charged for so many octets of memory be within the bound? */
bool mp_reasm_room(const struct mp_reasm *r, uint64_t charge);

enum mp_reasm_held {
	MP_REASM_NONE,
	MP_REASM_SOME,
	MP_REASM_ALL,
};

/* which of [lo, hi) is here */
enum mp_reasm_held mp_reasm_held(const struct mp_reasm *r, uint64_t lo,
				 uint64_t hi, struct mp_run *hint);

#endif
