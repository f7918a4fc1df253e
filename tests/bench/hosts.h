/* hosts.h - two stacks in one process and in virtual time, joined by a wire
 * without delay or loss: what the core costs by itself
 *
 * Each connection carries a request and an answer.  Host 0 connects, host 1
 * accepts.
 */
#ifndef TESTS_BENCH_HOSTS_H
#define TESTS_BENCH_HOSTS_H

#include "stack/base/rng.h"
#include "stack/sock/stack.h"

#define HOSTS_PORT     7000
#define HOSTS_PER_PORT 20000u
#define HOSTS_REQUEST  100u
#define HOSTS_ANSWER   1000u

struct wire;

struct host {
	struct mem mem;
	struct env env;
	struct rng rng;
	struct stack *s;
	struct wire *in, **in_tail; /* packets on their way here */
};

struct hosts {
	struct host host[2];
	struct instant now;
	uint64_t packets, octets, accepted, ended;
	bool close; /* host 1 closes behind its answer, host 0 with the FIN */
};

extern struct hosts hosts;

void hosts_fatal(const char *what);
/* plain, mptcp, sealed (SMTCP), fresh (SMTCP without resumption) */
bool hosts_mode(const char *mode);
void hosts_start(const char *mode, unsigned socks);
void hosts_listen(unsigned ports);
void hosts_connect(unsigned port);
/* everything that happens until then; timers that fired */
uint64_t hosts_run(struct instant until);
/* the accepting host's live pieces of memory, by size, per n connections */
void hosts_show_pieces(unsigned n);
/* octets that libcrypto holds */
uint64_t hosts_crypto_used(void);

#endif
