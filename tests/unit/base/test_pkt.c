#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stack/base/pkt.h"
#include "tests/lib/fake.h"

static void released(struct pkt *p)
{
	*(unsigned *)p->owner += 1;
}

static struct pkt packet(uint8_t *data, uint32_t len, uint32_t truesize,
			 unsigned *gone)
{
	return (struct pkt){ .data = data,
			     .len = len,
			     .truesize = truesize,
			     .refs = 1,
			     .release = released,
			     .owner = gone };
}

static void refers_to_large_pieces(void **st)
{
	uint8_t data[4000] = { 7 };
	unsigned gone = 0;
	struct pkt p = packet(data, sizeof(data), 4000, &gone);
	struct slice *s;
	struct fake f;

	(void)st;
	fake_init(&f, 1);
	s = slice_make(&f.mem, &p, data + 40, 1000);
	assert_ptr_equal(s->p, data + 40);
	assert_int_equal(s->charge, 4000 + sizeof(*s));
	assert_int_equal(p.refs, 2);
	pkt_put(&p);
	assert_int_equal(gone, 0);
	s->seq = 100;
	slice_trim(s, 10);
	assert_int_equal(s->seq, 110);
	assert_int_equal(s->len, 990);
	assert_ptr_equal(s->p, data + 50);
	slice_free(&f.mem, s);
	assert_int_equal(gone, 1);
	fake_fini(&f);
}

static void copies_small_pieces(void **st)
{
	uint8_t data[4000];
	unsigned gone = 0;
	struct pkt p = packet(data, sizeof(data), 4000, &gone);
	struct list head;
	struct slice *s;
	struct fake f;

	(void)st;
	fake_init(&f, 1);
	list_init(&head);
	rng_fill(&f.rng, data, sizeof(data));
	s = slice_make(&f.mem, &p, data + 40, 999);
	assert_null(s->pkt);
	assert_memory_equal(s->p, data + 40, 999);
	assert_int_equal(s->charge, 999 + sizeof(*s));
	assert_int_equal(s->charge, f.mem.used);
	assert_int_equal(p.refs, 1);
	slice_trim(s, 998);
	assert_int_equal(s->p[0], data[40 + 998]);
	list_push_back(&head, &s->node);
	s = slice_make(&f.mem, &p, data, 4000);
	list_push_back(&head, &s->node);
	slice_free_all(&f.mem, &head);
	assert_true(list_empty(&head));
	assert_int_equal(p.refs, 1);
	f.fail_at = 1;
	assert_null(slice_make(&f.mem, &p, data, 4000));
	assert_int_equal(p.refs, 1);
	pkt_put(&p);
	assert_int_equal(gone, 1);
	fake_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refers_to_large_pieces),
		cmocka_unit_test(copies_small_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
