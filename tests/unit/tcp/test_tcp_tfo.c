/* TCP Fast Open (RFC 7413): what is remembered, for how long and how much, and
 * that data of a SYN arrive once, whatever is lost */
#include "tests/unit/tcp/pair_one.h"

#include "stack/tcp/tcp_listen.h"

static const uint8_t cookie[4] = { 1, 2, 3, 4 };

static int setup(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	p.end[0].conf.tfo_connect = true;
	pair_start(&p);
	return 0;
}

static const struct tcp_tfo_known *cache(void)
{
	return &p.end[0].tcp->tfo.known;
}

/* an open to 10.9.x.y, which is gone again if it is not to be held */
static bool held(unsigned to)
{
	struct pair_end *e = &p.end[0];
	struct tcp_open o = { .path = (uint16_t)e->path,
			      .fastopen = true,
			      .conf = { .tfo_connect = true } };
	struct tcb *tcb;
	int err = 0;
	bool yes;

	/* the hooks of the connection that pair has; none is called */
	pair_connect(&p);
	o.upper = e->conn.tcb->upper;
	o.up = &e->conn;
	tcp_abort(e->conn.tcb, p.now);
	e->conn.tcb = NULL;
	tcp_unlisten(p.end[1].tcp, p.end[1].listener);
	p.end[1].listener = NULL;
	o.t.remote = endpoint_make(
		addr_v4(10, 9, (uint8_t)(to >> 8), (uint8_t)to), 80);
	tcb = tcp_connect(e->tcp, p.now, &o, &err);
	assert_non_null(tcb);
	yes = tcp_tfo_holds(tcb);
	tcp_abort(tcb, p.now);
	return yes;
}

/* a cookie of 10.9.x.y, as its SYN-ACK brings it */
static void learn(unsigned to, bool lost)
{
	struct pair_end *e = &p.end[0];
	struct tcp_seg seg = { .flags = TCP_SYN | TCP_ACK };
	struct tcb tcb = { .tcp = e->tcp };
	struct tcp_tfo_conn c = { .quiet = lost };

	tcb.entry.t.local = endpoint_make(e->addr, 1);
	tcb.entry.t.remote = endpoint_make(
		addr_v4(10, 9, (uint8_t)(to >> 8), (uint8_t)to), 80);
	tcb.dead = true; /* only what is remembered matters */
	tcb.tfo = &c;
	seg.opts.has_tfo = true;
	seg.opts.tfo_len = lost ? 0 : sizeof(cookie);
	seg.opts.tfo = cookie;
	seg.ack = tcb.snd.iss + 1;
	tcp_tfo_synack(&tcb, p.now, &seg);
}

static void bounded(void **state)
{
	(void)state;
	assert_false(held(1));
	for (unsigned i = 0; i < 2 * TCP_TFO_CACHE_MAX; i++) {
		learn(i, false);
		assert_true(cache()->map.n <= TCP_TFO_CACHE_MAX);
	}
	assert_int_equal(cache()->map.n, TCP_TFO_CACHE_MAX);
	assert_false(held(TCP_TFO_CACHE_MAX - 1));
	assert_true(held(TCP_TFO_CACHE_MAX));
	assert_true(held(2 * TCP_TFO_CACHE_MAX - 1));
	/* what is heard of again stays */
	learn(TCP_TFO_CACHE_MAX, false);
	learn(5000, false);
	assert_true(held(TCP_TFO_CACHE_MAX));
	assert_false(held(TCP_TFO_CACHE_MAX + 1));
}

static void quiet(void **state)
{
	nanos wait = TCP_TFO_QUIET;

	(void)state;
	learn(1, false);
	learn(1, true);
	assert_true(held(1)); /* by chance */
	for (unsigned i = 2; i < 15; i++) {
		learn(1, true);
		assert_false(held(1));
		wait = TCP_TFO_QUIET << (i < 10 ? i : 10);
		p.now = instant_add(p.now, wait - 1);
		assert_false(held(1));
		p.now = instant_add(p.now, 1);
		assert_true(held(1));
	}
	learn(1, false);
	learn(1, true);
	assert_true(held(1));
}

/* no memory: as if there were no Fast Open */
static void no_memory(void **state)
{
	(void)state;
	for (unsigned i = 1; i < 4; i++) {
		p.end[0].fake.fail_at = i;
		learn(7, false);
	}
	p.end[0].fake.fail_at = 0;
	learn(7, false);
	assert_true(held(7));
}

/* RFC 9293 3.10.7.3: an ACK of the SYN, and of as much as it had */
static void acceptable(void **state)
{
	struct tcb tcb = { .snd.iss = UINT32_MAX - 3 };
	struct tcp_tfo_conn c = { .sent = 10 };
	uint32_t first = tcb.snd.iss + 1;

	(void)state;
	assert_true(tcp_tfo_acceptable(&tcb, first));
	assert_false(tcp_tfo_acceptable(&tcb, first + 1));
	assert_false(tcp_tfo_acceptable(&tcb, first - 1));
	tcb.tfo = &c;
	assert_true(tcp_tfo_acceptable(&tcb, first));
	assert_true(tcp_tfo_acceptable(&tcb, first + 10));
	assert_false(tcp_tfo_acceptable(&tcb, first + 11));
	assert_false(tcp_tfo_acceptable(&tcb, first - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, close_pair)
		T(bounded), T(quiet), T(no_memory), T(acceptable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
