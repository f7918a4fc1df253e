#include "tests/bench/hosts.h"

#include <errno.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/wirepkt.h"

struct wire {
	struct pkt *p;
	struct wire *next;
};

struct hosts hosts = { .now = { NANOS_S } };
static uint64_t crypto_used;

/* --- memory --------------------------------------------------------------- */

#define SIZES 65536u
static int32_t pieces[SIZES]; /* of the accepting stack, by size */

static void *take(void *ctx, size_t n)
{
	if (ctx == &hosts.host[1] && n < SIZES) {
		pieces[n]++;
	}
	return malloc(n);
}

static void give(void *ctx, void *p, size_t n)
{
	if (ctx == &hosts.host[1] && n < SIZES) {
		pieces[n]--;
	}
	free(p);
}

/* what the sum consists of */
void hosts_show_pieces(unsigned n)
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

void hosts_fatal(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void start(struct host *e, unsigned nr, const struct stack_cfg *cfg)
{
	struct ip_path path = { .up = true, .csum_offload = true, .gso = true,
				.mtu = 1500, .n_addr = 1, .name = "p" };

	path.addr[0] = addr_v4(10, 0, 0, (uint8_t)(1 + nr));
	path.bits[0] = 24;
	rng_seed(&e->rng, 7 + nr);
	e->mem = (struct mem){ .alloc = take, .release = give, .ctx = e,
			       .limit = UINT64_MAX };
	e->env = (struct env){ .mem = &e->mem, .entropy = { fill, &e->rng } };
	e->in_tail = &e->in;
	e->s = stack_new(&e->env, cfg, hosts.now);
	if (!e->s || stack_path_add(e->s, hosts.now, &path) != 0) {
		hosts_fatal("no stack");
	}
}

bool hosts_mode(const char *mode)
{
	return strcmp(mode, "plain") == 0 || strcmp(mode, "mptcp") == 0 ||
	       strcmp(mode, "sealed") == 0 || strcmp(mode, "fresh") == 0;
}

void hosts_start(const char *mode, unsigned socks)
{
	struct stack_cfg cfg = { .socks_max = socks };
	bool fresh = strcmp(mode, "fresh") == 0;
	bool sealed = fresh || strcmp(mode, "sealed") == 0;

	CRYPTO_set_mem_functions(crypto_take, crypto_again, crypto_give);
	cfg.mp.policy = strcmp(mode, "plain") == 0 ? MP_OFF : MP_REQUIRE;
	cfg.mp.crypt_policy = sealed ? MP_CRYPT_REQUIRE : MP_CRYPT_OFF;
	crypt_conf_init(&cfg.mp.crypt_conf);
	cfg.mp.crypt_conf.no_resume = fresh;
	start(&hosts.host[0], 0, &cfg);
	start(&hosts.host[1], 1, &cfg);
}

static void emit(void *ctx, struct pkt *p)
{
	struct host *to = ctx;
	struct wire *w = malloc(sizeof(*w));

	p->dev = 0;
	*w = (struct wire){ .p = p };
	*to->in_tail = w;
	to->in_tail = &w->next;
	hosts.packets++;
}

static void read_all(struct sock *sk)
{
	struct iov v[8];
	uint64_t n = sock_read_len(sk);

	while (sock_read_vec(sk, v, 8) > 0) {
		sock_read_done(sk, hosts.now, v[0].n);
	}
	hosts.octets += n;
}

static void write_all(struct sock *sk, uint32_t n)
{
	struct iov_mut v[2];
	unsigned k = sock_write_vec(sk, n, v);

	for (unsigned i = 0; i < k; i++) {
		memset(v[i].p, 'x', v[i].n);
	}
	sock_write_done(sk, hosts.now, n);
}

static void over(struct host *e, struct sock *sk)
{
	if (!hosts.close || sock_error(sk) != 0) {
		hosts_fatal("a connection ended");
	}
	hosts.ended += e == &hosts.host[0];
	sock_close(sk, hosts.now, false);
}

static void event(struct host *e, const struct stack_event *ev)
{
	struct sock *sk = ev->sk;

	if (ev->bits & SOCK_EV_ACCEPT) {
		while (sock_accept(sk, hosts.now) != NULL) {
			hosts.accepted++;
		}
	}
	if (ev->bits & SOCK_EV_CONNECTED) {
		write_all(sk, HOSTS_REQUEST);
	}
	if ((ev->bits & SOCK_EV_READ) && sock_read_len(sk) > 0) {
		read_all(sk);
		if (e == &hosts.host[1]) {
			write_all(sk, HOSTS_ANSWER);
			if (hosts.close) {
				sock_close(sk, hosts.now, false);
				return;
			}
		}
	}
	if ((ev->bits & SOCK_EV_CLOSED) || sock_read_eof(sk)) {
		over(e, sk);
	}
}

static void events(struct host *e)
{
	struct stack_event ev;

	while (stack_event(e->s, &ev)) {
		event(e, &ev);
	}
}

static bool turn(struct host *e, struct host *peer)
{
	struct wire *w = e->in;
	struct pkt_out out[16];
	bool busy = w != NULL;
	unsigned n;

	e->in = NULL;
	e->in_tail = &e->in;
	while (w) {
		struct wire *next = w->next;

		stack_input(e->s, hosts.now, w->p);
		free(w);
		w = next;
	}
	events(e);
	do {
		n = stack_output(e->s, hosts.now, out, 16);
		for (unsigned i = 0; i < n; i++) {
			wirepkt_split(&out[i], 0, emit, peer);
			busy = true;
		}
	} while (n == 16);
	return busy || stack_wants_output(e->s);
}

static bool turn_both(void)
{
	bool busy = turn(&hosts.host[0], &hosts.host[1]);

	return turn(&hosts.host[1], &hosts.host[0]) || busy;
}

/* everything that happens until `until`; timers that fired */
uint64_t hosts_run(struct instant until)
{
	uint64_t fired = 0;

	for (;;) {
		struct instant next;

		while (turn_both()) {
			hosts.now = instant_add(hosts.now, 100 * NANOS_US);
		}
		next = instant_min(stack_deadline(hosts.host[0].s),
				   stack_deadline(hosts.host[1].s));
		if (instant_before(until, next)) {
			hosts.now = until;
			return fired;
		}
		if (instant_before(hosts.now, next)) {
			hosts.now = next;
		}
		stack_tick(hosts.host[0].s, hosts.now);
		stack_tick(hosts.host[1].s, hosts.now);
		fired++;
	}
}

void hosts_listen(unsigned ports)
{
	for (unsigned i = 0; i < ports; i++) {
		struct endpoint ep =
			endpoint_make(addr_v4(10, 0, 0, 2),
				      (uint16_t)(HOSTS_PORT + i));
		struct sock *l = sock_open(hosts.host[1].s, 4);

		if (!l || sock_bind(l, &ep) ||
		    sock_listen(l, hosts.now, 4096)) {
			hosts_fatal("cannot listen");
		}
	}
	hosts_run(hosts.now);
}

void hosts_connect(unsigned port)
{
	struct endpoint ep = endpoint_make(addr_v4(10, 0, 0, 2),
					   (uint16_t)(HOSTS_PORT + port));
	struct sock *sk = sock_open(hosts.host[0].s, 4);

	if (!sk || sock_connect(sk, hosts.now, &ep) != EINPROGRESS) {
		hosts_fatal("cannot connect");
	}
}

uint64_t hosts_crypto_used(void)
{
	return crypto_used;
}
