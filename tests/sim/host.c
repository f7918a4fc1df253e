/* A host: one stack, its memory and entropy, its paths, its turns. */
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "tests/lib/wirepkt.h"
#include "tests/sim/sim.h"
#include "tests/sim/watch.h"

#define OUT_BATCH    16
#define TICKS_AT_ONE 200

static void *mem_take(void *ctx, size_t size)
{
	struct host *h = ctx;

	if (h->refuse > 0 && rng_unit(&h->alloc_rng) < h->refuse) {
		h->ever_refused = true;
		world_fault(h->w, F_MEMORY);
		return NULL;
	}
	return malloc(size);
}

static void mem_give(void *ctx, void *p, size_t size)
{
	(void)ctx;
	(void)size;
	free(p);
}

static void fill(void *ctx, void *buf, size_t n)
{
	struct host *h = ctx;

	rng_fill(&h->entropy, buf, n);
	if (n != sizeof(h->last_entropy)) {
		return;
	}
	if (h->repeat > 0 && rng_unit(&h->alloc_rng) < h->repeat) {
		world_fault(h->w, F_ENTROPY);
		memcpy(buf, &h->last_entropy, n);
		h->repeats++;
	} else {
		h->repeats = 0;
	}
	memcpy(&h->last_entropy, buf, n);
}

void host_start(struct host *h, uint64_t seed)
{
	rng_seed(&h->entropy, seed);
	rng_seed(&h->alloc_rng, ~seed);
	h->mem = (struct mem){ .alloc = mem_take,
			       .release = mem_give,
			       .ctx = h,
			       .limit = (uint64_t)256 << 20 };
	h->env = (struct env){ .mem = &h->mem, .entropy = { fill, h } };
	h->tick_at = INSTANT_NEVER;
	if (h->cfg.mp.memo_mode != MP_MEMO_OFF) {
		check(crypt_memo_init(&h->memo, &h->env, 8));
		h->cfg.mp.memo = &h->memo;
	}
	h->stack = stack_new(&h->env, &h->cfg, h->w->now);
	check(h->stack);
	for (unsigned i = 0; i < h->n_paths; i++) {
		struct host_path *p = &h->path[i];

		check(stack_path_add(h->stack, h->w->now, &p->cfg) == (int)i);
		p->up.w = p->down.w = p->box.w = h->w;
		p->up.host = p->down.host = p->box.host = h;
		p->up.path = p->down.path = p->box.path = i;
		p->up.up = true;
	}
}

void host_stop(struct host *h)
{
	stack_free(h->stack);
	h->stack = NULL;
	if (h->cfg.mp.memo_mode != MP_MEMO_OFF) {
		crypt_memo_fini(&h->memo);
	}
	for (unsigned i = 0; i < h->n_paths; i++) {
		box_fini(&h->path[i].box);
	}
}

/* --- a turn --------------------------------------------------------------- */

struct emit_ctx {
	struct host *h;
	unsigned path;
};

static void emit(void *ctx, struct pkt *p)
{
	struct emit_ctx *e = ctx;

	world_adopt(e->h->w, p);
	watch_out(e->h, p);
	link_send(&e->h->path[e->path].up, p);
}

static void output(struct host *h)
{
	struct pkt_out out[OUT_BATCH];
	unsigned n;

	do {
		n = stack_output(h->stack, h->w->now, out, OUT_BATCH);
		for (unsigned i = 0; i < n; i++) {
			struct emit_ctx e = { h, out[i].dev };

			check(out[i].dev < h->n_paths);
			wirepkt_split(&out[i], 0, emit, &e);
		}
	} while (n == OUT_BATCH);
}

static void tick(struct world *w, void *ctx, uint64_t arg)
{
	struct host *h = ctx;

	(void)arg;
	if (!h->stack || h->tick_at.ns != w->now.ns) {
		return; /* another deadline took its place */
	}
	h->tick_at = INSTANT_NEVER;
	/* time that stands still: a timer that fires without effect */
	h->ticks_in_row =
		h->last_tick.ns == w->now.ns ? h->ticks_in_row + 1 : 0;
	h->last_tick = w->now;
	if (h->ticks_in_row > TICKS_AT_ONE) {
		world_fail(w, "host %c: deadline never moves on",
			   (int)('A' + h->index));
		return;
	}
	stack_tick(h->stack, w->now);
	host_turn(h);
}

static void set_tick(struct host *h)
{
	struct instant at = stack_deadline(h->stack);

	if (instant_never(at)) {
		h->tick_at = at;
		return;
	}
	if (instant_before(at, h->w->now)) {
		at = h->w->now;
	}
	if (at.ns != h->tick_at.ns) {
		h->tick_at = at;
		world_at(h->w, at, tick, h, 0);
	}
}

void host_turn(struct host *h)
{
	struct stack_event ev;

	if (h->in_turn) { /* called from a program's turn */
		return;
	}
	h->in_turn = true;
	for (unsigned i = 0; i < 4096; i++) {
		if (!stack_event(h->stack, &ev)) {
			break;
		}
		app_event(h, &ev);
		if (i == 4095) {
			world_fail(h->w, "host %c: events never end",
				   (int)('A' + h->index));
		}
	}
	output(h);
	h->in_turn = false;
	if (h->w->crypted && world_chance(h->w, 0.01)) {
		stack_idle(h->stack);
	}
	h->pinned_peak = max_u64(h->pinned_peak, h->pinned);
	set_tick(h);
}

static void late_turn(struct world *w, void *ctx, uint64_t arg)
{
	struct host *h = ctx;

	(void)w;
	(void)arg;
	h->turn_due = false;
	if (h->stack) {
		host_turn(h);
	}
}

void host_deliver(struct host *h, unsigned path, struct pkt *p)
{
	if (!h->stack || p->len == 0 || (h->w->take && h->w->take(h->w, h, p))) {
		pkt_put(p);
		return;
	}
	world_trace(h->w, "recv", h, path, p);
	watch_in(h, p);
	p->dev = (uint16_t)path;
	p->owner = h;
	p->truesize = max_u32(p->truesize, h->truesize);
	h->pinned += p->truesize;
	stack_input(h->stack, h->w->now, p);
	if (!h->lag) {
		host_turn(h);
	} else if (!h->turn_due) { /* as an engine that is busy elsewhere */
		h->turn_due = true;
		world_in(h->w, h->lag, late_turn, h, 0);
	}
}

/* --- the core of the net -------------------------------------------------- */

struct host_path *net_path_of(struct world *w, const struct addr *a)
{
	for (unsigned i = 0; i < w->n_hosts; i++) {
		struct host *h = &w->host[i];

		for (unsigned j = 0; j < h->n_paths; j++) {
			const struct ip_path *c = &h->path[j].cfg;

			for (unsigned k = 0; k < c->n_addr; k++) {
				if (addr_eq(&c->addr[k], a)) {
					return &h->path[j];
				}
			}
		}
	}
	return NULL;
}

void net_route(struct world *w, struct box *from, struct pkt *p)
{
	struct host_path *to = NULL;

	(void)from;
	/* as much of a header as routing needs: damaged packets travel, too */
	if (p->len >= 20 && p->data[0] >> 4 != 6) {
		struct addr a = addr_from(4, p->data + 16);

		to = net_path_of(w, &a);
	} else if (p->len >= 40) {
		struct addr a = addr_from(6, p->data + 24);

		to = net_path_of(w, &a);
	}
	if (to) {
		box_pass(&to->box, p, false);
	} else {
		pkt_put(p);
	}
}
