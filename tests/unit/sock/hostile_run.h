/* hostile_run.h - programs that call in any order, the steps of a run, its
 * beginning and its end; of test_hostile.c and of the fuzz target "core"
 */
#ifndef TESTS_UNIT_SOCK_HOSTILE_RUN_H
#define TESTS_UNIT_SOCK_HOSTILE_RUN_H

#include "tests/unit/sock/hostile.h"

/* --- programs ------------------------------------------------------------------- */

static void prog_option(struct sock *sk)
{
	static const int levels[] = { 1, 6, 0, 41, 284, 77 };
	int level = levels[rnd(ARRAY_SIZE(levels))], name = (int)rnd(60);
	uint32_t len = pct(50) ? (uint32_t)rnd(20) : 4 + (uint32_t)rnd(2) * 4;
	uint8_t got[400];
	int v[8] = { 0 };

	v[0] = pct(50)   ? (int)rnd(3)
	       : pct(50) ? (int)rnd(100000)
			 : (int)(uint32_t)rng_u64(&w.rng);
	v[1] = (int)rnd(10);
	if (level == 6 && name == LX_TCP_CONGESTION && pct(50)) {
		memcpy(v, pct(50) ? "cubic" : "reno\0", 6);
	}
	if (pct(70)) {
		sock_setopt(sk, w.now, level, name, v, len);
	} else {
		len = (uint32_t)rnd(sizeof(got));
		sock_getopt(sk, w.now, level, name, got, &len);
	}
}

static void prog_write(struct sock *sk)
{
	struct iov_mut v[2];
	unsigned n =
		sock_write_vec(sk, (uint32_t)rnd(pct(50) ? 100 : 200000), v);
	uint32_t all = 0;

	for (unsigned i = 0; i < n; i++) {
		memset(v[i].p, 'x', v[i].n);
		all += (uint32_t)v[i].n;
	}
	sock_write_done(sk, w.now, n ? (uint32_t)rnd(all + 1) : 0);
}

static void prog_read(struct sock *sk)
{
	struct iov v[16];
	unsigned n = sock_read_vec(sk, v, ARRAY_SIZE(v));
	uint64_t all = 0;
	volatile uint8_t last;

	for (unsigned i = 0; i < n; i++) {
		all += v[i].n;
		last = v[i].p[0];
		last = v[i].p[v[i].n - 1];
		(void)last;
	}
	sock_read_done(sk, w.now, pct(50) ? all : rnd(all + 1));
	if (pct(20)) {
		sock_read_held(sk, w.now, (uint32_t)rnd(100000));
	}
}

static void prog_accept(struct end *e, struct sock *l)
{
	struct sock *sk = sock_accept(l, w.now);
	unsigned i = 0;

	while (sk && i < SOCKS && e->sk[i]) {
		i++;
	}
	if (sk && i < SOCKS) {
		e->sk[i] = sk;
	} else if (sk && pct(50)) {
		sock_unaccept(l, sk);
	} else if (sk) {
		sock_close(sk, w.now, pct(50));
	}
}

static void prog_name(struct end *e, struct sock *sk)
{
	const struct end *peer = &w.end[e == &w.end[0]];
	struct endpoint ep;

	if (pct(30)) {
		ep = endpoint_make(pct(50) ? addr_any(sk->family)
					   : e->a[rnd(PATHS)],
				   (uint16_t)(pct(50) ? 80 + rnd(3) : 0));
		sock_bind(sk, &ep);
	} else if (pct(20)) {
		sock_listen(sk, w.now, (unsigned)rnd(6));
	} else {
		ep = endpoint_make(pct(70) ? peer->a[rnd(PATHS)]
					   : peer->a6[rnd(PATHS)],
				   (uint16_t)(80 + rnd(3)));
		sock_connect(sk, w.now, &ep);
	}
}

static void prog_end(struct sock **sk)
{
	if (pct(30)) {
		sock_close(*sk, w.now, pct(30));
		*sk = NULL;
	} else if (pct(20)) {
		sock_shutdown_write(*sk, w.now);
	} else if (pct(8)) {
		sock_shutdown_read(*sk, w.now);
	}
}

static void prog_ask(struct sock *sk)
{
	struct endpoint ep;
	struct mp_info i;

	sock_info(sk, &i);
	sock_local(sk, &ep);
	sock_remote(sk, &ep);
	sock_error(sk);
	sock_outq(sk);
	sock_urgent(sk, w.now);
}

static void program(void)
{
	struct end *e = &w.end[rnd(2)];
	struct sock **sk = &e->sk[rnd(SOCKS)];

	if (!*sk) {
		*sk = sock_open(e->s, pct(70) ? 4 : 6);
		return;
	}
	switch (rnd(16)) {
	case 0:
	case 1:
	case 2:
	case 3:
		prog_name(e, *sk);
		break;
	case 4:
	case 5:
		prog_accept(e, *sk);
		break;
	case 6:
	case 7:
	case 8:
		prog_write(*sk);
		break;
	case 9:
	case 10:
		prog_read(*sk);
		break;
	case 11:
	case 12:
		prog_end(sk);
		break;
	case 13:
		prog_ask(*sk);
		break;
	default:
		prog_option(*sk);
		break;
	}
}

/* --- a run ------------------------------------------------------------------------ */

