#include "stack/mptcp/mp_cut.h"

#include <string.h>

#include "stack/base/check.h"

static struct slice *slice_of(struct list *n)
{
	return list_entry(n, struct slice, node);
}

void mp_cut_init(struct mp_cut *x)
{
	*x = (struct mp_cut){ .n = &x->q };
	list_init(&x->q);
}

void mp_cut_fini(struct mp_cut *x, struct mem *mem)
{
	slice_free_all(mem, &x->q);
	mp_cut_init(x);
}

void mp_cut_add(struct mp_cut *x, struct mem *mem, struct slice *sl)
{
	bool first = list_empty(&x->q);

	x->left += sl->len;
	slice_queue(mem, &x->q, sl);
	if (first) {
		x->n = x->q.next;
		x->at = 0;
	}
}

/* The next frame's first octet is in slice n, unless nothing is left. */
static void settle(struct mp_cut *x)
{
	if (x->n != &x->q && x->at == slice_of(x->n)->len &&
	    x->n->next != &x->q) {
		x->n = x->n->next;
		x->at = 0;
	}
}

bool mp_cut_peek(struct mp_cut *x, uint8_t *out, uint32_t n)
{
	struct list *p;
	uint32_t at;

	if (n > x->left) {
		return false;
	}
	settle(x);
	p = x->n;
	at = x->at;
	while (n) {
		const struct slice *s = slice_of(p);
		uint32_t k = min_u32(s->len - at, n);

		memcpy(out, s->p + at, k);
		out += k;
		n -= k;
		at = 0;
		p = p->next;
	}
	return true;
}

unsigned mp_cut_pieces(struct mp_cut *x, uint32_t n, struct iov_mut *v,
		       unsigned max)
{
	struct list *p;
	uint32_t at;
	unsigned i;

	check(n <= x->left);
	settle(x);
	p = x->n;
	at = x->at;
	for (i = 0; n; i++) {
		struct slice *s = slice_of(p);
		uint32_t k = min_u32(s->len - at, n);

		if (i == max) {
			return 0;
		}
		v[i] = (struct iov_mut){ slice_bytes(s) + at, k };
		n -= k;
		at = 0;
		p = p->next;
	}
	return i;
}

bool mp_cut_join(struct mp_cut *x, struct mem *mem, uint32_t n)
{
	struct slice *one;
	struct list *p;
	uint32_t at;

	check(n <= x->left);
	settle(x);
	if (!n || slice_of(x->n)->len - x->at >= n) {
		return true;
	}
	one = slice_new(mem, n);
	if (!one) {
		return false;
	}
	mp_cut_peek(x, slice_bytes(one), n);
	p = x->n;
	at = x->at;
	one->seq = slice_of(p)->seq + at;
	while (n) {
		struct slice *s = slice_of(p);
		uint32_t k = min_u32(s->len - at, n);

		p = p->next;
		n -= k;
		if (at) {
			/* it is more than one piece: the rest of this one */
			s->len -= k;
			at = 0;
		} else if (k < s->len) {
			slice_trim(s, k);
			p = &s->node;
		} else {
			slice_free(mem, s);
		}
	}
	list_insert(p, &one->node);
	x->n = &one->node;
	x->at = 0;
	return true;
}

void mp_cut_opened(struct mp_cut *x, uint32_t n)
{
	check(n <= x->left);
	x->left -= n;
	x->opened += n;
	while (n) {
		uint32_t k;

		settle(x);
		k = min_u32(slice_of(x->n)->len - x->at, n);
		x->at += k;
		n -= k;
	}
}

bool mp_cut_take(struct mp_cut *x, struct mem *mem, struct list *out)
{
	struct list *upto;

	if (!x->opened) {
		return true;
	}
	settle(x);
	upto = x->n;
	if (x->at == slice_of(upto)->len) {
		upto = upto->next;
	} else if (x->at) {
		struct slice *rest = slice_split(mem, slice_of(upto), x->at);

		if (!rest) {
			return false;
		}
		list_insert(upto->next, &rest->node);
		upto = &rest->node;
	}
	while (x->q.next != upto) {
		struct list *n = x->q.next;

		list_del(n);
		list_push_back(out, n);
	}
	x->opened = 0;
	x->n = x->q.next;
	x->at = 0;
	return true;
}

void mp_cut_skip(struct mp_cut *x, struct mem *mem, uint32_t n)
{
	check(!x->opened && n <= x->left);
	x->left -= n;
	while (n) {
		struct slice *s = slice_of(x->q.next);

		if (s->len > n) {
			slice_trim(s, n);
			break;
		}
		n -= s->len;
		slice_free(mem, s);
	}
	x->n = x->q.next;
	x->at = 0;
}
