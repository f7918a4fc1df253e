#include "stack/tcp/tcp_reasm.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"

#define RUNS_FIRST 8u

void tcp_reasm_init(struct tcp_reasm *r, struct mem *mem, uint32_t max_charge)
{
	memset(r, 0, sizeof(*r));
	r->mem = mem;
	r->max_charge = max_charge;
	list_init(&r->q);
}

static void drop_runs(struct tcp_reasm *r)
{
	mem_free(r->mem, r->run, r->cap_run * sizeof(r->run[0]));
	r->run = NULL;
	r->cap_run = 0;
	r->n_run = 0;
}

void tcp_reasm_fini(struct tcp_reasm *r)
{
	slice_free_all(r->mem, &r->q);
	drop_runs(r);
	r->n_slice = 0;
	r->charge = 0;
	r->octets = 0;
	r->n_recent = 0;
	r->dsack = false;
}

void tcp_reasm_trim(struct tcp_reasm *r)
{
	if (r->n_run == 0) {
		drop_runs(r);
	}
}

static uint32_t lo_of(const struct slice *s)
{
	return (uint32_t)s->seq;
}

static uint32_t hi_of(const struct slice *s)
{
	return (uint32_t)s->seq + s->len;
}

/* --- runs ------------------------------------------------------------------ */

/* index of the first run that ends behind seq; n_run: none */
static uint32_t find(const struct tcp_reasm *r, uint32_t seq)
{
	uint32_t lo = 0, hi = r->n_run;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (seq_gt(r->run[mid].hi, seq)) {
			hi = mid;
		} else {
			lo = mid + 1;
		}
	}
	return lo;
}

/* the run that holds seq; n_run: none */
static uint32_t find_in(const struct tcp_reasm *r, uint32_t seq)
{
	uint32_t i = find(r, seq);

	return i < r->n_run && seq_leq(r->run[i].lo, seq) ? i : r->n_run;
}

static bool run_insert(struct tcp_reasm *r, uint32_t i)
{
	if (r->n_run == r->cap_run) {
		uint32_t cap = r->cap_run ? 2 * r->cap_run : RUNS_FIRST;
		struct tcp_reasm_run *v = mem_alloc(r->mem, cap * sizeof(v[0]));

		if (!v) {
			return false;
		}
		if (r->n_run > 0) {
			memcpy(v, r->run, r->n_run * sizeof(v[0]));
		}
		mem_free(r->mem, r->run, r->cap_run * sizeof(v[0]));
		r->run = v;
		r->cap_run = cap;
	}
	memmove(&r->run[i + 1], &r->run[i], (r->n_run - i) * sizeof(r->run[0]));
	r->n_run++;
	return true;
}

static void run_remove(struct tcp_reasm *r, uint32_t i)
{
	r->n_run--;
	memmove(&r->run[i], &r->run[i + 1], (r->n_run - i) * sizeof(r->run[0]));
}

/* --- SACK ------------------------------------------------------------------- */

/* The run that holds seq grew (or was hit again): it is reported first. */
static void touch(struct tcp_reasm *r, uint32_t seq)
{
	uint32_t run = find_in(r, seq), keep[TCP_REASM_RECENT];
	uint8_t n = 0;

	if (run == r->n_run) {
		return;
	}
	keep[n++] = seq;
	for (unsigned i = 0; i < r->n_recent && n < TCP_REASM_RECENT; i++) {
		uint32_t at = find_in(r, r->recent[i]);

		if (at != r->n_run && at != run) {
			keep[n++] = r->recent[i];
		}
	}
	memcpy(r->recent, keep, n * sizeof(keep[0]));
	r->n_recent = n;
}

void tcp_reasm_dup(struct tcp_reasm *r, uint32_t lo, uint32_t hi)
{
	if (!r->dsack && seq_lt(lo, hi)) {
		r->dsack = true;
		r->dsack_range = (struct range32){ lo, hi };
	}
}

bool tcp_reasm_has_sack(const struct tcp_reasm *r)
{
	return r->dsack || r->n_run > 0;
}

