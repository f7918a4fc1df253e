/* pm_default.c - the side that connected opens one subflow per path and peer
 * address; the other side announces its addresses (RFC 8684 3.4, 3.9)
 *
 * A pair of path and peer's endpoint that failed is not tried again (3.9.3)
 * until the peer announces the address afresh, says that the failure was
 * transient, or the path went down and up.  An open subflow that died gets one
 * more attempt.  What we had no memory or port for is tried again, slower each
 * time.  Without any subflow, everything is tried again, in rounds that slow
 * down.
 */
#include "stack/mptcp/pm/pm.h"

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define RETRY_WAIT     NANOS_S
#define TRANSIENT_MAX  3
#define FAILS_MAX      8
#define REFUSED_MAX    6 /* 64 s */
#define SETTLED        (10 * NANOS_S) /* it lived long enough to count anew */
#define ROUND_WAIT_MAX (8 * NANOS_S)

static void due(struct mp_conn *c)
{
	c->pm.due = true;
	mp_dirty(c);
}

static struct pm_try *find(struct mp_conn *c, unsigned path,
			   const struct endpoint *ep)
{
	for (unsigned i = 0; i < c->pm.n; i++) {
		struct pm_try *t = &c->pm.tries[i];

		if (t->path == path && endpoint_eq(&t->ep, ep)) {
			return t;
		}
	}
	return NULL;
}

/* NULL: no memory, or too many pairs; then there is no further attempt to
 * limit, because plan() needs an entry */
static struct pm_try *find_or_add(struct mp_conn *c, unsigned path,
				  const struct endpoint *ep)
{
	struct pm_try *t = find(c, path, ep);

	if (t) {
		return t;
	}
	if (!c->pm.tries) {
		c->pm.tries = mem_zalloc(c->mp->env->mem,
					 PM_TRIES_MAX * sizeof(*t));
	}
	if (!c->pm.tries || c->pm.n == PM_TRIES_MAX) {
		return NULL;
	}
	t = &c->pm.tries[c->pm.n++];
	*t = (struct pm_try){ .ep = *ep, .path = (uint16_t)path };
	return t;
}

static bool in_use(const struct mp_conn *c, unsigned path,
		   const struct endpoint *ep)
{
	list_each(n, &c->subs) {
		const struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->path == path && endpoint_eq(&s->t.remote, ep)) {
			return true;
		}
	}
	return false;
}

static void try_pair(struct mp_conn *c, struct instant now, unsigned path,
		     const struct endpoint *ep, uint8_t id,
		     struct instant *wake)
{
	const struct ip_path *p = ip_path(c->mp->ip, path);
	struct pm_try *t;

	if (!p || !p->up || !ip_source(c->mp->ip, path, &ep->addr) ||
	    in_use(c, path, ep) || c->n_subs >= c->mp->cfg.subflows_max) {
		return;
	}
	t = find_or_add(c, path, ep);
	if (!t && !c->pm.tries) {
		*wake = instant_min(*wake, instant_add(now, RETRY_WAIT));
	}
	if (!t || t->final) {
		return;
	}
	if (instant_before(now, t->when)) {
		*wake = instant_min(*wake, t->when);
		return;
	}
	if (mp_join_open(c, now, path, ep, id)) {
		t->refused = 0;
		return;
	}
	/* no memory or no port: that says nothing about the path */
	t->when = instant_add(now, RETRY_WAIT << t->refused);
	t->refused = t->refused < REFUSED_MAX ? t->refused + 1 : REFUSED_MAX;
	*wake = instant_min(*wake, t->when);
}

static bool may_join(const struct mp_conn *c)
{
	return c->mode == MP_MODE_MPTCP && c->dss_in && mp_crypt_may_join(c) &&
	       c->fsm.state < MP_ST_TIME_WAIT &&
	       (!c->passive || c->mp->cfg.server_joins);
}

static void run(struct mp_conn *c, struct instant now)
{
	struct instant wake = INSTANT_NEVER;

	if (!may_join(c)) {
		return;
	}
	for (unsigned path = 0; path < IP_PATHS_MAX; path++) {
		if (!c->peer_deny_join) {
			try_pair(c, now, path, &c->t.remote, 0, &wake);
		}
		for (unsigned i = 0; c->addrs.remote && i < MP_ADDRS_MAX;
		     i++) {
			const struct mp_addr *r = &c->addrs.remote[i];

			if (r->used) {
				try_pair(c, now, path, &r->ep, r->id, &wake);
			}
		}
	}
	if (!instant_never(wake)) {
		mp_timer_set(&c->timers, MP_T_PM, wake);
	}
}

