/* mp_reasm.c - see mp_reasm.h
 *
 * A new piece is cut to what is missing: its front by the run that holds its
 * first octet, its end by the run that holds its last.  A run that lies wholly
 * inside the new piece is replaced by it, so that no piece is ever split in
 * two.
 */
#include "stack/mptcp/mp_reasm.h"

#include "stack/base/env.h"

static struct mp_run *run_of(struct list *n)
{
	return list_entry(n, struct mp_run, node);
}

void mp_reasm_init(struct mp_reasm *r, struct mem *mem, uint64_t limit,
		   void (*gone)(void *ctx, const struct mp_run *run),
		   void *ctx)
{
	*r = (struct mp_reasm){ .mem = mem, .limit = limit, .gone = gone,
				.gone_ctx = ctx };
	list_init(&r->runs);
}

static void run_free(struct mp_reasm *r, struct mp_run *run)
{
	r->gone(r->gone_ctx, run);
	list_del(&run->node);
	r->n--;
	mem_free(r->mem, run, sizeof(*run));
}

/* the slices of a run go, too */
static void run_drop(struct mp_reasm *r, struct mp_run *run)
{
	list_each(n, &run->q) {
		r->charge -= list_entry(n, struct slice, node)->charge;
	}
	r->dup += run->hi - run->lo;
	slice_free_all(r->mem, &run->q);
	run_free(r, run);
}

void mp_reasm_fini(struct mp_reasm *r)
{
	while (!list_empty(&r->runs)) {
		run_drop(r, run_of(r->runs.next));
	}
}

bool mp_reasm_empty(const struct mp_reasm *r)
{
	return r->n == 0;
}

static void slice_cut_tail(struct slice *s, uint32_t n)
{
	s->len -= n;
}

/* the last run that begins at or before seq: the list's head when none; the
 * walk starts at the hint, else at the end */
static struct list *before(const struct mp_reasm *r, uint64_t seq,
			   struct mp_run *hint)
{
	struct list *n = hint ? &hint->node : r->runs.prev;

	while (n != &r->runs && run_of(n)->lo > seq) {
		n = n->prev;
	}
	while (n->next != &r->runs && run_of(n->next)->lo <= seq) {
		n = n->next;
	}
	return n;
}

bool mp_reasm_room(const struct mp_reasm *r, uint64_t charge)
{
	return r->charge + charge <= mem_share(r->mem, r->limit);
}

enum mp_reasm_held mp_reasm_held(const struct mp_reasm *r, uint64_t lo,
				 uint64_t hi, struct mp_run *hint)
{
	struct list *n = before(r, lo, hint);

	if (n != &r->runs) {
		const struct mp_run *run = run_of(n);

		if (run->hi >= hi) {
			return MP_REASM_ALL;
		}
		if (run->hi > lo) {
			return MP_REASM_SOME;
		}
	}
	/* runs that touch are one */
	return n->next != &r->runs && run_of(n->next)->lo < hi ? MP_REASM_SOME :
								 MP_REASM_NONE;
}

static void run_append(struct mp_reasm *r, struct mp_run *run,
		       struct slice *s)
{
	list_push_back(&run->q, &s->node);
	run->hi = s->seq + s->len;
	r->charge += s->charge;
}

static struct mp_run *run_new(struct mp_reasm *r, struct list *after,
			      struct slice *s)
{
	struct mp_run *run;

	if (r->n >= MP_RUNS_MAX) {
		return NULL;
	}
	run = mem_alloc(r->mem, sizeof(*run));
	if (!run) {
		return NULL;
	}
	list_init(&run->q);
	run->lo = s->seq;
	list_push_front(after, &run->node);
	r->n++;
	run_append(r, run, s);
	return run;
}

/* run may touch the next one now: they become one */
static void join_next(struct mp_reasm *r, struct mp_run *run)
{
	struct list *n = run->node.next;
	struct mp_run *next;

	if (n == &r->runs || run_of(n)->lo != run->hi) {
		return;
	}
	next = run_of(n);
	run->q.prev->next = next->q.next;
	next->q.next->prev = run->q.prev;
	next->q.prev->next = &run->q;
	run->q.prev = next->q.prev;
	list_init(&next->q);
	run->hi = next->hi;
	run_free(r, next);
}

/* runs behind pos that lie wholly in [.., hi) go; the one that holds hi cuts
 * the slice */
static void clear_behind(struct mp_reasm *r, struct list *pos,
			 struct slice *s)
{
	while (pos->next != &r->runs) {
		struct mp_run *run = run_of(pos->next);
		uint64_t hi = s->seq + s->len;

		if (run->lo >= hi) {
			break;
		}
		if (run->hi > hi) {
			r->dup += hi - run->lo;
			slice_cut_tail(s, (uint32_t)(hi - run->lo));
			break;
		}
		run_drop(r, run);
	}
}

enum mp_reasm_status mp_reasm_add(struct mp_reasm *r, struct slice *s,
				  struct mp_run **hint)
{
	struct list *pos = before(r, s->seq, *hint);
	struct mp_run *run = pos == &r->runs ? NULL : run_of(pos);

	if (run && run->hi > s->seq) {
		uint64_t known = run->hi - s->seq;

		if (known >= s->len) {
			r->dup += s->len;
			slice_free(r->mem, s);
			return MP_REASM_OK;
		}
		r->dup += known;
		slice_trim(s, (uint32_t)known);
	}
	if (!mp_reasm_room(r, s->charge)) {
		slice_free(r->mem, s);
		return MP_REASM_LIMIT;
	}
	clear_behind(r, pos, s);
	if (run && run->hi == s->seq) {
		run_append(r, run, s);
	} else {
		run = run_new(r, pos, s);
		if (!run) {
			slice_free(r->mem, s);
			return MP_REASM_LIMIT;
		}
	}
	join_next(r, run);
	*hint = run;
	return MP_REASM_OK;
}

uint64_t mp_reasm_take(struct mp_reasm *r, uint64_t *nxt, struct list *q)
{
	uint64_t got = 0;

	while (!list_empty(&r->runs)) {
		struct mp_run *run = run_of(r->runs.next);
		struct list *n;

		if (run->lo > *nxt) {
			break;
		}
		while ((n = list_pop_front(&run->q)) != NULL) {
			struct slice *s = list_entry(n, struct slice, node);

			r->charge -= s->charge;
			if (s->seq + s->len <= *nxt) {
				r->dup += s->len;
				slice_free(r->mem, s);
				continue;
			}
			if (s->seq < *nxt) {
				r->dup += *nxt - s->seq;
				slice_trim(s, (uint32_t)(*nxt - s->seq));
			}
			*nxt += s->len;
			got += s->len;
			list_push_back(q, &s->node);
		}
		run_free(r, run);
	}
	return got;
}
