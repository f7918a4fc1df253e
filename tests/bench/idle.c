/* idle - what connections cost the core while nothing happens on them
 *
 *   idle N plain|mptcp|sealed     two stacks in one process, virtual time: N
 *                                 connections, a request of 100 octets and an
 *                                 answer of 1,000 on each, then ten minutes of
 *                                 rest
 *
 * Prints JSON: octets of the accepting stack's `mem` per connection, the same
 * of the connecting one, those of libcrypto (both ends' divided by two), and
 * how often a timer fired or a packet left while all of them rested.
 */
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack/base/rng.h"
#include "stack/sock/stack.h"
#include "tests/lib/wirepkt.h"

#define PORT      7000
#define PER_PORT  20000u
#define REQUEST   100u
#define ANSWER    1000u
#define BATCH     64u
#define REST      (600 * NANOS_S)

struct wire {
	struct pkt *p;
	struct wire *next;
};

struct end {
	struct mem mem;
	struct env env;
	struct rng rng;
	struct stack *s;
	struct wire *in, **in_tail; /* packets on their way here */
	struct sock *listener[16];
};

static struct end end[2]; /* 0 connects, 1 accepts */
static struct instant now = { NANOS_S };
static uint64_t crypto_used, packets, answered, accepted_n;

/* --- memory --------------------------------------------------------------- */

#define SIZES 65536u
static int32_t pieces[SIZES]; /* of the accepting stack, by size */

static void *take(void *ctx, size_t n)
{
	if (ctx == &end[1] && n < SIZES) {
		pieces[n]++;
	}
	return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
	if (ctx == &end[1] && n < SIZES) {
		pieces[n]--;
	}
	free(p);
}

/* what the sum consists of */
static void show_pieces(unsigned n)
{
	const char *comma = "";

	printf("\"pieces\": {");
	for (unsigned i = 0; i < SIZES; i++) {
		if (2 * pieces[i] > (int32_t)n) {
			printf("%s\"%u\": %.1f", comma, i,
			       (double)pieces[i] / n);
			comma = ", ";
		}
	}
	printf("}, ");
}

static void *crypto_take(size_t n, const char *file, int line)
{
	void *p = malloc(n);

	(void)file;
	(void)line;
	crypto_used += malloc_usable_size(p);
	return p;
}

static void crypto_give(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	crypto_used -= p ? malloc_usable_size(p) : 0;
	free(p);
}

static void *crypto_again(void *p, size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	crypto_used -= p ? malloc_usable_size(p) : 0;
	p = realloc(p, n);
	crypto_used += p ? malloc_usable_size(p) : 0;
	return p;
}

static void fill(void *ctx, void *buf, size_t n)
{
	rng_fill(ctx, buf, n);
}

/* --- two hosts and a wire -------------------------------------------------- */

static void fatal(const char *what)
{
	fprintf(stderr, "idle: %s\n", what);
	exit(1);
}

static void start(struct end *e, unsigned nr, const struct stack_cfg *cfg)
{
	struct ip_path path = { .up = true, .csum_offload = true, .gso = true,
				.mtu = 1500, .n_addr = 1, .name = "p" };

	path.addr[0] = addr_v4(10, 0, 0, (uint8_t)(1 + nr));
	path.bits[0] = 24;
	rng_seed(&e->rng, 7 + nr);
	e->mem = (struct mem){ .alloc = take, .release = give,
			       .ctx = e, .limit = UINT64_MAX };
	e->env = (struct env){ .mem = &e->mem, .entropy = { fill, &e->rng } };
	e->in_tail = &e->in;
	e->s = stack_new(&e->env, cfg, now);
	if (!e->s || stack_path_add(e->s, now, &path) != 0) {
		fatal("no stack");
	}
}

static void emit(void *ctx, struct pkt *p)
{
	struct end *to = ctx;
	struct wire *w = malloc(sizeof(*w));

	p->dev = 0;
	*w = (struct wire){ .p = p };
	*to->in_tail = w;
	to->in_tail = &w->next;
	packets++;
}

static void read_all(struct sock *sk)
{
	struct iov v[8];
	uint64_t n = sock_read_len(sk);

	while (sock_read_vec(sk, v, 8) > 0) {
		sock_read_done(sk, now, v[0].n);
	}
	answered += n;
}

static void write_all(struct sock *sk, uint32_t n)
{
	struct iov_mut v[2];
	unsigned k = sock_write_vec(sk, n, v);

	for (unsigned i = 0; i < k; i++) {
		memset(v[i].p, 'x', v[i].n);
	}
	sock_write_done(sk, now, n);
}

