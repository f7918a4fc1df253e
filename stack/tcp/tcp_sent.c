/* Theory of operation
 *
 * v is a ring of pointers to entries in sequence order.  Inserting in the
 * middle (a split) and removing there (a merge) move the shorter side; with
 * TCP_SENT_MAX entries that is at most 32 KiB of pointers.
 *
 * Every state change goes through tcp_sent_leave() and tcp_sent_enter(), which
 * keep lists and counters; everything else only decides.  What an ACK does is
 * in tcp_sent_ack.c.
 */
#include "stack/tcp/tcp_sent_part.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"

#define CAP_FIRST   8u
#define SPARE_MAX   32u /* free entries kept for reuse */
#define LOST_SEARCH 64u /* steps to look for a place on a list */

/* --- entries and their ring --------------------------------------------- */

void tcp_sent_init(struct tcp_sent *s, struct mem *mem, uint32_t seq,
		   struct instant now)
{
	memset(s, 0, sizeof(*s));
	s->mem = mem;
	list_init(&s->flight);
	list_init(&s->lost);
	list_init(&s->spare);
	s->lost_hint = &s->lost;
	s->una = seq;
	s->nxt = seq;
	s->fack = seq;
	s->delivered_at = now;
}

static void drop_spare(struct tcp_sent *s)
{
	struct list *n;

	while ((n = list_pop_front(&s->spare))) {
		mem_free(s->mem, of_node(n), sizeof(struct tcp_sent_entry));
	}
	s->n_spare = 0;
}

static void drop_ring(struct tcp_sent *s)
{
	mem_free(s->mem, s->v, s->cap * sizeof(s->v[0]));
	s->v = NULL;
	s->cap = 0;
	s->first = 0;
}

void tcp_sent_fini(struct tcp_sent *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		mem_free(s->mem, tcp_sent_at(s, i),
			 sizeof(struct tcp_sent_entry));
	}
	s->n = 0;
	drop_spare(s);
	drop_ring(s);
	list_init(&s->flight);
	list_init(&s->lost);
	s->lost_hint = &s->lost;
	s->una = s->nxt;
	s->in_flight = s->n_lost = s->n_sacked = s->n_resent = 0;
}

void tcp_sent_trim(struct tcp_sent *s)
{
	drop_spare(s);
	if (s->n == 0) {
		drop_ring(s);
	}
}

static bool ring_room(struct tcp_sent *s)
{
	uint32_t cap = s->cap ? 2 * s->cap : CAP_FIRST;
	struct tcp_sent_entry **v;

	if (s->n < s->cap) {
		return true;
	}
	v = mem_alloc(s->mem, cap * sizeof(v[0]));
	if (!v) {
		return false;
	}
	for (uint32_t i = 0; i < s->n; i++) {
		v[i] = tcp_sent_at(s, i);
	}
	drop_ring(s);
	s->v = v;
	s->cap = cap;
	return true;
}

static bool spare_room(struct tcp_sent *s)
{
	struct tcp_sent_entry *e;

	if (s->n_spare > 0) {
		return true;
	}
	e = mem_alloc(s->mem, sizeof(*e));
	if (!e) {
		return false;
	}
	list_push_back(&s->spare, &e->node);
	s->n_spare++;
	return true;
}

static struct tcp_sent_entry *entry_get(struct tcp_sent *s)
{
	struct list *n = list_pop_front(&s->spare);

	check(n != NULL);
	s->n_spare--;
	return of_node(n);
}

void tcp_sent_put(struct tcp_sent *s, struct tcp_sent_entry *e)
{
	if (s->n_spare >= SPARE_MAX) {
		mem_free(s->mem, e, sizeof(*e));
		return;
	}
	list_init(&e->node);
	list_push_front(&s->spare, &e->node);
	s->n_spare++;
}

static void ring_set(struct tcp_sent *s, uint32_t i, struct tcp_sent_entry *e)
{
	s->v[(s->first + i) & (s->cap - 1)] = e;
}

/* e becomes the i-th; there is room */
static void ring_insert(struct tcp_sent *s, uint32_t i,
			struct tcp_sent_entry *e)
{
	check(s->n < s->cap && i <= s->n);
	if (i < s->n / 2) {
		s->first = (s->first - 1) & (s->cap - 1);
		for (uint32_t k = 0; k < i; k++) {
			ring_set(s, k, tcp_sent_at(s, k + 1));
		}
	} else {
		for (uint32_t k = s->n; k > i; k--) {
			ring_set(s, k, tcp_sent_at(s, k - 1));
		}
	}
	s->n++;
	ring_set(s, i, e);
}