unsigned tcp_reasm_sack(struct tcp_reasm *r, struct range32 out[4],
			unsigned max)
{
	uint32_t used[TCP_REASM_RECENT];
	unsigned n = 0, n_used = 0;

	max = min_u32(max, 4);
	if (r->dsack && max > 0) {
		out[n++] = r->dsack_range;
		r->dsack = false;
	}
	for (unsigned i = 0; i < r->n_recent && n < max; i++) {
		uint32_t at = find_in(r, r->recent[i]);
		bool seen = at == r->n_run;

		for (unsigned k = 0; k < n_used; k++) {
			seen |= used[k] == at;
		}
		if (!seen) {
			used[n_used++] = at;
			out[n++] = (struct range32){ r->run[at].lo,
						     r->run[at].hi };
		}
	}
	/* the recent ones may all be delivered while older ones wait (RFC 2018
	 * 4: there is always at least one block) */
	if (n_used == 0 && r->n_run > 0 && n < max) {
		out[n++] = (struct range32){ r->run[0].lo, r->run[0].hi };
	}
	return n;
}

/* --- taking and giving -------------------------------------------------------- */

/* a second slice for the last len octets of s; NULL: no memory */
static struct slice *clone_tail(struct tcp_reasm *r, const struct slice *s,
				uint32_t len)
{
	uint32_t alloc = (uint32_t)sizeof(*s) + (s->pkt ? 0 : len);
	struct slice *t = mem_alloc(r->mem, alloc);

	if (!t) {
		return NULL;
	}
	*t = *s;
	list_init(&t->node);
	t->alloc = alloc;
	t->p = s->p + (s->len - len);
	t->len = len;
	t->seq = (uint32_t)(s->seq + (s->len - len));
	if (s->pkt) {
		/* each piece pins the whole buffer, so each bears its charge */
		pkt_get(s->pkt);
	} else {
		memcpy(t + 1, t->p, len);
		t->p = (const uint8_t *)(t + 1);
		t->charge = alloc;
	}
	return t;
}

/* Hangs s, which touches no octet held, before run i. */
static enum tcp_reasm_result place(struct tcp_reasm *r, uint32_t i,
				   struct slice *s, bool forced)
{
	bool left = i > 0 && r->run[i - 1].hi == lo_of(s);
	bool right = i < r->n_run && r->run[i].lo == hi_of(s);
	struct list *before = i < r->n_run ? &r->run[i].first->node : &r->q;

	if (!forced &&
	    (r->n_slice >= TCP_REASM_MAX_SLICES ||
	     (uint64_t)r->charge + s->charge >
		     mem_share(r->mem, r->max_charge) ||
	     (!left && !right && r->n_run >= TCP_REASM_MAX_RUNS))) {
		return TCP_REASM_FULL;
	}
	if (left && right) {
		r->run[i - 1].hi = r->run[i].hi;
		r->run[i - 1].last = r->run[i].last;
		run_remove(r, i);
	} else if (left) {
		r->run[i - 1].hi = hi_of(s);
		r->run[i - 1].last = s;
	} else if (right) {
		r->run[i].lo = lo_of(s);
		r->run[i].first = s;
	} else {
		if (!run_insert(r, i)) {
			return TCP_REASM_NOMEM;
		}
		r->run[i] = (struct tcp_reasm_run){ lo_of(s), hi_of(s), s, s };
	}
	list_insert(before, &s->node);
	r->n_slice++;
	r->charge += s->charge;
	r->octets += s->len;
	return TCP_REASM_OK;
}

/* Cuts off the front of s, which was received before up to here.  False:
 * nothing is left of it. */
static bool cut_front(struct tcp_reasm *r, uint32_t upto, struct slice *s)
{
	uint32_t lo = lo_of(s), end = seq_min(upto, hi_of(s));

	if (seq_leq(end, lo)) {
		return true;
	}
	tcp_reasm_dup(r, lo, end);
	if (end == hi_of(s)) {
		return false;
	}
	slice_trim(s, end - lo);
	return true;
}