static void events(struct end *e)
{
	struct stack_event ev;
	struct sock *sk;

	while (stack_event(e->s, &ev)) {
		if (ev.bits & SOCK_EV_CLOSED) {
			fatal("a connection ended");
		}
		if (ev.bits & SOCK_EV_ACCEPT) {
			while ((sk = sock_accept(ev.sk, now)) != NULL) {
				accepted_n++;
			}
		}
		if (ev.bits & SOCK_EV_CONNECTED) {
			write_all(ev.sk, REQUEST);
		}
		if ((ev.bits & SOCK_EV_READ) && sock_read_len(ev.sk) > 0) {
			read_all(ev.sk);
			if (e == &end[1]) {
				write_all(ev.sk, ANSWER);
			}
		}
	}
}

static bool turn(struct end *e, struct end *peer)
{
	struct wire *w = e->in;
	struct pkt_out out[16];
	bool busy = w != NULL;
	unsigned n;

	e->in = NULL;
	e->in_tail = &e->in;
	while (w) {
		struct wire *next = w->next;

		stack_input(e->s, now, w->p);
		free(w);
		w = next;
	}
	events(e);
	do {
		n = stack_output(e->s, now, out, 16);
		for (unsigned i = 0; i < n; i++) {
			wirepkt_split(&out[i], 0, emit, peer);
			busy = true;
		}
	} while (n == 16);
	return busy || stack_wants_output(e->s);
}

/* everything that happens until `until`; timers that fired */
static uint64_t run(struct instant until)
{
	uint64_t fired = 0;

	for (;;) {
		struct instant next;

		while (turn(&end[0], &end[1]) | turn(&end[1], &end[0])) {
			now = instant_add(now, 100 * NANOS_US);
		}
		next = instant_min(stack_deadline(end[0].s),
				   stack_deadline(end[1].s));
		if (instant_before(until, next)) {
			now = until;
			return fired;
		}
		if (instant_before(now, next)) {
			now = next;
		}
		stack_tick(end[0].s, now);
		stack_tick(end[1].s, now);
		fired++;
	}
}

static void listen_all(unsigned n)
{
	for (unsigned i = 0; i * PER_PORT < n; i++) {
		struct endpoint ep = endpoint_make(addr_v4(10, 0, 0, 2),
						   (uint16_t)(PORT + i));
		struct sock *l = sock_open(end[1].s, 4);

		if (i >= 16 || !l || sock_bind(l, &ep) ||
		    sock_listen(l, now, 4096)) {
			fatal("cannot listen");
		}
		end[1].listener[i] = l;
	}
}

static void connect_all(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct endpoint ep =
			endpoint_make(addr_v4(10, 0, 0, 2),
				      (uint16_t)(PORT + i / PER_PORT));
		struct sock *sk = sock_open(end[0].s, 4);

		if (!sk || sock_connect(sk, now, &ep) != 115) {
			fatal("cannot connect");
		}
		if (i % BATCH == BATCH - 1) {
			run(instant_add(now, NANOS_MS));
		}
	}
	run(instant_add(now, 60 * NANOS_S));
}

int main(int argc, char **argv)
{
	unsigned n = argc == 3 ? (unsigned)atoi(argv[1]) : 0;
	struct stack_cfg cfg = { .socks_max = n + 16 };
	uint64_t used[2], crypto, fired, sent;

	if (!n || n > 16 * PER_PORT) {
		fprintf(stderr, "usage: idle N plain|mptcp|sealed\n");
		return 2;
	}
	CRYPTO_set_mem_functions(crypto_take, crypto_again, crypto_give);
	cfg.mp.policy = strcmp(argv[2], "plain") == 0 ? MP_OFF : MP_REQUIRE;
	cfg.mp.crypt_policy = strcmp(argv[2], "sealed") == 0 ?
				      MP_CRYPT_REQUIRE :
				      MP_CRYPT_OFF;
	start(&end[0], 0, &cfg);
	start(&end[1], 1, &cfg);
	listen_all(n);
	run(now);
	used[0] = end[0].mem.used;
	used[1] = end[1].mem.used;
	crypto = crypto_used;
	connect_all(n);
	if (answered != (uint64_t)n * (REQUEST + ANSWER) || accepted_n != n) {
		fatal("not every request was answered");
	}
	sent = packets;
	fired = run(instant_add(now, REST));
	printf("{");
	show_pieces(n);
	printf("\"connections\": %u, \"accepted\": %.0f, \"connecting\": %.0f, "
	       "\"libcrypto\": %.0f, \"timers\": %llu, \"packets\": %llu}\n",
	       n, (double)(end[1].mem.used - used[1]) / n,
	       (double)(end[0].mem.used - used[0]) / n,
	       (double)(crypto_used - crypto) / n / 2,
	       (unsigned long long)fired, (unsigned long long)(packets - sent));
	fflush(stdout);
	_exit(0);
}
