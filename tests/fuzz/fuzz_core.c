/* fuzz_core.c - the whole core: two stacks whose packets are delivered, lost,
 * doubled, altered and forged, and programs that call in between, all chosen by
 * the input (the world of tests/unit/sock/hostile.h)
 *
 * The first octet says how the run begins, the second how many connections are
 * set up before anything goes wrong, three more how the stacks are configured.
 * The others are choices, each as many octets as it needs.  When they have run
 * out everybody closes, and then nothing may be left.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/core.h"

static struct input in;

/* uneven, which does not matter; behind the input a fixed sequence, so that a
 * loop that waits for luck ends */
static uint64_t choose(uint64_t n)
{
	uint64_t v = 0;

	if (in.n == 0) {
		return rng_below(&w.rng, n);
	}
	for (uint64_t rest = n - 1; rest; rest >>= 8) {
		v = v << 8 | in_u8(&in);
	}
	return n ? v % n : v;
}

static void all_arrives(void)
{
	unsigned to, turns = 0;
	struct pkt *p;

	drain();
	while (w.n_wire && ++turns < 500) {
		p = take(0, &to);
		input(to, p);
		drain();
	}
}

static void connect_some(unsigned n)
{
	struct end *a = &w.end[0], *b = &w.end[1];

	for (unsigned i = 1; i <= n; i++) {
		struct endpoint to = endpoint_make(
			i & 2 ? b->a6[i % PATHS] : b->a[i % PATHS], 81);

		a->sk[i] = sock_open(a->s, i & 2 ? 6 : 4);
		must(a->sk[i]);
		sock_connect(a->sk[i], w.now, &to);
		all_arrives();
		b->sk[i] = sock_accept(b->sk[0], w.now);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	unsigned how, conns;

	in = (struct input){ data, n };
	how = in_u8(&in);
	conns = in_u8(&in);
	for (unsigned i = 0; i < sizeof(core_how); i++) {
		core_how[i] = (uint8_t)in_u8(&in);
	}
	w.hash = hash_new();
	must(w.hash);
	w.choose = choose;
	w.configure = core_configure;
	w.crypt = (enum mp_crypt_policy)(how >> 5 & 3);
	begin((how & 31) | (core_fastopen() ? 32 : 0));
	connect_some(conns & 3);
	while (in.n) {
		if (in_u8(&in) & 1) {
			core_step();
		} else {
			step();
		}
	}
	end_all();
	for (unsigned i = 0; i < 2; i++) {
		must(stack_conns(w.end[i].s) == 0);
		must(stack_owing(w.end[i].s) == 0);
		must(w.end[i].s->mp->n_half_open == 0);
		stack_free(w.end[i].s);
		fake_fini(&w.end[i].fake);
	}
	hash_free(w.hash);
	return 0;
}
