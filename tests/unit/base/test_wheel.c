#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <stdlib.h>

#include "stack/base/check.h"
#include "stack/base/rng.h"
#include "stack/base/wheel.h"

#define N 64

/* the model: per timer its instant and the order of arming */
struct model {
	struct wheel w;
	struct rng r;

	struct item {
		struct wheel_timer t;
		struct model *m;
		struct instant when;
		uint64_t order;
	} item[N];

	uint64_t order;
	struct instant now;
	/* of the advance under way: what must fire, in this order */
	struct item *due[N];
	unsigned n_due, n_fired, busy_handlers;
};

static void sound(const struct model *m)
{
	uint32_t armed = 0;

	for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
		for (unsigned s = 0; s < WHEEL_SLOTS; s++) {
			assert_int_equal(m->w.busy[l] >> s & 1,
					 !list_empty(&m->w.slot[l][s]));
		}
	}
	for (unsigned i = 0; i < N; i++) {
		const struct item *it = &m->item[i];

		assert_int_equal(it->when.ns, it->t.when.ns);
		assert_int_equal(wheel_armed(&it->t), !instant_never(it->when));
		armed += wheel_armed(&it->t);
	}
	assert_int_equal(m->w.n, armed);
}

static void arm(struct model *m, struct item *it, struct instant when)
{
	it->when = when;
	it->order = ++m->order;
	wheel_arm(&m->w, &it->t, when);
}

/* a handler's re-arming or cancelling takes a timer out of those still due */
static void forget_due(struct model *m, const struct item *it)
{
	for (unsigned i = m->n_fired; i < m->n_due; i++) {
		if (m->due[i] == it) {
			m->due[i] = NULL;
		}
	}
}

static nanos distance(struct rng *r)
{
	static const nanos scale[] = { NANOS_US,
				       WHEEL_TICK,
				       NANOS_MS,
				       NANOS_S,
				       60 * NANOS_S,
				       3600 * NANOS_S,
				       (nanos)86400 * NANOS_S,
				       (nanos)30 * 86400 * NANOS_S };

	return (nanos)rng_below(r, 100) * scale[rng_below(r, 8)] / 7;
}

static void touch(struct model *m)
{
	struct item *it = &m->item[rng_below(&m->r, N)];

	forget_due(m, it);
	switch (rng_below(&m->r, 8)) {
	case 0:
		wheel_cancel(&m->w, &it->t);
		it->when = INSTANT_NEVER;
		break;
	case 1: /* in the past */
		arm(m, it, instant_add(m->now, -distance(&m->r)));
		break;
	case 2: /* with others at the same instant */
		arm(m, it, instant_add(m->now, 5 * WHEEL_TICK));
		break;
	default:
		arm(m, it, instant_add(m->now, distance(&m->r)));
		break;
	}
}

static void fire(struct wheel_timer *t, struct instant now)
{
	struct item *it = container_of(t, struct item, t);
	struct model *m = it->m;

	assert_true(now.ns == m->now.ns);
	while (m->n_fired < m->n_due && !m->due[m->n_fired]) {
		m->n_fired++;
	}
	assert_true(m->n_fired < m->n_due);
	assert_ptr_equal(m->due[m->n_fired], it);
	m->n_fired++;
	assert_true(it->when.ns <= now.ns);
	assert_false(wheel_armed(t));
	it->when = INSTANT_NEVER;
	if (m->busy_handlers) {
		for (uint64_t n = rng_below(&m->r, 3); n > 0; n--) {
			touch(m);
		}
	}
}

static int by_instant(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a;
	const struct item *y = *(struct item *const *)b;

	if (x->when.ns != y->when.ns) {
		return x->when.ns < y->when.ns ? -1 : 1;
	}
	return x->order < y->order ? -1 : 1;
}

static void advance(struct model *m, struct instant now)
{
	int64_t begun = now.ns / WHEEL_TICK * WHEEL_TICK;

	m->now = now;
	m->n_due = m->n_fired = 0;
	for (unsigned i = 0; i < N; i++) {
		if (m->item[i].when.ns <= begun) {
			m->due[m->n_due++] = &m->item[i];
		}
	}
	qsort(m->due, m->n_due, sizeof(m->due[0]), by_instant);
	wheel_advance(&m->w, now);
	while (m->n_fired < m->n_due && !m->due[m->n_fired]) {
		m->n_fired++;
	}
	assert_int_equal(m->n_fired, m->n_due);
	assert_true(m->w.tick == (uint64_t)(now.ns / WHEEL_TICK));
	sound(m);
}

