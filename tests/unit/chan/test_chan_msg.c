#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/chan/chan_early.h"
#include "stack/chan/chan_msg.h"

static const struct chan_run run = { 5, { 1, 2, 3 } };
static const struct chan_name sock = { .kind = CHAN_KIND_SOCK,
				       .family = 4,
				       .id = 77 };

static void a_made_request_is_good(void **st)
{
	struct chan_req q;

	(void)st;
	for (int op = CHAN_OP_CONNECT; op <= CHAN_OP_BEGIN; op++) {
		chan_req_init(&q, &run, (enum chan_op)op, &sock);
		assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
				 CHAN_GOOD);
		assert_true(q.id == 77 && q.kind == CHAN_KIND_SOCK);
		assert_string_not_equal(chan_op_name((unsigned)op), "?");
	}
	chan_req_init(&q, &run, CHAN_OP_HELLO, NULL);
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_GOOD);
	assert_string_equal(chan_op_name(0), "?");
	assert_string_equal(chan_op_name(CHAN_OP_BEGIN + 1), "?");
}

static void lengths(void **st)
{
	struct chan_req q;
	size_t n;

	(void)st;
	chan_req_init(&q, &run, CHAN_OP_SETSOCKOPT, &sock);
	q.len = 4;
	n = chan_req_size(&q);
	assert_int_equal(n, offsetof(struct chan_req, val) + 4);
	for (size_t i = 0; i < sizeof(q); i++) {
		assert_int_equal(chan_req_check(&q, i, &run),
				 i == n ? CHAN_GOOD : CHAN_BAD_FORMAT);
	}
	q.len = CHAN_VAL_MAX + 1;
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_BAD_FORMAT);
	q.len = UINT32_MAX;
	assert_int_equal(chan_req_check(&q, sizeof(q), &run), CHAN_BAD_FORMAT);
}

static void getsockopt_carries_no_value(void **st)
{
	struct chan_req q;

	(void)st;
	chan_req_init(&q, &run, CHAN_OP_GETSOCKOPT, &sock);
	q.len = 100000; /* the caller's buffer */
	assert_int_equal(chan_req_size(&q), offsetof(struct chan_req, val));
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_GOOD);
}

/* what it counts comes behind it, and is no part of it */
static void begin_counts_what_follows(void **st)
{
	struct chan_req q;

	(void)st;
	chan_req_init(&q, &run, CHAN_OP_BEGIN, &sock);
	q.len = CHAN_STUFF_MAX;
	assert_int_equal(chan_req_size(&q), offsetof(struct chan_req, val));
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_GOOD);
	q.len++;
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_BAD_FORMAT);
	q.len = 1;
	q.kind = CHAN_KIND_CONN;
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_BAD_FORMAT);
}

static void switches_are_two_bits(void **st)
{
	uint32_t word = 0;

	(void)st;
	for (unsigned i = 0; i < CHAN_EARLY_N; i++) {
		assert_false(chan_early_has(word, i));
		word = chan_early_with(word, i, true);
		assert_true(chan_early_has(word, i) && chan_early_on(word, i));
		word = chan_early_with(word, i, i & 1);
		assert_true(chan_early_has(word, i));
		assert_int_equal(chan_early_on(word, i), i & 1);
		assert_int_equal(word & ~CHAN_EARLY_MASK, 0);
	}
	for (unsigned i = 0; i < CHAN_EARLY_N; i++) { /* as they were */
		assert_int_equal(chan_early_on(word, i), i & 1);
	}
}

static void the_secret_decides(void **st)
{
	struct chan_req q;
	uint8_t s[CHAN_SECRET_LEN];

	(void)st;
	for (unsigned i = 0; i < CHAN_SECRET_LEN; i++) {
		chan_req_init(&q, &run, CHAN_OP_NAMES, &sock);
		q.secret[i] ^= 0x80;
		assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
				 CHAN_BAD_SECRET);
		memcpy(s, run.secret, sizeof(s));
		s[i] ^= 1;
		assert_false(chan_secret_eq(s, run.secret));
	}
	assert_true(chan_secret_eq(run.secret, run.secret));
}

static void odd_requests(void **st)
{
	struct chan_req q;

	(void)st;
	chan_req_init(&q, &run, CHAN_OP_NAMES, &sock);
	q.version++;
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_BAD_VERSION);
	chan_req_init(&q, &run, CHAN_OP_NAMES, &sock);
	q.kind = CHAN_KIND_CTL;
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_BAD_FORMAT);
	chan_req_init(&q, &run, CHAN_OP_NAMES, &sock);
	q.family = 5;
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_BAD_FORMAT);
	chan_req_init(&q, &run, (enum chan_op)(CHAN_OP_BEGIN + 1), &sock);
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_BAD_FORMAT);
	chan_req_init(&q, &run, CHAN_OP_NAMES, &sock);
	q.magic ^= 1;
	assert_int_equal(chan_req_check(&q, chan_req_size(&q), &run),
			 CHAN_BAD_FORMAT);
}

static void answers(void **st)
{
	struct chan_rep p = { .magic = CHAN_MSG_MAGIC, .len = 8 };

	(void)st;
	assert_true(chan_rep_ok(&p, chan_rep_size(&p)));
	assert_false(chan_rep_ok(&p, chan_rep_size(&p) - 1));
	p.len = CHAN_VAL_MAX + 100; /* longer than what is shown */
	assert_int_equal(chan_rep_size(&p),
			 offsetof(struct chan_rep, val) + CHAN_VAL_MAX);
	assert_true(chan_rep_ok(&p, chan_rep_size(&p)));
	p.n_opt = CHAN_OPT_REPLAY + 1;
	assert_false(chan_rep_ok(&p, chan_rep_size(&p)));
	p.n_opt = 0;
	p.magic = 0;
	assert_false(chan_rep_ok(&p, chan_rep_size(&p)));
	assert_false(chan_rep_ok(&p, 0));
}

int main(void)
{
	const struct CMUnitTest t[] = {
		cmocka_unit_test(a_made_request_is_good),
		cmocka_unit_test(lengths),
		cmocka_unit_test(getsockopt_carries_no_value),
		cmocka_unit_test(begin_counts_what_follows),
		cmocka_unit_test(switches_are_two_bits),
		cmocka_unit_test(the_secret_decides),
		cmocka_unit_test(odd_requests),
		cmocka_unit_test(answers),
	};

	return cmocka_run_group_tests(t, NULL, NULL);
}
