/* RFC 6937 3: what may be sent in recovery, per ACK */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/tcp/tcp_prr.h"

#define MSS 1000u

static struct tcp_prr p;

/* The first answer to a loss is the retransmission, whatever the numbers. */
static void at_least_the_retransmission(void **state)
{
	(void)state;
	tcp_prr_begin(&p, 20 * MSS);
	tcp_prr_ack(&p, 0, 20 * MSS, 10 * MSS, MSS, false);
	assert_int_equal(p.quota, MSS);
	tcp_prr_sent(&p, MSS);
	assert_int_equal(p.quota, 0);
	tcp_prr_ack(&p, 0, 20 * MSS, 10 * MSS, MSS, false);
	assert_int_equal(p.quota, 0);
}

/* RFC 6937 4's first example: one loss of 20, ssthresh 10: the octets sent are
 * half of those delivered, evenly, and pipe ends at ssthresh. */
static void proportional(void **state)
{
	uint32_t pipe = 20 * MSS, sent = 0;

	(void)state;
	tcp_prr_begin(&p, 20 * MSS);
	pipe -= MSS; /* the lost one */
	for (unsigned i = 0; i < 19; i++) {
		uint32_t n;

		pipe -= MSS;
		tcp_prr_ack(&p, MSS, pipe, 10 * MSS, MSS, false);
		n = p.quota / MSS * MSS;
		assert_true(n <= MSS);
		tcp_prr_sent(&p, n);
		sent += n;
		pipe += n;
		assert_in_range(2 * sent + 2 * MSS, (i + 1) * MSS,
				(i + 5) * MSS);
	}
	assert_in_range(pipe, 9 * MSS, 10 * MSS);
}

/* Pipe has fallen below ssthresh (burst loss): as much as was delivered, and
 * one segment more only while una moves and nothing more is lost. */
static void reduction_bound(void **state)
{
	(void)state;
	tcp_prr_begin(&p, 20 * MSS);
	tcp_prr_ack(&p, MSS, 4 * MSS, 10 * MSS, MSS, false);
	assert_int_equal(p.quota, MSS);
	tcp_prr_sent(&p, MSS);
	tcp_prr_ack(&p, MSS, 4 * MSS, 10 * MSS, MSS, true);
	assert_int_equal(p.quota, 2 * MSS);
	tcp_prr_sent(&p, 2 * MSS);
	tcp_prr_ack(&p, MSS, 4 * MSS, 10 * MSS, MSS, false);
	assert_int_equal(p.quota, MSS); /* no more than is delivered now */
	/* never above ssthresh */
	tcp_prr_ack(&p, 10 * MSS, 9 * MSS, 10 * MSS, MSS, true);
	assert_int_equal(p.quota, MSS);
	tcp_prr_ack(&p, 10 * MSS, 10 * MSS, 10 * MSS, MSS, true);
	assert_int_equal(p.quota, 0);
}

/* nothing outstanding as recovery begins cannot divide by nothing */
static void empty(void **state)
{
	(void)state;
	tcp_prr_begin(&p, 0);
	tcp_prr_ack(&p, 5, 10, 2, MSS, false);
	assert_true(p.quota >= MSS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_least_the_retransmission),
		cmocka_unit_test(proportional),
		cmocka_unit_test(reduction_bound),
		cmocka_unit_test(empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
