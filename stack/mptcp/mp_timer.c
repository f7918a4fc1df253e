#include "stack/mptcp/mp_timer.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

static void rearm(struct mp_timers *t)
{
	struct instant first = INSTANT_NEVER;

	for (unsigned i = 0; i < t->n; i++) {
		first = instant_min(first, t->due[i]);
	}
	if (instant_never(first)) {
		wheel_cancel(t->wheel, &t->w);
	} else if (t->w.when.ns != first.ns) {
		wheel_arm(t->wheel, &t->w, first);
	}
}

static void fired(struct wheel_timer *w, struct instant now)
{
	struct mp_timers *t = container_of(w, struct mp_timers, w);

	for (unsigned i = 0; i < t->n; i++) {
		if (instant_due(t->due[i], now)) {
			t->due[i] = INSTANT_NEVER;
			t->fire(t, (enum mp_timer)(t->first + i), now);
		}
	}
	rearm(t);
}

static struct instant *due_of(const struct mp_timers *t, enum mp_timer which)
{
	check(which >= t->first && which - t->first < t->n);
	return &t->due[which - t->first];
}

void mp_timer_init(struct mp_timers *t, struct wheel *wheel,
		   struct instant *due, enum mp_timer first, unsigned n,
		   void (*fire)(struct mp_timers *, enum mp_timer,
				struct instant))
{
	wheel_timer_init(&t->w, fired);
	t->wheel = wheel;
	t->fire = fire;
	t->due = due;
	t->first = (uint8_t)first;
	t->n = (uint8_t)n;
	for (unsigned i = 0; i < t->n; i++) {
		t->due[i] = INSTANT_NEVER;
	}
}

void mp_timer_set(struct mp_timers *t, enum mp_timer which,
		  struct instant when)
{
	*due_of(t, which) = when;
	rearm(t);
}

void mp_timer_stop(struct mp_timers *t, enum mp_timer which)
{
	if (!instant_never(*due_of(t, which))) {
		*due_of(t, which) = INSTANT_NEVER;
		rearm(t);
	}
}

void mp_timer_stop_all(struct mp_timers *t)
{
	for (unsigned i = 0; i < t->n; i++) {
		t->due[i] = INSTANT_NEVER;
	}
	wheel_cancel(t->wheel, &t->w);
}

bool mp_timer_on(const struct mp_timers *t, enum mp_timer which)
{
	return !instant_never(*due_of(t, which));
}

void mp_timer_conn(struct mp_timers *t, enum mp_timer which,
		   struct instant now)
{
	struct mp_conn *c = container_of(t, struct mp_conn, timers);

	switch (which) {
	case MP_T_DATA:
		mp_ack_timer(c, now);
		break;
	case MP_T_CORK:
		c->snd.cork_due = true;
		mp_dirty(c);
		break;
	case MP_T_ADDR:
		mp_addr_timer(c, now);
		break;
	case MP_T_PM:
		c->pm.due = true;
		mp_dirty(c);
		break;
	case MP_T_ALONE:
	case MP_T_LINGER:
	case MP_T_ORPHAN:
		mp_close_timer(c, which, now);
		break;
	case MP_T_MEM:
		c->snd.refused = false;
		mp_conn_writable(c, now);
		mp_dirty(c);
		break;
	case MP_T_FIRST:
		if (c->seal) {
			c->seal->held = false;
		}
		mp_dirty(c);
		break;
	case MP_T_CRYPT:
		mp_crypt_timer(c, now);
		break;
	case MP_T_JOIN:
	case MP_T_UNMAP:
	case MP_T_N:
		break;
	}
}

void mp_timer_sub(struct mp_timers *t, enum mp_timer which,
		  struct instant now)
{
	struct mp_sub *s = container_of(t, struct mp_sub, timers);

	if (which == MP_T_JOIN) {
		mp_join_timer(s, now);
	} else if (which == MP_T_UNMAP) {
		mp_rx_unmapped_timer(s, now);
	}
}
