/* wheel.c - how the wheel turns
 *
 * Time is counted in ticks since the clock's zero and written in digits of
 * WHEEL_BITS bits.  A timer sits at the level of the highest digit in which
 * its tick differs from the wheel's, in the slot of that digit.  So all timers
 * of a level expire before all timers of the next, slots of a level in
 * rising order; the next slot to open is found by looking at one word per
 * level.  When the wheel reaches the first tick of a slot above level 0, its
 * timers move down, in order.  Timers of one tick therefore stay in the order
 * in which they were armed.
 *
 * Only the top level turns in a circle.  What lies beyond it waits in its last
 * slot and is placed anew from there.
 */
#include "stack/base/wheel.h"

#include "stack/base/check.h"

#define TOP       (WHEEL_LEVELS - 1)
#define TOP_SHIFT (WHEEL_BITS * TOP)
#define SLOT_MASK ((uint64_t)WHEEL_SLOTS - 1)

/* the last tick that has begun at `now` */
static uint64_t tick_at(struct instant now)
{
	return now.ns <= 0 ? 0 : (uint64_t)now.ns / (uint64_t)WHEEL_TICK;
}

/* the first tick that begins at or after `when` */
static uint64_t tick_due(struct instant when)
{
	uint64_t tick = (uint64_t)WHEEL_TICK;

	return when.ns <= 0 ? 0 : ((uint64_t)when.ns + tick - 1) / tick;
}

static struct instant tick_begin(uint64_t tick)
{
	if (tick > (uint64_t)(INT64_MAX / WHEEL_TICK)) {
		return INSTANT_NEVER;
	}
	return (struct instant){ (int64_t)tick * WHEEL_TICK };
}

void wheel_init(struct wheel *w, struct instant now)
{
	w->tick = tick_at(now);
	w->n = 0;
	for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
		w->busy[l] = 0;
		for (unsigned s = 0; s < WHEEL_SLOTS; s++) {
			list_init(&w->slot[l][s]);
		}
	}
}

void wheel_timer_init(struct wheel_timer *t,
		      void (*fire)(struct wheel_timer *, struct instant))
{
	list_init(&t->node);
	t->when = INSTANT_NEVER;
	t->fire = fire;
}

bool wheel_armed(const struct wheel_timer *t)
{
	return !instant_never(t->when);
}

static void place(struct wheel *w, struct wheel_timer *t)
{
	uint64_t due = max_u64(tick_due(t->when), w->tick);
	uint64_t diff = due ^ w->tick;
	unsigned level = 0;
	uint64_t slot;

	if (diff > SLOT_MASK) {
		level = (63 - (unsigned)__builtin_clzll(diff)) / WHEEL_BITS;
	}
	if (level < TOP) {
		slot = due >> (WHEEL_BITS * level);
	} else {
		uint64_t at = w->tick >> TOP_SHIFT;

		level = TOP;
		slot = at + min_u64((due >> TOP_SHIFT) - at, SLOT_MASK);
	}
	slot &= SLOT_MASK;
	list_push_back(&w->slot[level][slot], &t->node);
	w->busy[level] |= (uint64_t)1 << slot;
}

/* takes t off its list; a slot that becomes empty is no longer busy */
static void unplace(struct wheel *w, struct wheel_timer *t)
{
	struct list *alone = t->node.next == t->node.prev ? t->node.next : NULL;
	uintptr_t first = (uintptr_t)&w->slot[0][0];
	uintptr_t at = (uintptr_t)alone;

	list_del(&t->node);
	/* the head may also be that of the list being fired */
	if (at >= first && at < first + sizeof(w->slot)) {
		size_t i = (at - first) / sizeof(struct list);

		w->busy[i / WHEEL_SLOTS] &= ~((uint64_t)1 << i % WHEEL_SLOTS);
	}
}

void wheel_arm(struct wheel *w, struct wheel_timer *t, struct instant when)
{
	wheel_cancel(w, t);
	if (instant_never(when)) {
		return;
	}
	t->when = when;
	w->n++;
	place(w, t);
}

void wheel_cancel(struct wheel *w, struct wheel_timer *t)
{
	if (!wheel_armed(t)) {
		return;
	}
	check(w->n > 0);
	unplace(w, t);
	t->when = INSTANT_NEVER;
	w->n--;
}

