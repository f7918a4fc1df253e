/* virtual.c - the stack that a script runs, in virtual time */
#include "stack/base/check.h"
#include "stack/base/wheel.h"
#include "tests/lib/wirepkt.h"
#include "tests/pkt/pkt.h"

#define BATCH     16
#define LOOPS_MAX 2000000
#define TOLERANCE (2 * NANOS_MS)

void run_clock(struct run *r)
{
	r->start = r->now = (struct instant){ 1000 * NANOS_S };
	r->early = r->late = TOLERANCE;
}

static void virtual_start(struct run *r)
{
	if (r->s) {
		return;
	}
	r->running = true;
	r->s = stack_new(&r->fake.env, &r->cfg, r->now);
	check(r->s);
	for (unsigned i = 0; i < r->n_paths; i++) {
		if (stack_path_add(r->s, r->now, &r->path[i]) != (int)i) {
			pkt_fail(r, "path %u is refused", i);
		}
	}
}

static void take(void *ctx, struct pkt *p)
{
	match_take(ctx, p);
}

void run_pump(struct run *r)
{
	struct pkt_out out[BATCH];
	struct stack_event ev;
	unsigned n;

	while (stack_event(r->s, &ev)) {
	}
	if (r->hold) {
		return;
	}
	do {
		n = stack_output(r->s, r->now, out, BATCH);
		for (unsigned i = 0; i < n; i++) {
			if (r->gso) {
				match_take(r,
					   wirepkt_whole(&out[i], out[i].dev));
			} else {
				wirepkt_split(&out[i], out[i].dev, take, r);
			}
		}
	} while (n);
}

void run_input(struct run *r, unsigned path, const void *p, uint32_t n)
{
	stack_input(r->s, r->now, wirepkt_make(p, n, (uint16_t)path));
	run_pump(r);
}

/* On to that instant, or to the first packet if asked for, timer by timer. */
void run_advance(struct run *r, struct instant to, bool (*stop)(void *),
		 void *ctx)
{
	virtual_start(r);
	run_pump(r);
	for (unsigned i = 0; !stop || !stop(ctx); i++) {
		struct instant d = stack_deadline(r->s);

		if (i > LOOPS_MAX) {
			pkt_fail(r, "the stack's timers go round in circles");
		}
		if (instant_before(to, d)) {
			r->now = to;
			break;
		}
		if (instant_before(r->now, d)) {
			r->now = d;
		} else if (i) {
			r->now = instant_add(r->now, WHEEL_TICK);
		}
		stack_tick(r->s, r->now);
		run_pump(r);
	}
}

void run_end(struct run *r)
{
	stack_free(r->s);
}