void tcp_sent_remove(struct tcp_sent *s, uint32_t i, uint32_t k)
{
	uint32_t after = s->n - i - k;

	if (i < after) {
		for (uint32_t j = i; j > 0; j--) {
			ring_set(s, j - 1 + k, tcp_sent_at(s, j - 1));
		}
		s->first = (s->first + k) & (s->cap - 1);
	} else {
		for (uint32_t j = 0; j < after; j++) {
			ring_set(s, i + j, tcp_sent_at(s, i + j + k));
		}
	}
	s->n -= k;
}

uint32_t tcp_sent_find(const struct tcp_sent *s, uint32_t seq)
{
	uint32_t lo = 0, hi = s->n;

	while (hi - lo > 1) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (seq_leq(tcp_sent_at(s, mid)->seq, seq)) {
			lo = mid;
		} else {
			hi = mid;
		}
	}
	return lo;
}

/* --- states -------------------------------------------------------------- */

void tcp_sent_count(struct tcp_sent *s, const struct tcp_sent_entry *e,
		    uint32_t n)
{
	switch (e->state) {
	case TCP_SENT_FLIGHT:
		s->in_flight += n;
		if (e->rtx > 0) {
			s->n_resent += n;
		}
		break;
	case TCP_SENT_LOST:
		s->n_lost += n;
		break;
	default:
		s->n_sacked += n;
		break;
	}
}

void tcp_sent_leave(struct tcp_sent *s, struct tcp_sent_entry *e)
{
	tcp_sent_count(s, e, 0u - e->len);
	if (e->state == TCP_SENT_SACKED) {
		s->sacked_segs -= e->segs;
	}
	if (s->lost_hint == &e->node) {
		s->lost_hint = e->node.prev;
	}
	list_del(&e->node);
}

void tcp_sent_enter(struct tcp_sent *s, struct tcp_sent_entry *e,
		    enum tcp_sent_state state)
{
	e->state = (uint8_t)state;
	tcp_sent_count(s, e, e->len);
	if (state == TCP_SENT_SACKED) {
		e->segs = (e->len + e->mss - 1) / e->mss;
		s->sacked_segs += e->segs;
	}
}

/* Retransmission goes by sequence where that is cheap to keep: losses are
 * found nearly in order, so the last insertion is a good place to start. */
static void enter_lost(struct tcp_sent *s, struct tcp_sent_entry *e)
{
	struct list *at = s->lost_hint, *head = &s->lost;
	uint32_t steps = LOST_SEARCH;

	tcp_sent_enter(s, e, TCP_SENT_LOST);
	if (list_empty(head) || seq_lt(e->seq, of_node(head->next)->seq)) {
		at = head;
	} else if (at == head) {
		at = head->prev;
	}
	while (at != head && seq_gt(of_node(at)->seq, e->seq) && steps > 0) {
		at = at->prev;
		steps--;
	}
	while (at->next != head && seq_lt(of_node(at->next)->seq, e->seq) &&
	       steps > 0) {
		at = at->next;
		steps--;
	}
	list_insert(at->next, &e->node);
	s->lost_hint = &e->node;
}

bool tcp_sent_split(struct tcp_sent *s, uint32_t i, uint32_t off)
{
	struct tcp_sent_entry *e = tcp_sent_at(s, i), *t;

	if (s->n >= TCP_SENT_MAX || !ring_room(s) || !spare_room(s)) {
		s->n_refused++;
		return false;
	}
	t = entry_get(s);
	*t = *e;
	list_init(&t->node);
	t->seq += off;
	t->len -= off;
	e->len = off;
	if (e->state != TCP_SENT_SACKED) {
		list_insert(e->node.next, &t->node);
	}
	ring_insert(s, i + 1, t);
	return true;
}

bool tcp_sent_can_add(struct tcp_sent *s)
{
	return s->n < TCP_SENT_MAX_NEW && ring_room(s) && spare_room(s);
}

bool tcp_sent_add(struct tcp_sent *s, struct instant now, uint32_t len,
		  uint16_t mss, bool app_limited)
{
	struct tcp_sent_entry *e;

	check(len > 0 && mss > 0);
	if (!tcp_sent_can_add(s)) {
		return false;
	}
	if (s->in_flight == 0 && s->n == 0) {
		s->delivered_at = now; /* a rate counts from here */
	}
	e = entry_get(s);
	*e = (struct tcp_sent_entry){
		.seq = s->nxt,
		.len = len,
		.base = s->nxt,
		.mss = mss,
		.app_limited = app_limited,
		.order = ++s->order,
		.tx = now,
		.first_tx = now,
		.delivered = s->delivered,
		.delivered_at = s->delivered_at,
	};
	list_push_back(&s->flight, &e->node);
	tcp_sent_enter(s, e, TCP_SENT_FLIGHT);
	ring_insert(s, s->n, e);
	s->nxt += len;
	return true;
}

/* --- loss and retransmission ---------------------------------------------- */

