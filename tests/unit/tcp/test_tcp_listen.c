/* Segments for no connection (RFC 9293 3.10.7.1, 3.10.7.2) */
#include "tests/unit/tcp/pair_one.h"

#include <errno.h>

static struct tcp_seg seg;
static struct pkt_out out;
static unsigned joins;
static bool join_takes;

static int setup(void **state)
{
	(void)state;
	pair_defaults(&p, 1);
	pair_start(&p);
	pair_connect(&p);
	p.end[1].refuse = true;
	seg = (struct tcp_seg){ .flags = TCP_SYN, .seq = 100, .ack = 200 };
	seg.t.local = endpoint_make(p.end[1].addr, 80);
	seg.t.remote = endpoint_make(p.end[0].addr, 5000);
	joins = 0;
	join_takes = false;
	return 0;
}

static bool join(void *ctx, struct instant now, const struct tcp_seg *syn)
{
	(void)now;
	assert_ptr_equal(ctx, &joins);
	assert_ptr_equal(syn, &seg);
	joins++;
	if (join_takes) {
		static const uint8_t opt[4] = { 30, 4, 0x80, 1 };

		tcp_reset_seg(p.end[1].tcp, syn, opt, sizeof(opt));
	}
	return join_takes;
}

/* number of segments sent in answer; the last one's flags in *flags */
static unsigned answers(uint8_t *flags)
{
	unsigned n = 0;

	tcp_input(p.end[1].tcp, p.now, &seg, join, &joins);
	for (; tcp_output(p.end[1].tcp, p.now, &out); n++) {
		*flags = out.hdr[IP4_HDR_LEN + 13];
	}
	return n;
}

/* a SYN that the listener does not take is ignored, not refused */
static void test_ignored(void **state)
{
	uint8_t f;

	(void)state;
	assert_int_equal(answers(&f), 0);
	assert_int_equal(joins, 1);
	assert_int_equal(count(1, TCP_DROP_BACKLOG), 1);
}

static void test_accepted(void **state)
{
	uint8_t f = 0;

	(void)state;
	p.end[1].refuse = false;
	assert_int_equal(answers(&f), 1);
	assert_int_equal(f, TCP_SYN | TCP_ACK);
	assert_int_equal(count(1, TCP_PASSIVE_OPENS), 1);
}

static void test_no_listener(void **state)
{
	uint8_t f = 0;

	(void)state;
	seg.t.local.port = 81;
	assert_int_equal(answers(&f), 1);
	assert_int_equal(f, TCP_RST | TCP_ACK);
	assert_int_equal(be32_get(out.hdr + IP4_HDR_LEN + 8), 101);
	assert_int_equal(count(1, TCP_DROP_NO_CONN), 1);
	assert_int_equal(count(1, TCP_OUT_RSTS), 1);
}

static void test_others(void **state)
{
	uint8_t f = 0;

	(void)state;
	seg.flags = TCP_ACK; /* to the listener's port */
	assert_int_equal(answers(&f), 1);
	assert_int_equal(f, TCP_RST);
	assert_int_equal(be32_get(out.hdr + IP4_HDR_LEN + 4), 200);
	seg.flags = TCP_SYN | TCP_ACK;
	assert_int_equal(answers(&f), 1);
	assert_int_equal(f, TCP_RST);
	seg.flags = TCP_RST;
	assert_int_equal(answers(&f), 0);
	seg.flags = TCP_SYN | TCP_FIN;
	assert_int_equal(answers(&f), 0);
	assert_int_equal(count(1, TCP_DROP_FLAGS), 1);
	seg.flags = 0; /* RFC 9293 3.10.7.2, fourth */
	assert_int_equal(answers(&f), 0);
	assert_int_equal(count(1, TCP_DROP_FLAGS), 2);
	assert_int_equal(joins, 0);
	seg.t.local.port = 81; /* 3.10.7.1: nobody listens */
	assert_int_equal(answers(&f), 1);
	assert_int_equal(f, TCP_RST | TCP_ACK);
	join_takes = false;
	seg.flags = TCP_SYN | TCP_FIN;
	assert_int_equal(answers(&f), 1);
	assert_int_equal(f, TCP_RST | TCP_ACK);
}

/* the upper takes a SYN by its token, whatever the port */
static void test_join(void **state)
{
	uint8_t f = 0;

	(void)state;
	join_takes = true;
	p.end[1].refuse = false;
	assert_int_equal(answers(&f), 1);
	assert_int_equal(f, TCP_RST | TCP_ACK);
	assert_int_equal(out.hdr_len, IP4_HDR_LEN + TCP_HDR_LEN + 4);
	assert_int_equal(out.hdr[IP4_HDR_LEN + TCP_HDR_LEN], 30);
	assert_int_equal(count(1, TCP_PASSIVE_OPENS), 0);
}

static void test_in_use(void **state)
{
	struct endpoint e = endpoint_make(addr_any(4), 80);
	int err = 0;

	(void)state;
	assert_null(tcp_listen(p.end[1].tcp, &e, false, false, NULL, NULL,
			       &err));
	assert_int_equal(err, EADDRINUSE);
	p.end[1].fake.fail_at = 1;
	assert_null(tcp_listen(p.end[1].tcp, &e, false, false, NULL, NULL,
			       &err));
	assert_int_equal(err, ENOBUFS);
}

/* a SYN that memory does not suffice for is lost, but not without a name */
static void test_no_memory(void **state)
{
	unsigned lost = 0;
	uint8_t f = 0;

	(void)state;
	p.end[1].refuse = false;
	do {
		assert_int_equal(count(1, TCP_DROP_NOMEM), lost);
		p.end[1].fake.fail_at = ++lost;
	} while (!answers(&f));
	assert_int_equal(f, TCP_SYN | TCP_ACK);
	assert_true(lost > 2); /* the connection's, and its port's */
}

/* more resets than the queue holds are counted */
static void test_flood(void **state)
{
	uint8_t f = 0;

	(void)state;
	seg.t.local.port = 81;
	for (unsigned i = 0; i < TCP_RST_QUEUE + 10; i++) {
		tcp_input(p.end[1].tcp, p.now, &seg, NULL, NULL);
	}
	assert_int_equal(count(1, TCP_RST_SKIP), 10);
	assert_int_equal(answers(&f), TCP_RST_QUEUE);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, close_pair)
	const struct CMUnitTest tests[] = {
		T(test_ignored), T(test_accepted), T(test_no_listener),
		T(test_others),	 T(test_join),	   T(test_in_use),
		T(test_no_memory), T(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
