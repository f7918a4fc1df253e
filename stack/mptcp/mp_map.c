#include "stack/mptcp/mp_map.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/env.h"
#include "stack/base/seq.h"

#define MERGE_MAX  (1u << 30) /* far from half the sequence space */
#define ROUNDS_MAX 8 /* pieces one mapping may be cut into by earlier ones */

void mp_map_init(struct mp_maps *m, struct mem *mem, uint32_t max)
{
	*m = (struct mp_maps){ .mem = mem, .max = max };
}

void mp_map_fini(struct mp_maps *m)
{
	mem_free(m->mem, m->v, m->cap * sizeof(*m->v));
	mp_map_init(m, m->mem, m->max);
}

void mp_map_trim(struct mp_maps *m)
{
	if (!m->n) {
		mp_map_fini(m);
	}
}

/* room for one more behind the last: moves to the front, or grows */
static bool reserve(struct mp_maps *m)
{
	struct mp_map *v;
	uint32_t cap;

	if (m->head + m->n < m->cap) {
		return true;
	}
	if (m->n >= m->max) {
		return false;
	}
	if (m->head >= m->cap / 2 && m->head > 0) {
		memmove(m->v, m->v + m->head, m->n * sizeof(*m->v));
		m->head = 0;
		return true;
	}
	cap = m->cap ? m->cap * 2 : 8;
	v = mem_alloc(m->mem, cap * sizeof(*v));
	if (!v) {
		return false;
	}
	if (m->n) {
		memcpy(v, m->v + m->head, m->n * sizeof(*v));
	}
	mem_free(m->mem, m->v, m->cap * sizeof(*m->v));
	m->v = v;
	m->cap = cap;
	m->head = 0;
	return true;
}

static uint32_t end_of(const struct mp_map *e)
{
	return e->ssn + e->len;
}

/* index of the first mapping that ends after ssn; n: none */
static uint32_t first_after(const struct mp_maps *m, uint32_t ssn)
{
	uint32_t lo = 0, hi = m->n;

	if (!m->n || seq_leq(end_of(mp_map_last(m)), ssn)) {
		return m->n;
	}
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (seq_leq(end_of(mp_map_at(m, mid)), ssn)) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

struct mp_map *mp_map_find(const struct mp_maps *m, uint32_t ssn)
{
	uint32_t i = first_after(m, ssn);

	if (i == m->n || seq_gt(mp_map_at(m, i)->ssn, ssn)) {
		return NULL;
	}
	return mp_map_at(m, i);
}

bool mp_map_next(const struct mp_maps *m, uint32_t ssn, uint32_t *start)
{
	uint32_t i = first_after(m, ssn);

	if (i == m->n) {
		return false;
	}
	*start = mp_map_at(m, i)->ssn;
	return seq_gt(*start, ssn);
}

/* --- sending: offsets ------------------------------------------------- */

/* Index behind the run of rising offsets in which i is; *at is the descent that
 * ends it, of which `left` are ahead. */
static uint32_t run_end(const struct mp_maps *m, uint32_t i, uint32_t *at,
			uint32_t *left)
{
	while (*left && *at - m->first <= i) {
		*at = mp_map_at(m, *at - m->first)->next_descent;
		--*left;
	}
	return *left ? *at - m->first : m->n;
}

/* off is looked for in the mappings lo to hi - 1, whose offsets rise */
static struct mp_map *holding_in(const struct mp_maps *m, uint32_t lo,
				 uint32_t hi, uint64_t off)
{
	struct mp_map *e;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (mp_map_at(m, mid)->off <= off) {
			lo = mid;
		} else {
			hi = mid;
		}
	}
	e = mp_map_at(m, lo);
	return e->off <= off && off - e->off < e->len ? e : NULL;
}

struct mp_map *mp_map_holding(const struct mp_maps *m, uint64_t off)
{
	uint32_t at = m->first_descent, left = m->descents;
	struct mp_map *found = NULL;

	for (uint32_t i = 0; i < m->n && !found;) {
		uint32_t end = run_end(m, i, &at, &left);

		found = holding_in(m, i, end, off);
		i = end;
	}
	return found;
}

static void note_descent(struct mp_maps *m, uint32_t i)
{
	uint32_t nr = m->first + i;

	mp_map_at(m, i)->descent = true;
	if (m->descents++) {
		mp_map_at(m, m->last_descent - m->first)->next_descent = nr;
	} else {
		m->first_descent = nr;
	}
	m->last_descent = nr;
}

/* the mapping at index 0 is the first of them, and is none any more */
static void forget_descent(struct mp_maps *m)
{
	struct mp_map *e = mp_map_at(m, 0);

	m->first_descent = e->next_descent;
	m->descents--;
	e->descent = false;
}