void tcp_sent_mark_lost(struct tcp_sent *s, struct tcp_sent_entry *e)
{
	check(e->state == TCP_SENT_FLIGHT);
	tcp_sent_leave(s, e);
	enter_lost(s, e);
}

uint32_t tcp_sent_mark_head_lost(struct tcp_sent *s, uint16_t mss)
{
	struct tcp_sent_entry *e;

	check(mss > 0);
	if (s->n == 0) {
		return 0;
	}
	e = tcp_sent_at(s, 0);
	if (e->state != TCP_SENT_FLIGHT) {
		return 0;
	}
	if (e->len > mss) {
		tcp_sent_split(s, 0, mss); /* refused: then all of it */
	}
	tcp_sent_mark_lost(s, e);
	return e->len;
}

void tcp_sent_mark_lost_by(struct tcp_sent *s, struct instant by,
			   bool clear_sack)
{
	for (uint32_t i = 0; i < s->n; i++) {
		struct tcp_sent_entry *e = tcp_sent_at(s, i);

		if ((e->state == TCP_SENT_SACKED && !clear_sack) ||
		    (e->state == TCP_SENT_FLIGHT && i > 0 &&
		     instant_before(by, e->tx))) {
			continue;
		}
		/* those LOST before leave, too, and come back in order */
		tcp_sent_leave(s, e);
		tcp_sent_enter(s, e, TCP_SENT_LOST);
		list_push_back(&s->lost, &e->node);
	}
	s->lost_hint = &s->lost;
}

void tcp_sent_mark_all_lost(struct tcp_sent *s, bool clear_sack)
{
	tcp_sent_mark_lost_by(s, INSTANT_NEVER, clear_sack);
}

static bool sent_before(const struct tcp_sent_entry *a,
			const struct tcp_sent_entry *b)
{
	return a->order < b->order ||
	       (a->order == b->order && seq_lt(a->seq, b->seq));
}

void tcp_sent_unmark_lost(struct tcp_sent *s)
{
	struct list *at = &s->flight, *n;
	uint32_t steps = s->n + LOST_SEARCH;

	while ((n = list_first(&s->lost))) {
		struct tcp_sent_entry *e = of_node(n);

		tcp_sent_leave(s, e);
		tcp_sent_enter(s, e, TCP_SENT_FLIGHT);
		if (at != &s->flight && sent_before(e, of_node(at))) {
			at = &s->flight;
		}
		while (at->next != &s->flight &&
		       sent_before(of_node(at->next), e) && steps > 0) {
			at = at->next;
			steps--;
		}
		list_insert(at->next, &e->node);
		at = &e->node;
	}
}

bool tcp_sent_reneged(const struct tcp_sent *s)
{
	return s->n > 0 && tcp_sent_at(s, 0)->state == TCP_SENT_SACKED;
}

struct tcp_sent_entry *tcp_sent_next_lost(struct tcp_sent *s, uint32_t max)
{
	struct list *n = list_first(&s->lost);
	struct tcp_sent_entry *e;

	check(max > 0);
	if (!n) {
		return NULL;
	}
	e = of_node(n);
	if (e->len > max) {
		tcp_sent_split(s, tcp_sent_find(s, e->seq), max);
	}
	return e;
}

struct tcp_sent_entry *tcp_sent_tail(struct tcp_sent *s, uint32_t max)
{
	struct tcp_sent_entry *e;
	uint32_t i = s->n, last;

	check(max > 0);
	while (i > 0 && tcp_sent_at(s, i - 1)->state == TCP_SENT_SACKED) {
		i--; /* at most once: SACKED neighbours are merged */
	}
	if (i == 0) {
		return NULL;
	}
	e = tcp_sent_at(s, i - 1);
	last = (end_of(e) - e->base) % e->mss;
	last = min_u32(min_u32(last ? last : e->mss, max), e->len);
	if (last == e->len) {
		return e;
	}
	return tcp_sent_split(s, i - 1, e->len - last) ? tcp_sent_at(s, i) : NULL;
}

void tcp_sent_resent(struct tcp_sent *s, struct tcp_sent_entry *e,
		     struct instant now, uint16_t mss)
{
	check(e->state != TCP_SENT_SACKED && mss > 0);
	tcp_sent_leave(s, e);
	if (e->rtx < UINT8_MAX) {
		e->rtx++;
	}
	e->order = ++s->order;
	e->tx = now;
	e->base = e->seq;
	e->mss = mss;
	e->delivered = s->delivered;
	e->delivered_at = s->delivered_at;
	tcp_sent_enter(s, e, TCP_SENT_FLIGHT);
	list_push_back(&s->flight, &e->node);
}

struct tcp_sent_entry *tcp_sent_oldest(const struct tcp_sent *s)
{
	struct list *n = list_first(&s->flight);

	return n ? of_node(n) : NULL;
}
