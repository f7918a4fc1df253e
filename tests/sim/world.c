/* Virtual time: a heap of events ordered by (instant, order of scheduling). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/wire/ip_hdr.h"
#include "stack/wire/show.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/sim/sim.h"
#include "tests/sim/watch.h"

#define STEPS_MAX 12000000u

static const char *const fault_text[] = {
#define X(id, text) [id] = text,
	SIM_FAULTS(X)
#undef X
};

const char *sim_fault_text(enum sim_fault f)
{
	return fault_text[f];
}

void world_init(struct world *w, uint64_t seed, bool crypted,
		struct sim_stats *st)
{
	memset(w, 0, sizeof(*w));
	w->seed = seed;
	w->stats = st;
	w->now = (struct instant){ NANOS_S };
	w->fault_from = w->now;
	w->heal = w->now;
	w->hash = 0xcbf29ce484222325u;
	rng_seed(&w->rng, seed * 2 + 1);
	rng_seed(&w->scen, seed * 2);
	rng_seed(&w->seal, ~(seed * 2));
	rng_seed(&w->more, ~(seed * 2 + 1));
	rng_seed(&w->late, ~(seed * 2 + 1) ^ 0x6c617465);
	w->crypted = crypted;
	watch_init(w);
}

void world_fini(struct world *w)
{
	watch_fini(w);
	free(w->heap);
	w->heap = NULL;
}

static bool earlier(const struct sim_event *a, const struct sim_event *b)
{
	return a->at.ns != b->at.ns ? a->at.ns < b->at.ns : a->order < b->order;
}

void world_at(struct world *w, struct instant at, sim_fn *fn, void *ctx,
	      uint64_t arg)
{
	struct sim_event e = { at, w->order++, fn, ctx, arg };
	unsigned i;

	if (w->n_heap == w->cap_heap) {
		w->cap_heap = w->cap_heap ? w->cap_heap * 2 : 1024;
		w->heap = realloc(w->heap, w->cap_heap * sizeof(*w->heap));
		check(w->heap);
	}
	for (i = w->n_heap++; i > 0; i = (i - 1) / 2) {
		if (!earlier(&e, &w->heap[(i - 1) / 2])) {
			break;
		}
		w->heap[i] = w->heap[(i - 1) / 2];
	}
	w->heap[i] = e;
}

void world_in(struct world *w, nanos after, sim_fn *fn, void *ctx, uint64_t arg)
{
	world_at(w, instant_add(w->now, after), fn, ctx, arg);
}

static struct sim_event pop(struct world *w)
{
	struct sim_event top = w->heap[0];
	struct sim_event last = w->heap[--w->n_heap];
	unsigned i = 0;

	for (;;) {
		unsigned c = 2 * i + 1;

		if (c >= w->n_heap) {
			break;
		}
		if (c + 1 < w->n_heap &&
		    earlier(&w->heap[c + 1], &w->heap[c])) {
			c++;
		}
		if (!earlier(&w->heap[c], &last)) {
			break;
		}
		w->heap[i] = w->heap[c];
		i = c;
	}
	w->heap[i] = last;
	return top;
}

void world_run(struct world *w, struct instant until)
{
	while (w->n_heap && !w->failed &&
	       !instant_before(until, w->heap[0].at)) {
		struct sim_event e = pop(w);

		w->now = e.at;
		e.fn(w, e.ctx, e.arg);
		if (++w->steps > STEPS_MAX) {
			world_fail(w, "no end: %u events", STEPS_MAX);
		}
	}
}

bool world_chance(struct world *w, double p)
{
	return p > 0 && rng_unit(&w->rng) < p;
}

uint64_t world_below(struct world *w, uint64_t n)
{
	return rng_below(&w->rng, n);
}

void world_fault(struct world *w, enum sim_fault f)
{
	w->stats->fault[f]++;
	if (w->verbose) {
		printf("%12.6f    ! %s\n", (double)w->now.ns / 1e9,
		       sim_fault_text(f));
	}
}

void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->failed || w->stopping) {
		return;
	}
	w->failed = true;
	va_start(ap, fmt);
	vsnprintf(w->why, sizeof(w->why), fmt, ap);
	va_end(ap);
}

void world_say(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (!w->verbose) {
		return;
	}
	printf("%12.6f ", (double)w->now.ns / 1e9);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* ENO options and the first octets of what is sealed, which show_packet() does
 * not tell */