static struct instant deadline(void)
{
	return instant_min(stack_deadline(w.end[0].s),
			   stack_deadline(w.end[1].s));
}

static void tick(struct instant at)
{
	w.now = instant_before(at, w.now) ? w.now : at;
	stack_tick(w.end[0].s, w.now);
	stack_tick(w.end[1].s, w.now);
}

static void step(void)
{
	unsigned k = (unsigned)rnd(100), e = (unsigned)rnd(2);
	nanos most = pct(70)   ? 5 * NANOS_MS
		     : pct(80) ? 300 * NANOS_MS
			       : 20 * NANOS_S;

	if (k < 45) {
		deliver();
	} else if (k < (w.manner == 3 ? 49u : 62u)) {
		forge();
	} else if (k < 82) {
		program();
	} else if (k < 98) {
		tick(instant_min(deadline(),
				 instant_add(w.now,
					     (nanos)rnd((uint64_t)most))));
	} else if (k < 99) {
		if (pct(50)) {
			stack_path_set_up(w.end[e].s, w.now,
					  (unsigned)rnd(PATHS), pct(70));
		} else {
			stack_path_set_backup(w.end[e].s, w.now,
					      (unsigned)rnd(PATHS), pct(50));
		}
	} else if (pct(10)) {
		w.end[e].fake.fail_at = 1 + rnd(50);
	}
	drain();
}

static void begin_paths(unsigned i, bool gso)
{
	struct end *e = &w.end[i];

	for (unsigned k = 0; k < PATHS; k++) {
		uint8_t six[16] = { 0x20, 1,          0xd, 0xb8,
				    0,    (uint8_t)k, 0,   (uint8_t)i };
		struct ip_path p = { .up = true,
				     .backup = pct(20),
				     .gso = gso,
				     .csum_offload = gso,
				     .mtu = 1500,
				     .n_addr = 2 };

		six[15] = 1;
		p.mtu = (uint16_t)(pct(80) ? 1500 : 1280 + rnd(8000));
		p.addr[0] = e->a[k] = addr_v4(10, (uint8_t)k, (uint8_t)i, 1);
		p.bits[0] = 24;
		p.addr[1] = e->a6[k] = addr_from(6, six);
		p.bits[1] = 64;
		assert_int_equal(stack_path_add(e->s, w.now, &p), k);
	}
}

static void begin(uint64_t seed)
{
	bool csum, gso;
	int tfo;

	rng_seed(&w.rng, seed);
	w.seed = seed;
	w.manner = seed & 3;
	w.now = (struct instant){ (int64_t)(1 + rnd(1000)) * NANOS_S };
	w.n_wire = 0;
	w.cut = false;
	tfo = seed >> 5 & 1 ? 3 : 0;
	csum = pct(30);
	gso = pct(50);
	for (unsigned i = 0; i < 2; i++) {
		struct end *e = &w.end[i];
		struct endpoint ep =
			endpoint_make(addr_any(6), (uint16_t)(80 + i));
		struct stack_cfg cfg = {
			.mp = { .policy = pct(90)   ? MP_PREFER
					  : pct(50) ? MP_OFF
						    : MP_REQUIRE,
				.checksum = csum,
				.subflows_max = (uint8_t)(1 + rnd(8)),
				.announce = pct(60),
				.server_joins = pct(40),
				.crypt_policy = w.crypt,
				.close_timeout = 60 * NANOS_S },
			/* not drawn: what an input means stays as it is */
			.cookies = seed >> 3 & 3 ? STACK_COOKIES_AUTO :
						   STACK_COOKIES_ALWAYS,
			.socks_max = 64
		};

		if (w.configure) {
			w.configure(i, &cfg);
		}
		memset(e, 0, sizeof(*e));
		fake_init(&e->fake, 2 * seed + i);
		e->fake.mem.limit = 200u << 20;
		e->s = stack_new(&e->fake.env, &cfg, w.now);
		assert_non_null(e->s);
		begin_paths(i, gso);
		e->sk[0] = sock_open(e->s, 6); /* somebody to talk to */
		sock_bind(e->sk[0], &ep);
		sock_setopt(e->sk[0], w.now, LX_IPPROTO_TCP, LX_TCP_FASTOPEN,
			    &tfo, sizeof(tfo));
		sock_listen(e->sk[0], w.now, 10);
	}
}

/* Everybody closes; the path is good again, or gone.  What is left then ends
 * by itself. */
static void end_all(void)
{
	struct instant until = instant_add(w.now, ENDS_IN), second = w.now;
	unsigned turns = 0, to;
	struct pkt *p;

	w.cut = pct(70);
	for (unsigned i = 0; i < 2 * SOCKS; i++) {
		struct sock **sk = &w.end[i / SOCKS].sk[i % SOCKS];

		w.end[i / SOCKS].fake.fail_at = 0;
		if (*sk) {
			sock_close(*sk, w.now, false);
			*sk = NULL;
		}
	}
	while (instant_before(w.now, until)) {
		drain();
		while (w.n_wire) {
			p = take(0, &to);
			input(to, p);
			drain();
		}
		if (instant_never(deadline())) {
			break;
		}
		tick(deadline());
		if (instant_since(w.now, second) > NANOS_S) {
			second = w.now;
			turns = 0;
		}
		assert_true(++turns < TURNS);
	}
}

#endif
