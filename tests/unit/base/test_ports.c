/* who has which port: as many pages as there are ports in use */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/ports.h"
#include "stack/base/rng.h"
#include "tests/lib/fake.h"

#define NODES 400

static struct ports_node node[NODES];
static uint16_t at[NODES]; /* of those that are in it */

static unsigned count(const struct ports *p, uint16_t port)
{
	unsigned n = 0;

	for (struct ports_node *k = ports_first(p, port); k; k = k->next) {
		assert_int_equal(at[k - node], port);
		n++;
	}
	return n;
}

static unsigned model(uint16_t port)
{
	unsigned n = 0;

	for (unsigned i = 0; i < NODES; i++) {
		n += node[i].pprev && at[i] == port;
	}
	return n;
}

/* all of them, in the ports' order */
static unsigned walk(const struct ports *p)
{
	struct ports_node *k;
	int64_t before = -1;
	unsigned n = 0;
	uint32_t port = 0;

	while ((k = ports_from(p, &port)) != NULL) {
		assert_true(port > before);
		before = port;
		for (; k; k = k->next) {
			assert_int_equal(at[k - node], port);
			n++;
		}
		port++;
	}
	return n;
}

static void agrees_with_a_model(void **state)
{
	struct ports p;
	struct fake f;
	unsigned n = 0;

	(void)state;
	fake_init(&f, 1);
	ports_init(&p, &f.mem);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t k = (uint32_t)rng_below(&f.rng, NODES);

		if (node[k].pprev) {
			ports_del(&p, &node[k], at[k]);
			ports_del(&p, &node[k], at[k]); /* harmless */
			n--;
		} else {
			at[k] = (uint16_t)(rng_below(&f.rng, 41) * 1637);
			assert_true(ports_add(&p, &node[k], at[k]));
			n++;
		}
		assert_int_equal(count(&p, at[k]), model(at[k]));
		if (i % 100 == 0) {
			assert_int_equal(walk(&p), n);
		}
	}
	for (unsigned i = 0; i < NODES; i++) {
		ports_del(&p, &node[i], at[i]);
	}
	assert_int_equal(walk(&p), 0);
	assert_int_equal(f.mem.used, 0);
	fake_fini(&f);
}

static void memory_is_refused(void **state)
{
	struct ports p;
	struct fake f;
	uint32_t port = 0;

	(void)state;
	fake_init(&f, 1);
	ports_init(&p, &f.mem);
	f.fail_at = 1;
	assert_false(ports_add(&p, &node[0], 65535));
	assert_null(ports_first(&p, 65535));
	assert_true(ports_add(&p, &node[0], 65535));
	assert_ptr_equal(ports_first(&p, 65535), &node[0]);
	assert_null(ports_first(&p, 65534));
	assert_ptr_equal(ports_from(&p, &port), &node[0]);
	assert_int_equal(port, 65535);
	ports_fini(&p); /* whoever is in it */
	node[0] = (struct ports_node){ 0 };
	fake_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(memory_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