struct mp_map *mp_map_push(struct mp_maps *m, uint32_t ssn, uint32_t len,
			   uint64_t off, uint32_t most)
{
	struct mp_map *last = mp_map_last(m), *e;
	bool descent = false;

	if (last) {
		if (!last->declared && last->off + last->len == off &&
		    end_of(last) == ssn && last->len + len <= most) {
			last->len += len;
			return last;
		}
		descent = off < last->off + last->len;
	}
	if (!reserve(m)) {
		return NULL;
	}
	e = mp_map_at(m, m->n);
	*e = (struct mp_map){ .ssn = ssn, .len = len, .off = off };
	m->n++;
	if (descent) {
		note_descent(m, m->n - 1);
	}
	return e;
}

static bool continues(const struct mp_map *a, const struct mp_map *b)
{
	return !a->whole && !b->whole && end_of(a) == b->ssn &&
	       a->off + a->len == b->off && a->len + b->len <= MERGE_MAX;
}

static void remove_at(struct mp_maps *m, uint32_t i)
{
	struct mp_map *e = mp_map_at(m, i);

	memmove(e, e + 1, (m->n - i - 1) * sizeof(*e));
	m->n--;
}

/* in fits before index i without touching anything */
static enum mp_map_add insert_at(struct mp_maps *m, uint32_t i,
				 const struct mp_map *in)
{
	struct mp_map *prev = i ? mp_map_at(m, i - 1) : NULL;
	struct mp_map *next = i < m->n ? mp_map_at(m, i) : NULL;

	if (prev && continues(prev, in)) {
		prev->len += in->len;
		if (next && continues(prev, next)) {
			prev->len += next->len;
			remove_at(m, i);
		}
		return MP_MAP_ADDED;
	}
	if (next && continues(in, next)) {
		next->ssn = in->ssn;
		next->off = in->off;
		next->len += in->len;
		return MP_MAP_ADDED;
	}
	if (!reserve(m)) {
		return MP_MAP_FULL;
	}
	memmove(mp_map_at(m, i + 1), mp_map_at(m, i),
		(m->n - i) * sizeof(*m->v));
	*mp_map_at(m, i) = *in;
	m->n++;
	return MP_MAP_ADDED;
}

/* what an overlapping earlier mapping means for what is left of a new one */
static enum mp_map_add compare(const struct mp_map *e, const struct mp_map *p,
			       const struct mp_map *in)
{
	uint64_t step = (uint64_t)(int64_t)seq_diff(e->ssn, p->ssn);

	if (e->off - p->off != step) {
		return MP_MAP_CONFLICT;
	}
	if (!p->whole && !e->whole) {
		return MP_MAP_ADDED;
	}
	/* what covers the whole: it is the same mapping or none */
	return e->ssn == in->ssn && e->len == in->len && e->fin == in->fin &&
			       e->csum == in->csum ?
		       MP_MAP_KNOWN :
		       MP_MAP_CONFLICT;
}

enum mp_map_add mp_map_insert(struct mp_maps *m, const struct mp_map *in)
{
	struct mp_map p = *in;
	enum mp_map_add r = MP_MAP_KNOWN;

	p.whole |= p.has_csum;
	for (unsigned round = 0; p.len && round < ROUNDS_MAX; round++) {
		uint32_t i = first_after(m, p.ssn);
		struct mp_map *e = i < m->n ? mp_map_at(m, i) : NULL;
		struct mp_map piece = p;
		uint32_t step;

		if (e && seq_lt(e->ssn, end_of(&p))) {
			enum mp_map_add c = compare(e, &p, in);

			if (c != MP_MAP_ADDED) {
				return c;
			}
			piece.len = seq_gt(e->ssn, p.ssn) ? e->ssn - p.ssn : 0;
		}
		if (piece.len) {
			if (insert_at(m, i, &piece) == MP_MAP_FULL) {
				return MP_MAP_FULL;
			}
			r = MP_MAP_ADDED;
			step = piece.len;
		} else {
			step = min_u32(end_of(e) - p.ssn, p.len);
		}
		p.ssn += step;
		p.off += step;
		p.len -= step;
	}
	return r;
}

void mp_map_drop(struct mp_maps *m, uint32_t ssn, bool cut)
{
	while (m->n) {
		struct mp_map *e = mp_map_at(m, 0);

		if (seq_gt(end_of(e), ssn)) {
			uint32_t k = ssn - e->ssn;

			if (cut && seq_gt(ssn, e->ssn) && !e->whole) {
				e->ssn += k;
				e->off += k;
				e->len -= k;
			}
			break;
		}
		m->head++;
		m->first++;
		m->n--;
		/* what is first now continues nothing */
		if (m->n && mp_map_at(m, 0)->descent) {
			forget_descent(m);
		}
	}
	if (!m->n) {
		m->head = 0;
	}
}

uint64_t mp_map_low(const struct mp_maps *m, uint32_t ssn)
{
	uint32_t at = m->first_descent, left = m->descents;
	uint32_t i = first_after(m, ssn);
	const struct mp_map *e;
	uint64_t low;

	if (i == m->n) {
		return UINT64_MAX;
	}
	e = mp_map_at(m, i);
	low = e->off + (seq_gt(ssn, e->ssn) ? ssn - e->ssn : 0);
	while ((i = run_end(m, i, &at, &left)) < m->n) {
		low = min_u64(low, mp_map_at(m, i)->off);
	}
	return low;
}
