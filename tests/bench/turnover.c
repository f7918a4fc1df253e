/* turnover - what a short connection costs the core: both ends, no system call
 *
 *   turnover N plain|mptcp|sealed|fresh   N connections, 16 at once: connect,
 *                                         a request, an answer, close
 *
 * Prints JSON: processor time per connection in microseconds, of both ends
 * together, packets included.
 */
#include <time.h>
#include <unistd.h>

#include "tests/bench/hosts.h"
#include "tests/bench/load.h"

#define AT_ONCE 16u

static double cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void rounds(unsigned n)
{
	for (unsigned i = 0; i < n; i += AT_ONCE) {
		for (unsigned k = 0; k < AT_ONCE; k++) {
			hosts_connect(i / HOSTS_PER_PORT % 16);
		}
		hosts_run(instant_add(hosts.now, 20 * NANOS_MS));
	}
}

int main(int argc, char **argv)
{
	uint32_t n = argc == 3 ? number(argv[1], "N", 1, 10000000) : 0;
	double from;
	uint64_t before;

	if (!n || !hosts_mode(argv[2])) {
		fprintf(stderr, "usage: turnover N plain|mptcp|sealed|fresh\n");
		return 2;
	}
	hosts.close = true;
	hosts_start(argv[2], 65536);
	hosts_listen(16);
	rounds(160); /* so that there are secrets to resume from */
	before = hosts.ended;
	from = cpu_us();
	rounds(n);
	printf("{\"connections\": %llu, \"cpu_us\": %.2f}\n",
	       (unsigned long long)(hosts.ended - before),
	       (cpu_us() - from) / n);
	fflush(stdout);
	_exit(0);
}
