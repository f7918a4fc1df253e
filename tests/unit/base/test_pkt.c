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

/* a queue of single octets, some of them taken meanwhile */
static void small_copies_share(void **st)
{
	static uint8_t data[70000], got[20000];
	unsigned gone = 0;
	struct pkt p = packet(data, sizeof(data), 4000, &gone);
	struct list q;
	struct fake f;
	uint32_t n = 0, at = 0;

	(void)st;
	fake_init(&f, 1);
	list_init(&q);
	rng_fill(&f.rng, data, sizeof(data));
	while (at < sizeof(got)) {
		uint32_t len = 1 + (uint32_t)(at % 997 == 5 ? rng_below(&f.rng, 1500) : 0);
		struct slice *s;

		len = min_u32(len, (uint32_t)sizeof(got) - at);
		s = slice_make(&f.mem, &p, data + at, len);
		s->seq = at;
		slice_queue(&f.mem, &q, s);
		at += len;
		if (at % 701 == 0 && !list_empty(&q)) { /* a reader */
			s = list_entry(q.next, struct slice, node);
			memcpy(got + n, s->p, s->len);
			n += s->len;
			slice_free(&f.mem, s);
		}
	}
	assert_true(f.mem.peak < 3 * sizeof(got));
	list_each (l, &q) {
		struct slice *s = list_entry(l, struct slice, node);

		memcpy(got + n, s->p, s->len);
		n += s->len;
	}
	assert_int_equal(n, sizeof(got));
	assert_memory_equal(got, data, sizeof(got));
	slice_free_all(&f.mem, &q);
	pkt_put(&p);
	fake_fini(&f);
}

/* what was handed out stays where it is; a trimmed or refused one works */
static void shared_copies_stay(void **st)
{
	uint8_t data[4000];
	unsigned gone = 0;
	struct pkt p = packet(data, sizeof(data), 40000, &gone);
	const uint8_t *first, *second;
	struct list q;
	struct fake f;

	(void)st;
	fake_init(&f, 1);
	list_init(&q);
	rng_fill(&f.rng, data, sizeof(data));
	slice_queue(&f.mem, &q, slice_make(&f.mem, &p, data, 10));
	first = list_entry(q.next, struct slice, node)->p;
	slice_queue(&f.mem, &q, slice_make(&f.mem, &p, data + 10, 10));
	second = list_entry(q.prev, struct slice, node)->p;
	slice_trim(list_entry(q.prev, struct slice, node), 3);
	slice_queue(&f.mem, &q, slice_make(&f.mem, &p, data + 20, 10));
	assert_ptr_equal(list_entry(q.next, struct slice, node)->p, first);
	assert_memory_equal(second, data + 10, 20);
	assert_int_equal(list_entry(q.prev, struct slice, node)->len, 17);
	slice_queue(&f.mem, &q, slice_make(&f.mem, &p, data + 30, 600));
	f.fail_at = 2;
	slice_queue(&f.mem, &q, slice_make(&f.mem, &p, data + 630, 10));
	assert_int_equal(list_entry(q.prev, struct slice, node)->len, 10);
	slice_free_all(&f.mem, &q);
	pkt_put(&p);
	fake_fini(&f);
}

/* cut in two: nothing has an octet that another slice has */
static void cut(void **st)
{
	static uint8_t data[4000], copy[4000];
	unsigned gone = 0;
	struct pkt p = packet(data, sizeof(data), 4000, &gone);
	struct slice *s, *t, *h;
	struct fake f;

	(void)st;
	fake_init(&f, 1);
	rng_fill(&f.rng, data, sizeof(data));
	memcpy(copy, data, sizeof(data));
	s = slice_make(&f.mem, &p, data, 4000);
	s->seq = 7;
	f.fail_at = 1;
	assert_null(slice_split(&f.mem, s, 3500));
	f.fail_at = 1;
	assert_null(slice_head(&f.mem, s, 10));
	assert_int_equal(s->len, 4000);
	assert_int_equal(p.refs, 2);
	t = slice_split(&f.mem, s, 3500); /* few octets: a copy */
	assert_int_equal(s->len, 3500);
	assert_null(t->pkt);
	assert_int_equal(t->len, 500);
	assert_int_equal(t->seq, 3507);
	assert_memory_equal(t->p, data + 3500, 500);
	memset(slice_bytes(t), 0, 500);
	h = slice_head(&f.mem, s, 10); /* few, but a reference */
	assert_ptr_equal(h->pkt, &p);
	assert_ptr_equal(h->p, data);
	assert_int_equal(h->seq, 7);
	assert_int_equal(s->seq, 17);
	assert_int_equal(s->len, 3490);
	assert_ptr_equal(slice_bytes(s), data + 10);
	slice_bytes(s)[0]++;
	copy[10]++;
	assert_memory_equal(data, copy, sizeof(data));
	slice_free(&f.mem, h);
	slice_free(&f.mem, s);
	assert_int_equal(p.refs, 1);
	h = slice_head(&f.mem, t, 100); /* a copy's is a copy, too */
	assert_int_equal(h->len, 100);
	assert_int_equal(t->len, 400);
	slice_free(&f.mem, t);
	t = slice_split(&f.mem, h, 99);
	assert_int_equal(t->len, 1);
	slice_free(&f.mem, h);
	slice_free(&f.mem, t);
	s = slice_new(&f.mem, 30);
	memset(slice_bytes(s), 1, 30);
	assert_int_equal(s->p[29], 1);
	slice_free(&f.mem, s);
	pkt_put(&p);
	fake_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refers_to_large_pieces),
		cmocka_unit_test(copies_small_pieces),
		cmocka_unit_test(small_copies_share),
		cmocka_unit_test(shared_copies_stay),
		cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
