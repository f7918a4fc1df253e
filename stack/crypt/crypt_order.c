#include "stack/crypt/crypt_order.h"

#include "stack/base/check.h"

void crypt_order_init(struct crypt_order *o, uint64_t first)
{
	*o = (struct crypt_order){
		.cur = { .first_known = true, .first = first },
	};
}

/* within one generation: the one with rekey = 1 is the lowest */
static bool in_span(const struct crypt_span *s, bool gen0, uint64_t offset,
		    bool rekey)
{
	if (gen0) {
		return !rekey && offset >= s->first;
	}
	if (rekey) {
		return s->first_known ? offset == s->first
				      : !s->any || offset < s->lo;
	}
	return !s->first_known || offset > s->first;
}

bool crypt_order_fits(const struct crypt_order *o, int which, uint64_t offset,
		      bool rekey)
{
	if (o->broken) {
		return false;
	}
	switch (which) {
	case CRYPT_ORDER_OLD:
		return in_span(&o->old, o->gen == 1, offset, rekey) &&
		       (!o->cur.any || offset < o->cur.lo);
	case CRYPT_ORDER_CUR:
		return in_span(&o->cur, o->gen == 0, offset, rekey) &&
		       (!o->old.any || offset > o->old.hi);
	case CRYPT_ORDER_NEW:
	default:
		return (!o->cur.any || offset > o->cur.hi) &&
		       (!o->cur.first_known || offset > o->cur.first);
	}
}

void crypt_order_note(struct crypt_order *o, int which, uint64_t offset,
		      bool rekey)
{
	struct crypt_span *s = &o->cur;

	if (which == CRYPT_ORDER_NEW) {
		o->gen++;
		o->old = o->cur;
		o->cur = (struct crypt_span){ .any = false };
	} else if (which == CRYPT_ORDER_OLD) {
		s = &o->old;
	}
	s->lo = s->any ? min_u64(s->lo, offset) : offset;
	s->hi = s->any ? max_u64(s->hi, offset) : offset;
	s->any = true;
	if (rekey) {
		s->first = offset;
		s->first_known = true;
	}
	crypt_order_received(o, o->through);
}

static bool headless(const struct crypt_span *s, uint64_t through)
{
	return s->any && !s->first_known && through > s->lo;
}

void crypt_order_received(struct crypt_order *o, uint64_t offset)
{
	o->through = max_u64(o->through, offset);
	o->broken |=
		headless(&o->cur, o->through) || headless(&o->old, o->through);
}

bool crypt_order_settled(const struct crypt_order *o)
{
	return o->cur.first_known && o->through > o->cur.first;
}
