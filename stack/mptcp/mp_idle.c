#include "stack/mptcp/mp_idle.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

void mp_idle_trim(struct mp_conn *c)
{
	ring_trim(&c->snd.ring);
	if (mp_sealed(c)) {
		ring_trim(&c->seal->stage);
		mp_frames_trim(&c->seal->frames);
		crypt_rest(c->crypt.k);
	}
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		mp_map_trim(&s->tx);
		mp_map_trim(&s->rx);
		if (s->tcb) {
			tcp_trim(s->tcb);
		}
	}
}

static void arm(struct mp_idle *i, struct instant now)
{
	if (!wheel_armed(&i->timer) && !list_empty(&i->conns)) {
		wheel_arm(i->wheel, &i->timer, instant_add(now, MP_IDLE_STEP));
	}
}

static void look(struct wheel_timer *t, struct instant now)
{
	struct mp_idle *i = container_of(t, struct mp_idle, timer);
	bool trimmed = false;

	list_each_safe(n, &i->conns) {
		struct mp_conn *c = list_entry(n, struct mp_conn, idle.node);

		if (c->idle.busy) {
			c->idle.busy = false;
		} else {
			/* what it still holds brings another turn */
			list_del(&c->idle.node);
			mp_idle_trim(c);
			trimmed = true;
		}
	}
	/* or all that was busy is over */
	if (trimmed || list_empty(&i->conns)) {
		mem_rest(i->mem);
	}
	arm(i, now);
}

void mp_idle_init(struct mp_idle *i, struct wheel *wheel, struct mem *mem)
{
	i->wheel = wheel;
	i->mem = mem;
	list_init(&i->conns);
	wheel_timer_init(&i->timer, look);
}

void mp_idle_fini(struct mp_idle *i)
{
	wheel_cancel(i->wheel, &i->timer);
}

void mp_idle_turn(struct mp_conn *c, struct instant now)
{
	if (c->dead) {
		return;
	}
	c->idle.busy = true;
	if (!list_linked(&c->idle.node)) {
		list_push_back(&c->mp->idle.conns, &c->idle.node);
		arm(&c->mp->idle, now);
	}
}
