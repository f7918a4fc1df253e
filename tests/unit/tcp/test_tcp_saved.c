/* TCP_SAVE_SYN: what is kept of a SYN, how much, and who owns it */
#include "tests/unit/tcp/pair_one.h"

static int setup(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	p.end[1].conf.save_syn = true;
	pair_start(&p);
	return 0;
}

static void test_headers(void **state)
{
	struct mem *mem;
	struct tcp_saved *s;

	(void)state;
	pair_connect(&p);
	assert_true(pair_run(&p, NANOS_S, pair_established));
	mem = p.end[1].tcp->env->mem;
	s = tcp_take_syn(p.end[1].conn.tcb);
	assert_non_null(s);
	assert_int_equal(s->octets[0] >> 4, 4);
	assert_int_equal(be16_get(s->octets + 2), s->len); /* no data */
	assert_int_equal(s->octets[33], TCP_SYN);
	assert_null(tcp_take_syn(p.end[1].conn.tcb));
	tcp_saved_free(mem, &s);
	assert_null(s);
	tcp_saved_free(mem, &s);
	assert_null(tcp_take_syn(p.end[0].conn.tcb)); /* it sent one */
}

/* pair_stop() looks whether memory is left */
static void test_untaken_is_freed(void **state)
{
	(void)state;
	pair_connect(&p);
	assert_true(pair_run(&p, NANOS_S, pair_established));
	assert_non_null(p.end[1].conn.tcb->saved);
}

static void test_bounded(void **state)
{
	static uint8_t octets[1000];
	struct pkt pkt = { .data = octets, .len = sizeof(octets) };
	struct tcp_seg seg = { .pkt = &pkt };
	struct mem *mem = p.end[1].tcp->env->mem;
	struct tcp_saved *s;

	(void)state;
	seg.data = octets + TCP_SAVED_MAX;
	s = tcp_saved_make(mem, &seg);
	assert_non_null(s);
	assert_int_equal(s->len, TCP_SAVED_MAX);
	tcp_saved_free(mem, &s);
	seg.data++;
	assert_null(tcp_saved_make(mem, &seg));
	seg.pkt = NULL; /* as a SYN cookie brings it back */
	assert_null(tcp_saved_make(mem, &seg));
	seg.pkt = &pkt;
	seg.data = octets + 40;
	p.end[1].fake.fail_at = 1;
	assert_null(tcp_saved_make(mem, &seg));
	p.end[1].fake.fail_at = 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, close_pair)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_headers),
		T(test_untaken_is_freed),
		T(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
