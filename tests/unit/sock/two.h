/* two.h - two whole stacks joined by a perfect wire, in virtual time */
#ifndef TESTS_UNIT_SOCK_TWO_H
#define TESTS_UNIT_SOCK_TWO_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/sock/stack.h"
#include "tests/lib/fake.h"
#include "tests/lib/wirepkt.h"

struct two_end {
	struct fake fake;
	struct stack *stack;
	struct addr addr, addr6;
	unsigned events; /* merged bits of the socket below */
	struct sock *watch;
};

struct two {
	struct two_end end[2]; /* client, server */
	struct instant now;
	bool cut; /* packets are lost */
	/* sees every packet, may change it */
	void (*mbox)(struct pkt *p);
	unsigned packets;
};

static struct two two;
/* of both ends, from the next two_setup() on; off by default */
static enum mp_crypt_policy two_crypt;
static enum mp_policy two_policy = MP_PREFER;

static inline void two_rx(void *ctx, struct pkt *p)
{
	struct two_end *to = ctx;

	two.packets++;
	if (two.cut) {
		pkt_put(p);
		return;
	}
	if (two.mbox) {
		two.mbox(p);
	}
	stack_input(to->stack, two.now, p);
}

static inline unsigned two_move(unsigned from)
{
	struct pkt_out out[4];
	struct two_end *e = &two.end[from];
	struct stack_event ev;
	unsigned n;

	while (stack_event(e->stack, &ev)) {
		if (ev.sk == e->watch) {
			e->events |= ev.bits;
		}
	}
	n = stack_output(e->stack, two.now, out, 4);
	for (unsigned i = 0; i < n; i++) {
		wirepkt_split(&out[i], 0, two_rx, &two.end[!from]);
	}
	return n;
}

/* lets d pass, with all packets and timers */
static inline void two_run(nanos d)
{
	struct instant until = instant_add(two.now, d);

	for (unsigned i = 0; i < 1000000; i++) {
		struct instant a, b;

		if (two_move(0) + two_move(1) > 0) {
			continue;
		}
		a = stack_deadline(two.end[0].stack);
		b = stack_deadline(two.end[1].stack);
		a = instant_min(a, b);
		if (instant_before(until, a)) {
			two.now = until;
			return;
		}
		two.now = instant_before(a, two.now) ? two.now : a;
		stack_tick(two.end[0].stack, two.now);
		stack_tick(two.end[1].stack, two.now);
	}
	fail_msg("time stands still");
}

static inline int two_setup(void **state)
{
	struct stack_cfg cfg = { .mp = { .policy = two_policy,
					 .subflows_max = 8,
					 .announce = true,
					 .scheduler = "minrtt",
					 .close_timeout = 60 * NANOS_S } };

	memset(&two, 0, sizeof(two));
	two.now = (struct instant){ NANOS_S };
	cfg.mp.crypt_policy = two_crypt;
	crypt_conf_init(&cfg.mp.crypt_conf);
	for (unsigned i = 0; i < 2; i++) {
		struct two_end *e = &two.end[i];
		struct ip_path p = { .up = true, .mtu = 1500, .n_addr = 2 };

		fake_init(&e->fake, 7 + i);
		e->stack = stack_new(&e->fake.env, &cfg, two.now);
		assert_non_null(e->stack);
		e->addr = addr_v4(10, 0, (uint8_t)i, 1);
		assert_true(addr_parse(i ? "2001:db8:1::1" : "2001:db8::1",
				       &e->addr6));
		p.addr[0] = e->addr;
		p.bits[0] = 24;
		p.addr[1] = e->addr6;
		p.bits[1] = 64;
		assert_int_equal(stack_path_add(e->stack, two.now, &p), 0);
	}
	*state = &two;
	return 0;
}

static inline int two_teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		stack_free(two.end[i].stack);
		fake_fini(&two.end[i].fake);
	}
	return 0;
}

static inline void two_set(struct sock *sk, int level, int name, int v)
{
	assert_int_equal(sock_setopt(sk, two.now, level, name, &v, sizeof(v)),
			 0);
}

static inline struct sock *two_listen(uint16_t port, unsigned backlog)
{
	struct endpoint e = endpoint_make(addr_any(6), port);
	struct sock *l = sock_open(two.end[1].stack, 6);

	assert_non_null(l);
	assert_int_equal(sock_bind(l, &e), 0);
	assert_int_equal(sock_listen(l, two.now, backlog), 0);
	return l;
}

static inline struct sock *two_connect(uint16_t port)
{
	struct endpoint e = endpoint_make(two.end[1].addr, port);
	struct sock *c = sock_open(two.end[0].stack, 4);

	assert_non_null(c);
	assert_int_equal(sock_connect(c, two.now, &e), 115 /* EINPROGRESS */);
	return c;
}

/* writes all of n octets of 'x' or fails */
static inline void two_write(struct sock *sk, uint32_t n)
{
	struct iov_mut v[2];
	unsigned k = sock_write_vec(sk, n, v);
	uint32_t put = 0;

	assert_true(k > 0);
	for (unsigned i = 0; i < k; i++) {
		for (size_t j = 0; j < v[i].n && put < n; j++, put++) {
			v[i].p[j] = 'x';
		}
	}
	assert_int_equal(put, n);
	sock_write_done(sk, two.now, n);
}

#define TWO_TEST(f) cmocka_unit_test_setup_teardown(f, two_setup, two_teardown)

#endif
