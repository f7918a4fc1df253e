/* scale - do the timer wheel and the demultiplexer cost the same however many
 * connections there are?
 *
 *   scale [VISITS]    for 10, 1,000 and 100,000 connections, so many times each
 *
 * Ten of them are active, all others rest with a keep-alive timer each: what
 * the structures themselves cost.  Beside it ("cold"), all are active and come
 * in random order, each as far from the next in memory as the real ones are:
 * what the processor's caches cannot hold counts, too.  Prints JSON:
 * nanoseconds per lookup, per timer armed anew, per timer fired and armed
 * again, and per search for a local port; least of several rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "stack/base/rng.h"
#include "stack/base/wheel.h"
#include "stack/tcp/tcp_demux.h"
#include "tests/bench/load.h"

#define ROUNDS 7u
#define ACTIVE 10u

struct conn {
	struct tcp_entry entry;
	struct wheel_timer timer;
	uint8_t rest[1536 - sizeof(struct tcp_entry) -
		     sizeof(struct wheel_timer)];
};

static struct wheel wheel;
static struct rng rng;
static uint64_t fired;
static uint32_t visits = 400000;

static void *take(void *ctx, size_t n)
{
	(void)ctx;
	return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
	(void)ctx;
	(void)n;
	free(p);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static struct tuple tuple_of(unsigned i)
{
	return (struct tuple){
		.local = endpoint_make(addr_v4(10, 0, 0, 1), 80),
		.remote = endpoint_make(addr_v4(10, 1, (uint8_t)(i >> 15), 1),
					(uint16_t)(1024 + (i & 32767))),
	};
}

static struct instant later(struct instant now)
{
	return instant_add(now, 200 * NANOS_MS +
					(nanos)rng_below(&rng, 1000) * NANOS_MS);
}

static void on_fire(struct wheel_timer *t, struct instant now)
{
	fired++;
	wheel_arm(&wheel, t, later(now));
}

static double lookups(const struct tcp_demux *d, unsigned n)
{
	double from = cpu_ns();
	unsigned found = 0;

	for (unsigned i = 0; i < visits; i++) {
		struct tuple t = tuple_of((unsigned)rng_below(&rng, n));

		found += tcp_demux_find(d, &t) != NULL;
	}
	if (found != visits) {
		fprintf(stderr, "scale: a connection was not found\n");
		exit(1);
	}
	return (cpu_ns() - from) / visits;
}

static double rearms(struct conn *c, unsigned n, struct instant now)
{
	double from = cpu_ns();

	for (unsigned i = 0; i < visits; i++) {
		wheel_arm(&wheel, &c[rng_below(&rng, n)].timer, later(now));
	}
	return (cpu_ns() - from) / visits;
}

/* in the steps of an event loop: 1 ms */
static double fires(unsigned n, struct instant *now)
{
	double from = cpu_ns();
	uint64_t until = n < 1000 ? 20000 : visits;

	fired = 0;
	while (fired < until) {
		struct instant next = instant_add(*now, NANOS_MS);

		*now = instant_before(next, wheel_deadline(&wheel)) ?
			       wheel_deadline(&wheel) :
			       next;
		wheel_advance(&wheel, *now);
	}
	return (cpu_ns() - from) / (double)fired;
}

static double ports(struct tcp_demux *d)
{
	const struct endpoint any = endpoint_make(addr_any(4), 0);
	double from = cpu_ns();

	for (unsigned i = 0; i < 1000; i++) {
		if (tcp_demux_port(d, &any, false) == 0) {
			fprintf(stderr, "scale: no port\n");
			exit(1);
		}
	}
	return (cpu_ns() - from) / 1000;
}

static void least(double *best, double v)
{
	*best = *best == 0 || v < *best ? v : *best;
}

enum { LOOKUP, ARM, FIRE, PORT, COLD_LOOKUP, COLD_ARM, COLD_FIRE, N };

static void keep_alive(struct conn *c, unsigned n, struct instant now)
{
	for (unsigned i = ACTIVE; i < n; i++) {
		nanos wait = NANOS_S * 3600 + NANOS_MS *
						      (nanos)rng_below(&rng, 3600000);

		wheel_arm(&wheel, &c[i].timer, instant_add(now, wait));
	}
}

static void rounds(const struct tcp_demux *d, struct conn *c, unsigned n,
		   double best[N])
{
	struct instant now = { NANOS_S };

	wheel_init(&wheel, now);
	for (unsigned i = 0; i < n; i++) {
		wheel_timer_init(&c[i].timer, on_fire);
		wheel_arm(&wheel, &c[i].timer, later(now));
	}
	for (unsigned r = 0; r < ROUNDS; r++) {
		least(&best[COLD_LOOKUP], lookups(d, n));
		least(&best[COLD_ARM], rearms(c, n, now));
		least(&best[COLD_FIRE], fires(n, &now));
	}
	keep_alive(c, n, now);
	for (unsigned r = 0; r < ROUNDS; r++) {
		least(&best[LOOKUP], lookups(d, ACTIVE));
		least(&best[ARM], rearms(c, ACTIVE, now));
		least(&best[FIRE], fires(ACTIVE, &now));
		keep_alive(c, n, now);
	}
}

static void measure(unsigned n, bool last)
{
	struct mem mem = { .alloc = take, .release = give,
			   .limit = UINT64_MAX };
	const struct siphash_key key = { 1, 2 };
	struct conn *c = calloc(n, sizeof(*c));
	double best[N] = { 0 };
	struct tcp_demux d;

	if (!c || !tcp_demux_init(&d, &mem, &key)) {
		exit(1);
	}
	for (unsigned i = 0; i < n; i++) {
		c[i].entry.t = tuple_of(i);
		if (!tcp_demux_add(&d, &c[i].entry)) {
			exit(1);
		}
	}
	rounds(&d, c, n, best);
	for (unsigned r = 0; r < ROUNDS; r++) {
		least(&best[PORT], ports(&d));
	}
	printf("\"%u\": {\"lookup\": %.1f, \"arm\": %.1f, \"fire\": %.1f, "
	       "\"port\": %.1f, \"cold lookup\": %.1f, \"cold arm\": %.1f, "
	       "\"cold fire\": %.1f}%s",
	       n, best[LOOKUP], best[ARM], best[FIRE], best[PORT],
	       best[COLD_LOOKUP], best[COLD_ARM], best[COLD_FIRE],
	       last ? "" : ", ");
	free(c);
	tcp_demux_fini(&d);
}

int main(int argc, char **argv)
{
	if (argc > 2) {
		fprintf(stderr, "usage: scale [VISITS]\n");
		return 2;
	}
	if (argc == 2) {
		visits = number(argv[1], "VISITS", 1, 10000000);
	}
	rng_seed(&rng, 3);
	printf("{");
	measure(10, false);
	measure(1000, false);
	measure(100000, true);
	printf("}\n");
	return 0;
}
