/* One direction of one path: a queue in front of a rate, a delay, and what
 * may go wrong on the way.
 */
#include <string.h>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/wire/cksum.h"
#include "tests/sim/edit.h"
#include "tests/sim/sim.h"

static void arrive(struct world *w, void *ctx, uint64_t arg)
{
	struct link *l = ctx;
	struct pkt *p = (struct pkt *)(uintptr_t)arg;

	(void)w;
	if (l->up) {
		box_pass(&l->host->path[l->path].box, p, true);
	} else {
		host_deliver(l->host, l->path, p);
	}
}

static bool lost(struct link *l)
{
	struct link_fault *f = &l->fault;
	struct world *w = l->w;

	if (f->down) {
		world_fault(w, f->why_down);
		return true;
	}
	if (f->burst_in > 0) {
		l->bad = l->bad ? !world_chance(w, f->burst_out)
				: world_chance(w, f->burst_in);
		if (l->bad) {
			world_fault(w, F_BURST);
			return true;
		}
	}
	if (world_chance(w, f->loss)) {
		world_fault(w, F_LOSS);
		return true;
	}
	return false;
}

/* Flips a bit.  A packet that was hit before may be left with a right checksum
 * and other octets than were sent: that is not noise but F_REWRITE, and another
 * bit is tried. */
static void flip(struct link *l, struct pkt *p, uint32_t from)
{
	struct world *w = l->w;
	struct edit e;

	for (unsigned i = 0; i < 8; i++) {
		uint8_t bit = (uint8_t)(1u << world_below(w, 8));
		uint64_t at = from + world_below(w, p->len - from);

		p->data[at] ^= bit;
		if (!edit_open(&e, p)) {
			world_fault(w, F_CORRUPT);
			return;
		}
		p->data[at] ^= bit;
	}
}

/* A flipped bit where a checksum covers it, or a missing tail.  The IPv6
 * header has no checksum: its transport part is hit. */
static struct pkt *damage(struct link *l, struct pkt *p)
{
	struct world *w = l->w;
	struct edit e;
	uint32_t from = p->len && p->data[0] >> 4 == 6 ? 40 : 0;

	if (p->len <= from || !world_chance(w, l->fault.corrupt)) {
		return p;
	}
	/* flips in two fragments of one datagram may make up for each other */
	if (world_chance(w, 0.2) || !edit_open(&e, p)) {
		p->len = (uint32_t)world_below(w, p->len);
		world_fault(w, F_TRUNCATE);
	} else {
		flip(l, p, from);
	}
	return p;
}

/* RFC 3168 5: who says ECT may be marked CE */
static void mark(struct link *l, struct pkt *p, bool full)
{
	uint8_t *b = p->data;
	bool v4 = p->len >= 20 && b[0] >> 4 == 4;
	uint8_t *at = b + 1;
	uint8_t ecn = p->len < 20 ? 0 : v4 ? *at & 3 : *at >> 4 & 3;

	if ((ecn != 1 && ecn != 2) ||
	    !(full || world_chance(l->w, l->fault.mark))) {
		return;
	}
	*at |= v4 ? 3 : 0x30;
	if (v4) {
		be16_put(b + 10, 0);
		be16_put(b + 10, cksum_finish(cksum_add(0, b, 4u * (b[0] & 15u))));
	}
	world_fault(l->w, F_CE);
}

static void schedule(struct link *l, struct pkt *p)
{
	const struct link_fault *f = &l->fault;
	struct world *w = l->w;
	struct instant at = instant_add(l->busy, l->delay);

	if (f->jitter) {
		at = instant_add(at,
				 (nanos)world_below(w, (uint64_t)f->jitter));
		world_fault(w, F_JITTER);
	}
	if (instant_before(at, f->stall)) {
		at = f->stall;
		world_fault(w, F_STALL);
	}
	if (world_chance(w, f->reorder)) {
		at = instant_add(
			at, 1 + (nanos)world_below(w, (uint64_t)f->reorder_by));
		world_fault(w, F_REORDER);
	} else {
		/* jitter alone does not let packets overtake each other */
		at = instant_before(at, l->last) ? l->last : at;
		l->last = at;
	}
	world_at(w, at, arrive, l, (uint64_t)(uintptr_t)p);
}

void link_send(struct link *l, struct pkt *p)
{
	struct world *w = l->w;
	uint64_t rate =
		l->fault.slower > 1 ? l->rate / l->fault.slower : l->rate;
	nanos spend = (nanos)((uint64_t)p->len * 8 * (uint64_t)NANOS_S / rate);
	nanos waits = nanos_max(instant_since(l->busy, w->now), 0);
	uint64_t ahead = (uint64_t)waits / 8 * rate / (uint64_t)NANOS_S;
	bool full = l->mark_above && ahead > l->mark_above;

	world_trace(w, l->up ? "out" : "in", l->host, l->path, p);
	if (l->fault.slower > 1) {
		world_fault(w, F_RATE);
	}
	if (lost(l)) {
		pkt_put(p);
		return;
	}
	if (ahead + p->len > l->queue) {
		world_fault(w, F_QUEUE);
		l->dropped++;
		pkt_put(p);
		return;
	}
	l->passed++;
	if (l->fault.mark > 0 || full) {
		mark(l, p, full);
	}
	p = damage(l, p);
	l->busy = instant_add(
		instant_before(l->busy, w->now) ? w->now : l->busy, spend);
	if (p->len > 0 && world_chance(w, l->fault.dup)) {
		world_fault(w, F_DUP);
		schedule(l, world_pkt(w, p->data, p->len));
	}
	schedule(l, p);
}
