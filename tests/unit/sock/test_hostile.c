/* A peer that knows every key and every number, and keeps no rule; a path that
 * loses, doubles, reorders and alters; programs that call in any order; memory
 * refused now and then.  Nothing of that may crash the stack, make it spin, or
 * leave something behind once the programs have closed.
 *
 * One seed replays a run:  HOSTILE=seed[,runs[,steps]] build/unit/sock/test_hostile
 */
#include "tests/unit/sock/hostile_run.h"

static void run(uint64_t seed, unsigned steps)
{
	begin(seed);
	for (unsigned i = 0; i < steps; i++) {
		step();
	}
	end_all();
	for (unsigned i = 0; i < 2; i++) {
		struct stack *s = w.end[i].s;

		assert_int_equal(stack_conns(s), 0);
		assert_int_equal(stack_owing(s), 0);
		assert_int_equal(s->mp->n_half_open, 0);
		stack_free(s);
		fake_fini(&w.end[i].fake);
	}
}

static void test_hostile(void **state)
{
	const char *text = getenv("HOSTILE");
	unsigned long seed = 1, runs = RUNS, steps = STEPS;

	(void)state;
	if (text) {
		runs = 1;
		sscanf(text, "%lu,%lu,%lu", &seed, &runs, &steps);
	}
	w.hash = hash_new();
	for (unsigned long i = 0; i < runs; i++) {
		if (text) {
			fprintf(stderr, "\rseed %lu ", seed + i);
		}
		run(seed + i, (unsigned)steps);
	}
	hash_free(w.hash);
}

/* a failure names the run that shows it */
static void report(int sig)
{
	(void)sig;
	fprintf(stderr, "HOSTILE=%llu\n", (unsigned long long)w.seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile),
	};
	int failed;

	signal(SIGABRT, report);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed) {
		report(0);
	}
	return failed;
}
