/* load.h - what the programs of the benchmarks have in common: what a client
 * asks of the server, what a receiver of bulk data keeps, arguments
 *
 * A connection begins with one struct order.  'D': the server sends for that
 * many seconds.  'U': the client does, and the server answers with its struct
 * timeline.  'P': whatever comes is sent back.  Both hosts are one machine, so
 * the structs go as they lie in memory.
 */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHUNK   (256 * 1024)
#define STEP_NS 50000000
#define STEPS   4096
/* of a program's AF_UNIX socket: what the stack gives one */
#define PAIR_BUF (2 << 20)

struct order {
	char what; /* 'D', 'U', 'P' */
	uint32_t value;
};

/* what had arrived at every STEP_NS since the first octet */
struct timeline {
	int64_t start, last;
	uint64_t bytes;
	uint32_t n;
	uint64_t at[STEPS];
};

static inline int64_t load_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline void timeline_take(struct timeline *l, size_t n)
{
	int64_t t = load_now();

	if (!l->start) {
		l->start = t;
	}
	while (l->n < STEPS && t - l->start >= (int64_t)l->n * STEP_NS) {
		l->at[l->n++] = l->bytes;
	}
	l->bytes += n;
	l->last = t;
}

static inline void timeline_print(const struct timeline *l)
{
	printf("{\"bytes\": %llu, \"seconds\": %.6f, \"timeline\": [",
	       (unsigned long long)l->bytes,
	       (double)(l->last - l->start) / 1e9);
	for (uint32_t i = 0; i < l->n && i < STEPS; i++) {
		printf("%s%llu", i ? ", " : "", (unsigned long long)l->at[i]);
	}
	puts("]}");
}

static inline int by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* count times in nanoseconds */
static inline void pings_print(int64_t *took, size_t count)
{
	qsort(took, count, sizeof(*took), by_size);
	printf("{\"median_us\": %.2f, \"p99_us\": %.2f}\n",
	       (double)took[count / 2] / 1e3,
	       (double)took[count * 99 / 100] / 1e3);
}

/* a whole number from least to most, or the end of the program */
static inline uint32_t number(const char *text, const char *what,
			      uint32_t least, uint32_t most)
{
	char *end;
	unsigned long long v = strtoull(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end || v < least || v > most) {
		fprintf(stderr, "%s: '%s' is not a number from %u to %u\n",
			what, text, least, most);
		exit(2);
	}
	return (uint32_t)v;
}

#endif