/* never later than the tick in which the first timer is due */
static void deadline_holds(const struct model *m)
{
	struct instant d = wheel_deadline(&m->w), first = INSTANT_NEVER;

	for (unsigned i = 0; i < N; i++) {
		first = instant_min(first, m->item[i].when);
	}
	if (instant_never(first)) {
		assert_true(instant_never(d));
	} else {
		assert_true(d.ns < first.ns + WHEEL_TICK || d.ns <= m->now.ns);
	}
}

static void start(struct model *m, uint64_t seed, struct instant now)
{
	memset(m, 0, sizeof(*m));
	rng_seed(&m->r, seed);
	m->now = now;
	wheel_init(&m->w, now);
	for (unsigned i = 0; i < N; i++) {
		m->item[i].m = m;
		m->item[i].when = INSTANT_NEVER;
		wheel_timer_init(&m->item[i].t, fire);
	}
}

static void run(struct instant begin, unsigned rounds)
{
	static struct model m;

	for (uint64_t seed = 0; seed < rounds; seed++) {
		start(&m, seed, begin);
		m.busy_handlers = seed & 1;
		for (unsigned i = 0; i < 300; i++) {
			for (uint64_t n = rng_below(&m.r, 6); n > 0; n--) {
				touch(&m);
			}
			sound(&m);
			deadline_holds(&m);
			if (rng_below(&m.r, 4) &&
			    !instant_never(wheel_deadline(&m.w))) {
				struct instant d = wheel_deadline(&m.w);

				advance(&m, d.ns > m.now.ns ? d : m.now);
			} else {
				advance(&m, instant_add(m.now, distance(&m.r)));
			}
		}
	}
}

static void agrees_with_a_sorted_model(void **st)
{
	(void)st;
	run((struct instant){ 0 }, 60);
	run((struct instant){ 123456789012345 }, 60);
}

/* where every digit of the tick turns over at once */
static void crosses_the_end_of_its_circle(void **st)
{
	int64_t turn = (int64_t)1 << (WHEEL_BITS * WHEEL_LEVELS);

	(void)st;
	run((struct instant){ (turn - 3) * WHEEL_TICK }, 30);
	run((struct instant){ (7 * turn - 100000) * WHEEL_TICK }, 30);
}

static void waits_beyond_its_circle(void **st)
{
	static struct model m;
	nanos year = (nanos)365 * 86400 * NANOS_S;
	unsigned steps = 0;

	(void)st;
	start(&m, 1, (struct instant){ 17 * NANOS_S });
	arm(&m, &m.item[0], instant_add(m.now, 5 * year + 1));
	arm(&m, &m.item[1], instant_add(m.now, 100 * year));
	while (m.w.n > 0 && steps++ < 2000) {
		advance(&m, wheel_deadline(&m.w));
	}
	assert_int_equal(m.w.n, 0);
	assert_true(m.now.ns >= 17 * NANOS_S + 100 * year);
}

static void count(struct wheel_timer *t, struct instant now)
{
	(void)t;
	(void)now;
}

/* a loop over ticks would need hours for this */
static void jumps_in_constant_time(void **st)
{
	static struct wheel w;
	struct instant now = { 0 };
	struct wheel_timer t;

	(void)st;
	wheel_init(&w, now);
	wheel_timer_init(&t, count);
	for (unsigned i = 0; i < 100000; i++) {
		wheel_arm(&w, &t, instant_add(now, 3600 * NANOS_S));
		now = instant_add(now, 7200 * NANOS_S);
		wheel_advance(&w, now);
		assert_false(wheel_armed(&t));
	}
}

static struct wheel again_wheel;
static unsigned again_n;

static void again(struct wheel_timer *t, struct instant now)
{
	again_n++;
	wheel_arm(&again_wheel, t, now);
}

/* a handler that is always due again must not hold up the caller */
static void rearming_at_once_waits_for_the_next_advance(void **st)
{
	struct instant now = { 5 * NANOS_S + 1 };
	struct wheel_timer t;

	(void)st;
	wheel_init(&again_wheel, now);
	wheel_timer_init(&t, again);
	wheel_arm(&again_wheel, &t, (struct instant){ 1 });
	for (unsigned i = 1; i < 5; i++) {
		wheel_advance(&again_wheel, instant_add(now, i * NANOS_S));
		assert_int_equal(again_n, i);
	}
	wheel_cancel(&again_wheel, &t);
	assert_true(instant_never(wheel_deadline(&again_wheel)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_sorted_model),
		cmocka_unit_test(crosses_the_end_of_its_circle),
		cmocka_unit_test(waits_beyond_its_circle),
		cmocka_unit_test(jumps_in_constant_time),
		cmocka_unit_test(rearming_at_once_waits_for_the_next_advance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
