#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "stack/tcp/tcp_demux.h"
#include "tests/lib/fake.h"

static const struct siphash_key key = { 3, 4 };

struct fixture {
	struct fake fake;
	struct tcp_demux d;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_init(&f->fake, 1);
	assert_true(tcp_demux_init(&f->d, &f->fake.mem, &key));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tcp_demux_fini(&f->d);
	fake_fini(&f->fake);
	free(f);
	return 0;
}

static struct tuple tuple(uint16_t local, uint16_t remote)
{
	return (struct tuple){
		.local = endpoint_make(addr_v4(10, 0, 0, 1), local),
		.remote = endpoint_make(addr_v4(10, 0, 0, 2), remote),
	};
}

static void test_tuples(void **state)
{
	struct fixture *f = *state;
	struct tcp_entry a = { .t = tuple(1000, 80) };
	struct tcp_entry b = { .t = tuple(1001, 80) };
	struct tcp_entry c = { .t = tuple(1000, 80) };

	assert_true(tcp_demux_add(&f->d, &a));
	assert_true(tcp_demux_add(&f->d, &b));
	assert_false(tcp_demux_add(&f->d, &c));
	assert_ptr_equal(tcp_demux_find(&f->d, &c.t), &a);
	tcp_demux_del(&f->d, &a);
	assert_null(tcp_demux_find(&f->d, &c.t));
	assert_true(tcp_demux_add(&f->d, &c));
	tcp_demux_del(&f->d, &b);
	tcp_demux_del(&f->d, &c);
}

static struct tcp_bound *bound_for(struct fixture *f, struct addr to,
				   uint16_t port, uint16_t from)
{
	struct tuple t = { .local = endpoint_make(to, port),
			   .remote = endpoint_make(addr_v4(9, 9, 9, 9),
						   from) };

	return tcp_demux_bound(&f->d, &t);
}

static void test_listeners(void **state)
{
	struct fixture *f = *state;
	struct addr v4 = addr_v4(10, 0, 0, 1), v6;
	struct tcp_bound any6 = { .local = endpoint_make(addr_any(6), 80),
				  .dual = true };
	struct tcp_bound any4 = { .local = endpoint_make(addr_any(4), 81) };
	struct tcp_bound one = { .local = endpoint_make(v4, 82) };
	struct tcp_bound in_way = { .local = endpoint_make(v4, 80) };

	assert_true(addr_parse("2001:db8::1", &v6));
	assert_true(tcp_demux_bind(&f->d, &any6));
	assert_true(tcp_demux_bind(&f->d, &any4));
	assert_true(tcp_demux_bind(&f->d, &one));
	assert_false(tcp_demux_bind(&f->d, &in_way));
	in_way.local.port = 81;
	assert_false(tcp_demux_bind(&f->d, &in_way));
	assert_ptr_equal(bound_for(f, v4, 80, 1), &any6);
	assert_ptr_equal(bound_for(f, v6, 80, 1), &any6);
	assert_ptr_equal(bound_for(f, v4, 81, 1), &any4);
	assert_null(bound_for(f, v6, 81, 1));
	assert_ptr_equal(bound_for(f, v4, 82, 1), &one);
	assert_null(bound_for(f, addr_v4(10, 0, 0, 3), 82, 1));
	any6.dual = false;
	assert_null(bound_for(f, v4, 80, 1));
	tcp_demux_unbind(&f->d, &any6);
	tcp_demux_unbind(&f->d, &any4);
	tcp_demux_unbind(&f->d, &one);
}

static void test_reuseport(void **state)
{
	struct fixture *f = *state;
	struct addr v4 = addr_v4(10, 0, 0, 1);
	struct tcp_bound b[3];
	unsigned hits[3] = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		b[i] = (struct tcp_bound){ .local = endpoint_make(v4, 80),
					   .reuseport = true };
		assert_true(tcp_demux_bind(&f->d, &b[i]));
	}
	for (uint16_t from = 1; from <= 300; from++) {
		struct tcp_bound *x = bound_for(f, v4, 80, from);

		assert_ptr_equal(x, bound_for(f, v4, 80, from));
		hits[x - b]++;
	}
	for (unsigned i = 0; i < 3; i++) {
		assert_true(hits[i] > 50);
		tcp_demux_unbind(&f->d, &b[i]);
	}
}

static void test_ephemeral(void **state)
{
	struct fixture *f = *state;
	static struct tcp_entry e[200];
	struct tuple to = tuple(0, 80);
	unsigned in_a_row = 0;

	for (unsigned i = 0; i < 200; i++) {
		uint16_t port = tcp_demux_ephemeral(&f->d, &to);

		assert_in_range(port, TCP_PORT_FIRST, TCP_PORT_LAST);
		memset(&e[i], 0, sizeof(e[i]));
		e[i].t = tuple(port, 80);
		assert_true(tcp_demux_add(&f->d, &e[i]));
		in_a_row += i && port == e[i - 1].t.local.port + 1;
	}
	/* RFC 6056 3.3.3 gives neighbours to one destination.. */
	assert_true(in_a_row > 150);
	/* ..and far ones to another */
	to.remote.port = 81;
	assert_true(abs(tcp_demux_ephemeral(&f->d, &to) -
			e[199].t.local.port) > 10);
	for (unsigned i = 0; i < 200; i++) {
		tcp_demux_del(&f->d, &e[i]);
	}
}

static void test_port(void **state)
{
	struct fixture *f = *state;
	struct addr v4 = addr_v4(10, 0, 0, 1);
	struct endpoint any = endpoint_make(addr_any(4), 1000);
	struct endpoint none = endpoint_make(v4, 0);
	struct tcp_entry e = { .t = tuple(1000, 80) };
	struct tcp_bound b = { .local = endpoint_make(v4, 2000) };

	assert_int_equal(tcp_demux_port(&f->d, &any, false), 1000);
	assert_true(tcp_demux_add(&f->d, &e));
	assert_int_equal(tcp_demux_port(&f->d, &any, false), 0);
	assert_int_equal(tcp_demux_port(&f->d, &any, true), 1000);
	assert_true(tcp_demux_bind(&f->d, &b));
	any.port = 2000;
	assert_int_equal(tcp_demux_port(&f->d, &any, true), 0);
	assert_in_range(tcp_demux_port(&f->d, &none, false), TCP_PORT_FIRST,
			TCP_PORT_LAST);
	tcp_demux_del(&f->d, &e);
	tcp_demux_unbind(&f->d, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tuples, setup, teardown),
		cmocka_unit_test_setup_teardown(test_listeners, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_reuseport, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_ephemeral, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_port, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