static void say_more(const struct pkt *p, char *buf, size_t n)
{
	struct tcp_seg seg;
	struct ip_hdr ip;
	size_t at = 0;

	buf[0] = 0;
	if (ip_hdr_parse(p->data, p->len, &ip) != IP_HDR_OK ||
	    ip.proto != IP_PROTO_TCP ||
	    tcp_hdr_parse(&ip, true, &seg) != TCP_HDR_OK) {
		return;
	}
	for (unsigned i = 0; seg.opts.eno.n && i < seg.opts.eno.len; i++) {
		at += (size_t)snprintf(buf + at, n - at, "%s%02x",
				       i ? "" : " eno ", seg.opts.eno.opt[i]);
	}
	for (unsigned i = 0; i < seg.len && i < 8; i++) {
		at += (size_t)snprintf(buf + at, n - at, "%s%02x",
				       i ? "" : " : ", seg.data[i]);
	}
}

/* in four lanes, which do not wait for one another */
static uint64_t hash_of(uint64_t x, const uint8_t *p, uint32_t n)
{
	uint64_t lane[4] = { x, x + 1, x + 2, x + 3 }, v;
	uint32_t i;

	for (i = 0; i + 32 <= n; i += 32) {
		for (unsigned k = 0; k < 4; k++) {
			memcpy(&v, p + i + 8 * (size_t)k, 8);
			lane[k] = (lane[k] ^ v) * 0x9e3779b97f4a7c15u;
			lane[k] ^= lane[k] >> 29;
		}
	}
	for (; i < n; i++) {
		lane[0] = (lane[0] ^ p[i]) * 0x100000001b3u;
	}
	for (unsigned k = 1; k < 4; k++) {
		lane[0] = (lane[0] ^ lane[k]) * 0x9e3779b97f4a7c15u;
		lane[0] ^= lane[0] >> 29;
	}
	return lane[0];
}

/* every packet at every place goes into the run's hash */
void world_trace(struct world *w, const char *where, const struct host *h,
		 unsigned path, const struct pkt *p)
{
	char text[400], more[120];

	w->hash = hash_of(w->hash ^ (uint64_t)w->now.ns, p->data, p->len);
	w->stats->packets++;
	w->stats->octets += p->len;
	if (w->verbose) {
		say_more(p, more, sizeof(more));
		world_say(w, "%c%u %-4s %s%s", (int)('A' + h->index), path,
			  where,
			  show_packet(p->data, p->len, text, sizeof(text)),
			  more);
	}
}

static void release(struct pkt *p)
{
	struct host *h = p->owner;
	struct world *w;

	/* until delivery the owner is the world, marked by dev */
	if (p->dev == UINT16_MAX) {
		w = p->owner;
	} else {
		w = h->w;
		h->pinned -= p->truesize;
	}
	w->pkts--;
	free(p);
}

void world_adopt(struct world *w, struct pkt *p)
{
	p->dev = UINT16_MAX;
	p->owner = w;
	p->release = release;
	w->pkts++;
}

struct pkt *world_pkt(struct world *w, const void *data, uint32_t len)
{
	struct pkt *p = calloc(1, sizeof(*p) + len);

	check(p);
	p->data = (uint8_t *)(p + 1);
	if (data) {
		memcpy(p->data, data, len);
	}
	p->len = len;
	p->truesize = len + (uint32_t)sizeof(*p);
	p->refs = 1;
	world_adopt(w, p);
	return p;
}