static void confirmed(struct mp_conn *c, struct instant now)
{
	(void)now;
	mp_addr_announce(c);
	due(c);
}

static void announced(struct mp_conn *c, struct instant now,
		      const struct endpoint *ep)
{
	(void)now;
	for (unsigned i = 0; i < c->pm.n; i++) {
		struct pm_try *t = &c->pm.tries[i];

		if (endpoint_eq(&t->ep, ep)) {
			t->final = false;
			t->fails = 0;
		}
	}
	due(c);
}

static void failed(struct mp_conn *c, struct instant now,
		   const struct mp_sub *s, bool transient)
{
	struct pm_try *t = find_or_add(c, s->path, &s->t.remote);

	if (t) {
		t->fails = t->fails < FAILS_MAX ? t->fails + 1 : FAILS_MAX;
		t->final = !transient || t->fails >= TRANSIENT_MAX;
		t->when = instant_add(now, RETRY_WAIT << t->fails);
	}
	due(c);
}

static void lost(struct mp_conn *c, struct instant now,
		 const struct mp_sub *s)
{
	struct pm_try *t = find_or_add(c, s->path, &s->t.remote);

	if (t) {
		if (instant_since(now, s->born) >= SETTLED) {
			t->retried = false;
		}
		/* RFC 8684 3.6: without T the peer asks not to */
		t->final = t->retried ||
			   (s->rst_in && !s->rst_in_transient);
		t->retried = true;
		t->when = instant_add(now, RETRY_WAIT);
	}
	due(c);
}

/* At once, and slower each time: also when joins open, and die of what is on
 * their way.  Only octets that got across are a reason to hurry again. */
static void alone(struct mp_conn *c, struct instant now)
{
	uint64_t across = c->snd.una + c->rcv.nxt;
	nanos wait;

	if (across != c->pm.across) {
		c->pm.across = across;
		c->pm.alone = 0;
	}
	wait = nanos_min(RETRY_WAIT << c->pm.alone, ROUND_WAIT_MAX);
	for (unsigned i = 0; i < c->pm.n; i++) {
		c->pm.tries[i].final = false;
		c->pm.tries[i].when = c->pm.alone ? instant_add(now, wait) :
						    now;
	}
	if (c->pm.alone < 8) {
		c->pm.alone++;
	}
	due(c);
}

static bool elsewhere(const struct mp_conn *c, unsigned path)
{
	list_each(n, &c->subs) {
		const struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->path != path && mp_sub_usable(s)) {
			return true;
		}
	}
	return false;
}

/* The address cannot be used any more; if others work, the peer is told. */
static void path_down(struct mp_conn *c, struct instant now, unsigned path)
{
	uint8_t told = UINT8_MAX;

	if (!elsewhere(c, path)) {
		return;
	}
	list_each_safe(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);
		uint8_t id = s->local_id;

		if (s->path != path) {
			continue;
		}
		mp_count(c->mp, MP_RM_SUBFLOW);
		mp_sub_reset_why(s, MP_RST_RESOURCES, true);
		mp_sub_abort(s, now);
		if (id != told) {
			mp_addr_remove(c, id);
			told = id;
		}
	}
}

static void path_changed(struct mp_conn *c, struct instant now,
			 unsigned path, bool up)
{
	if (!up) {
		path_down(c, now, path);
		return;
	}
	for (unsigned i = 0; i < c->pm.n; i++) {
		struct pm_try *t = &c->pm.tries[i];

		if (t->path == path) {
			*t = (struct pm_try){ .ep = t->ep, .path = t->path };
		}
	}
	if (c->confirmed) {
		mp_addr_announce(c);
	}
	due(c);
}

const struct pm_ops pm_default = {
	.name = "default",
	.confirmed = confirmed,
	.announced = announced,
	.failed = failed,
	.lost = lost,
	.alone = alone,
	.path = path_changed,
	.run = run,
};
