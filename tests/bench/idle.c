/* idle - what connections cost the core while nothing happens on them
 *
 *   idle N plain|mptcp|sealed   N connections with a request and an answer on
 *                               each, then ten minutes of rest
 *
 * Prints JSON: octets of the accepting stack's `mem` per connection, the same
 * of the connecting one, those of libcrypto (both ends' divided by two), and
 * how often a timer fired or a packet left while all of them rested.
 */
#include <unistd.h>

#include "tests/bench/hosts.h"
#include "tests/bench/load.h"

#define BATCH 64u
#define REST  (600 * NANOS_S)

static void connect_all(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		hosts_connect(i / HOSTS_PER_PORT);
		if (i % BATCH == BATCH - 1) {
			hosts_run(instant_add(hosts.now, NANOS_MS));
		}
	}
	hosts_run(instant_add(hosts.now, 60 * NANOS_S));
	if (hosts.octets != (uint64_t)n * (HOSTS_REQUEST + HOSTS_ANSWER) ||
	    hosts.accepted != n) {
		hosts_fatal("not every request was answered");
	}
}

int main(int argc, char **argv)
{
	uint32_t n = argc == 3 ? number(argv[1], "N", 1, 10000000) : 0;
	const struct mem *m0 = &hosts.host[0].mem, *m1 = &hosts.host[1].mem;
	uint64_t used[2], crypto, fired, sent;

	if (!n || !hosts_mode(argv[2])) {
		fprintf(stderr, "usage: idle N plain|mptcp|sealed\n");
		return 2;
	}
	hosts_start(argv[2], n + 64);
	hosts_listen(n / HOSTS_PER_PORT + 1);
	used[0] = m0->used;
	used[1] = m1->used;
	crypto = hosts_crypto_used();
	connect_all(n);
	sent = hosts.packets;
	fired = hosts_run(instant_add(hosts.now, REST));
	printf("{");
	hosts_show_pieces(n);
	printf("\"connections\": %u, \"accepted\": %.0f, "
	       "\"connecting\": %.0f, \"libcrypto\": %.0f, "
	       "\"timers\": %llu, \"packets\": %llu}\n",
	       n, (double)(m1->used - used[1]) / n,
	       (double)(m0->used - used[0]) / n,
	       (double)(hosts_crypto_used() - crypto) / n / 2,
	       (unsigned long long)fired,
	       (unsigned long long)(hosts.packets - sent));
	fflush(stdout);
	_exit(0); /* freeing them all is not measured */
}
