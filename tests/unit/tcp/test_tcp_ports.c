/* counters per port: as many pages as there are ports in use */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack/base/rng.h"
#include "stack/tcp/tcp_ports.h"
#include "tests/lib/fake.h"

static uint32_t want[65536];

static void agrees_with_a_model(void **state)
{
	struct tcp_ports p;
	struct fake f;

	(void)state;
	fake_init(&f, 1);
	tcp_ports_init(&p, &f.mem);
	for (unsigned i = 0; i < 20000; i++) {
		uint16_t port = (uint16_t)(rng_below(&f.rng, 40) * 1637);

		if (want[port] && rng_below(&f.rng, 2)) {
			tcp_ports_del(&p, port);
			want[port]--;
		} else {
			assert_true(tcp_ports_add(&p, port));
			want[port]++;
		}
		assert_int_equal(tcp_ports_count(&p, port), want[port]);
	}
	for (unsigned port = 0; port < 65536; port++) {
		assert_int_equal(tcp_ports_count(&p, (uint16_t)port),
				 want[port]);
		while (want[port]) {
			tcp_ports_del(&p, (uint16_t)port);
			want[port]--;
		}
	}
	assert_int_equal(f.mem.used, 0);
	fake_fini(&f);
}

static void memory_is_refused(void **state)
{
	struct tcp_ports p;
	struct fake f;

	(void)state;
	fake_init(&f, 1);
	tcp_ports_init(&p, &f.mem);
	f.fail_at = 1;
	assert_false(tcp_ports_add(&p, 65535));
	assert_int_equal(tcp_ports_count(&p, 65535), 0);
	assert_true(tcp_ports_add(&p, 65535));
	assert_int_equal(tcp_ports_count(&p, 65535), 1);
	assert_int_equal(tcp_ports_count(&p, 65534), 0);
	tcp_ports_fini(&p); /* whatever is counted */
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