/* the slot that opens next and its first tick; false: the wheel is empty */
static bool next_slot(const struct wheel *w, unsigned *level, unsigned *slot,
		      uint64_t *tick)
{
	for (unsigned l = 0; l < TOP; l++) {
		unsigned shift = WHEEL_BITS * l;
		uint64_t above = w->tick >> shift & ~SLOT_MASK;

		if (w->busy[l]) {
			*level = l;
			*slot = (unsigned)__builtin_ctzll(w->busy[l]);
			*tick = (above | *slot) << shift;
			return true;
		}
	}
	if (w->busy[TOP]) {
		uint64_t at = (w->tick >> TOP_SHIFT) + 1;
		unsigned turn = (unsigned)(at & SLOT_MASK);
		uint64_t busy = w->busy[TOP] >> turn |
				w->busy[TOP] << (-turn % WHEEL_SLOTS);

		at += (unsigned)__builtin_ctzll(busy);
		*level = TOP;
		*slot = (unsigned)(at & SLOT_MASK);
		*tick = at << TOP_SHIFT;
		return true;
	}
	return false;
}

struct instant wheel_deadline(const struct wheel *w)
{
	unsigned level, slot;
	uint64_t tick;

	return next_slot(w, &level, &slot, &tick) ? tick_begin(tick)
						  : INSTANT_NEVER;
}

static struct wheel_timer *timer_of(struct list *node)
{
	return list_entry(node, struct wheel_timer, node);
}

/* merges the sorted runs a and b, linked by next and ended by NULL; of equal
 * timers those of a come first */
static struct list *merge(struct list *a, struct list *b)
{
	struct list *head = NULL, **end = &head;

	while (a && b) {
		struct list **from =
			instant_before(timer_of(b)->when, timer_of(a)->when)
				? &b
				: &a;

		*end = *from;
		end = &(*from)->next;
		*from = (*from)->next;
	}
	*end = a ? a : b;
	return head;
}

static bool sorted(const struct list *head)
{
	nanos last = INT64_MIN;

	list_each (p, head) {
		nanos when = timer_of(p)->when.ns;

		if (when < last) {
			return false;
		}
		last = when;
	}
	return true;
}

/* stable, by when: bottom-up merge sort, run[i] holds 2^i timers or none */
static void sort(struct list *head)
{
	struct list *run[32] = { NULL }, *all = NULL, *next;

	if (sorted(head)) {
		return;
	}
	head->prev->next = NULL;
	for (struct list *p = head->next; p; p = next) {
		unsigned i = 0;

		next = p->next;
		p->next = NULL;
		for (; i < 31 && run[i]; i++) {
			p = merge(run[i], p);
			run[i] = NULL;
		}
		run[i] = merge(run[i], p);
	}
	for (unsigned i = 0; i < 32; i++) {
		all = merge(run[i], all);
	}
	list_init(head);
	for (; all; all = next) {
		next = all->next;
		list_push_back(head, all);
	}
}

/* moves what is due at tick `upto` to `due`; the wheel then stands there */
static void collect(struct wheel *w, uint64_t upto, struct list *due)
{
	unsigned level, slot;
	uint64_t tick;

	while (next_slot(w, &level, &slot, &tick) && tick <= upto) {
		struct list *head = &w->slot[level][slot];
		struct list moved = *head;

		moved.next->prev = &moved;
		moved.prev->next = &moved;
		list_init(head);
		w->busy[level] &= ~((uint64_t)1 << slot);
		w->tick = tick;
		list_each_safe (p, &moved) {
			if (level == 0) {
				list_push_back(due, p);
			} else {
				place(w, timer_of(p));
			}
		}
	}
	w->tick = upto;
}

void wheel_advance(struct wheel *w, struct instant now)
{
	struct list due, *p;

	list_init(&due);
	collect(w, max_u64(tick_at(now), w->tick), &due);
	sort(&due);
	while ((p = list_pop_front(&due)) != NULL) {
		struct wheel_timer *t = timer_of(p);

		t->when = INSTANT_NEVER;
		w->n--;
		t->fire(t, now);
	}
}