/* s begins in a gap before run i: cuts off and returns what reaches into that
 * run or past it.  *rest NULL: nothing does that is new. */
static bool cut_back(struct tcp_reasm *r, uint32_t i, struct slice *s,
		     struct slice **rest)
{
	const struct tcp_reasm_run *run;
	uint32_t hi = hi_of(s), beyond;

	*rest = NULL;
	if (i == r->n_run || seq_leq(hi, r->run[i].lo)) {
		return true;
	}
	run = &r->run[i];
	tcp_reasm_dup(r, run->lo, seq_min(run->hi, hi));
	beyond = seq_gt(hi, run->hi) ? hi - run->hi : 0;
	if (beyond > 0) {
		*rest = clone_tail(r, s, beyond);
		if (!*rest) {
			return false;
		}
	}
	s->len = run->lo - lo_of(s);
	return true;
}

static enum tcp_reasm_result fill(struct tcp_reasm *r, struct slice *s,
				  bool forced)
{
	enum tcp_reasm_result res = TCP_REASM_DUP;

	while (s) {
		uint32_t lo = lo_of(s), i = find(r, lo);
		struct slice *rest;
		enum tcp_reasm_result one;

		if (i < r->n_run && seq_leq(r->run[i].lo, lo) &&
		    !cut_front(r, r->run[i].hi, s)) {
			slice_free(r->mem, s);
			touch(r, lo);
			return res;
		}
		lo = lo_of(s);
		i = find(r, lo);
		if (!cut_back(r, i, s, &rest)) {
			slice_free(r->mem, s);
			return TCP_REASM_NOMEM;
		}
		one = place(r, i, s, forced);
		if (one != TCP_REASM_OK) {
			slice_free(r->mem, s);
			if (rest) {
				slice_free(r->mem, rest);
			}
			return one;
		}
		touch(r, lo);
		res = TCP_REASM_OK;
		s = rest;
		forced = false;
	}
	return res;
}

enum tcp_reasm_result tcp_reasm_insert(struct tcp_reasm *r, uint32_t rcv_nxt,
				       struct slice *s)
{
	bool forced;

	check(s->len > 0 && !list_linked(&s->node));
	s->seq = (uint32_t)s->seq;
	forced = seq_leq(lo_of(s), rcv_nxt);
	if (!cut_front(r, rcv_nxt, s)) {
		slice_free(r->mem, s);
		return TCP_REASM_DUP;
	}
	return fill(r, s, forced);
}

static void unlink_first(struct tcp_reasm *r, struct slice *s)
{
	struct tcp_reasm_run *run = &r->run[0];

	check(run->first == s);
	if (run->last == s) {
		run_remove(r, 0);
	} else {
		run->first = list_entry(s->node.next, struct slice, node);
		run->lo = lo_of(run->first);
	}
	list_del(&s->node);
	r->n_slice--;
	r->charge -= s->charge;
	r->octets -= s->len;
	if (r->n_slice == 0) {
		drop_runs(r);
		r->n_recent = 0;
	}
}

struct slice *tcp_reasm_pop(struct tcp_reasm *r, uint32_t rcv_nxt)
{
	struct list *n;

	while ((n = list_first(&r->q))) {
		struct slice *s = list_entry(n, struct slice, node);

		if (seq_gt(lo_of(s), rcv_nxt)) {
			break;
		}
		unlink_first(r, s);
		if (seq_gt(hi_of(s), rcv_nxt)) {
			if (seq_lt(lo_of(s), rcv_nxt)) {
				slice_trim(s, rcv_nxt - lo_of(s));
			}
			return s;
		}
		slice_free(r->mem, s); /* delivered past it meanwhile */
	}
	return NULL;
}

uint32_t tcp_reasm_end(const struct tcp_reasm *r, uint32_t rcv_nxt)
{
	return r->n_run > 0 ? r->run[r->n_run - 1].hi : rcv_nxt;
}
