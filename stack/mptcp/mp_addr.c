/* mp_addr.c - addresses announced and withdrawn (RFC 8684 3.4)
 *
 * Local IDs are the same for every connection: 0 is the address of its first
 * subflow, others are numbered by path and place.  One ADD_ADDR is under way
 * at a time, until its echo or the last try.
 */
#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define TRIES      3
#define FIRST_WAIT NANOS_S
#define PROBES     3

static uint8_t id_of(unsigned path, unsigned i)
{
	return (uint8_t)(1 + path * IP_PATH_ADDRS_MAX + i);
}

uint8_t mp_addr_local_id(const struct mp_conn *c, const struct addr *a)
{
	if (addr_eq(a, &c->t.local.addr)) {
		return 0;
	}
	for (unsigned i = 0; i < IP_PATHS_MAX; i++) {
		const struct ip_path *p = ip_path(c->mp->ip, i);

		for (unsigned k = 0; p && k < p->n_addr; k++) {
			if (addr_eq(a, &p->addr[k])) {
				return id_of(i, k);
			}
		}
	}
	return UINT8_MAX;
}

bool mp_addr_by_id(const struct mp_conn *c, uint8_t id, struct addr *out)
{
	unsigned i = (unsigned)(id - 1) / IP_PATH_ADDRS_MAX;
	unsigned k = (unsigned)(id - 1) % IP_PATH_ADDRS_MAX;
	const struct ip_path *p = id ? ip_path(c->mp->ip, i) : NULL;

	if (!p || k >= p->n_addr) {
		return false;
	}
	*out = p->addr[k];
	return true;
}

/* --- announcing ------------------------------------------------------ */

static void next_announcement(struct mp_conn *c)
{
	struct mp_addrs *a = &c->addrs;

	a->cur = 0;
	a->cur_due = false;
	mp_timer_stop(&c->timers, MP_T_ADDR);
	for (uint8_t id = 1; id < 64; id++) {
		if (a->to_announce & UINT64_C(1) << id) {
			a->cur = id;
			a->tries = 0;
			a->cur_due = true;
			mp_dirty(c);
			return;
		}
	}
}

void mp_addr_announce(struct mp_conn *c)
{
	struct mp_addrs *a = &c->addrs;

	if (!c->mp->cfg.announce || !c->passive ||
	    c->mode != MP_MODE_MPTCP || !mp_crypt_may_join(c)) {
		return;
	}
	for (unsigned i = 0; i < IP_PATHS_MAX; i++) {
		const struct ip_path *p = ip_path(c->mp->ip, i);

		for (unsigned k = 0; p && p->up && k < p->n_addr; k++) {
			uint8_t id = id_of(i, k);
			uint64_t bit = UINT64_C(1) << id;

			if (mp_addr_local_id(c, &p->addr[k]) &&
			    !(a->announced & bit)) {
				a->to_announce |= bit;
				a->announced |= bit;
			}
		}
	}
	if (!a->cur) {
		next_announcement(c);
	}
}

void mp_addr_timer(struct mp_conn *c, struct instant now)
{
	struct mp_addrs *a = &c->addrs;

	(void)now;
	if (!a->cur) {
		return;
	}
	if (++a->tries >= TRIES) {
		a->to_announce &= ~(UINT64_C(1) << a->cur);
		next_announcement(c);
		return;
	}
	a->cur_due = true;
	mp_dirty(c);
}

bool mp_addr_due(const struct mp_conn *c)
{
	return c->addrs.cur_due || c->addrs.n_echo;
}

static unsigned emit_echo(struct mp_conn *c, struct wr *w)
{
	for (unsigned i = 0; c->addrs.remote && i < MP_ADDRS_MAX; i++) {
		struct mp_addr *r = &c->addrs.remote[i];
		struct mp_opt_add_addr o = { .echo = true, .id = r->id,
					     .addr = r->ep.addr,
					     .port = r->port };
		unsigned n;

		if (!r->used || !r->echo) {
			continue;
		}
		n = mp_opt_emit_add_addr(w, &o);
		if (n || wr_len(w) == 0) {
			/* sent, or hopeless */
			r->echo = false;
			c->addrs.n_echo--;
			mp_count(c->mp, MP_ADD_ADDR_ECHO_TX);
		}
		return n;
	}
	return 0;
}

unsigned mp_addr_emit(struct mp_sub *s, struct wr *w, struct instant now)
{
	struct mp_conn *c = s->c;
	struct mp_addrs *a = &c->addrs;
	struct mp_opt_add_addr o = { .id = a->cur };
	size_t before = wr_len(w);
	unsigned n;

	if (a->n_echo) {
		return emit_echo(c, w);
	}
	if (!a->cur_due) {
		return 0;
	}
	a->cur_due = false;
	if (!mp_addr_by_id(c, a->cur, &o.addr) ||
	    !mp_crypt_addr_mac(c, true, &o, o.mac)) {
		return 0;
	}
	n = mp_opt_emit_add_addr(w, &o);
	if (!n && before) {
		a->cur_due = true; /* alone it will fit */
		return 0;
	}
	mp_count(c->mp, MP_ADD_ADDR_TX);
	mp_timer_set(&c->timers, MP_T_ADDR,
		     instant_add(now, FIRST_WAIT << a->tries));
	return n;
}

void mp_addr_remove(struct mp_conn *c, uint8_t id)
{
	struct mp_addrs *a = &c->addrs;

	if (id < 64) {
		a->to_announce &= ~(UINT64_C(1) << id);
		a->announced &= ~(UINT64_C(1) << id);
		if (a->cur && a->cur == id) {
			next_announcement(c);
		}
	}
	list_each(n, &c->subs) {
		struct mp_sub *s = list_entry(n, struct mp_sub, node);

		if (s->state == MP_SUB_OPEN && s->sig.n_rm < MP_RM_MAX) {
			s->sig.rm[s->sig.n_rm++] = id;
		}
	}
	mp_dirty(c);
}

/* --- received -------------------------------------------------------- */

static void rx_echo(struct mp_conn *c, const struct mp_opt_add_addr *a)
{
	struct addr cur;

	mp_count(c->mp, MP_ADD_ADDR_ECHO_RX);
	if (!c->addrs.cur || a->id != c->addrs.cur || a->port ||
	    !mp_addr_by_id(c, a->id, &cur) || !addr_eq(&cur, &a->addr)) {
		return; /* an answer to something else */
	}
	c->addrs.to_announce &= ~(UINT64_C(1) << a->id);
	next_announcement(c);
}

/* the entry for this ID, or a free one; NULL: the ID has another address, the
 * table is full, or there is no memory for it */
static struct mp_addr *entry_for(struct mp_conn *c,
				 const struct mp_opt_add_addr *a)
{
	struct mp_addr *free = NULL;

	if (!c->addrs.remote) {
		c->addrs.remote = mem_zalloc(c->mp->env->mem,
					     MP_ADDRS_MAX * sizeof(*free));
	}
	for (unsigned i = 0; c->addrs.remote && i < MP_ADDRS_MAX; i++) {
		struct mp_addr *r = &c->addrs.remote[i];

		if (!r->used) {
			free = free ? free : r;
		} else if (r->id == a->id) {
			return addr_eq(&r->ep.addr, &a->addr) ? r : NULL;
		}
	}
	return free;
}

void mp_addr_rx_add(struct mp_sub *s, struct instant now,
		    const struct mp_opt_add_addr *a)
{
	struct mp_conn *c = s->c;
	struct mp_addr *r;
	uint8_t mac[8];

	if (a->echo) {
		rx_echo(c, a);
		return;
	}
	if (mp_crypt_early(c)) {
		mp_count(c->mp, MP_CRYPT_EARLY);
		return;
	}
	if (!mp_crypt_addr_mac(c, false, a, mac) ||
	    !prim_equal(mac, a->mac, sizeof(mac))) {
		mp_count(c->mp, MP_ADD_ADDR_MAC);
		return;
	}
	mp_count(c->mp, MP_ADD_ADDR_RX);
	r = a->id && ip_is_peer(c->mp->ip, &a->addr) ? entry_for(c, a) : NULL;
	if (!r) {
		mp_count(c->mp, MP_ADD_ADDR_DROP);
		return;
	}
	if (!r->used || !r->echo) {
		c->addrs.n_echo++;
	}
	r->used = true;
	r->echo = true;
	r->id = a->id;
	r->port = a->port;
	r->ep = endpoint_make(a->addr, a->port ? a->port : s->t.remote.port);
	c->mp->pm->announced(c, now, &r->ep);
	mp_dirty(c);
}

/* RFC 8684 3.4.2: the subflows that use it are probed; whether they stay is
 * for the answer to say */
void mp_addr_rx_remove(struct mp_conn *c, struct instant now,
		       const uint8_t *ids, unsigned n)
{
	mp_count(c->mp, MP_RM_ADDR_RX);
	for (unsigned k = 0; k < n; k++) {
		for (unsigned i = 0; c->addrs.remote && i < MP_ADDRS_MAX;
		     i++) {
			struct mp_addr *r = &c->addrs.remote[i];

			if (r->used && r->id == ids[k]) {
				c->addrs.n_echo = (uint8_t)(c->addrs.n_echo - r->echo);
				*r = (struct mp_addr){ 0 };
			}
		}
		list_each(m, &c->subs) {
			struct mp_sub *s = list_entry(m, struct mp_sub, node);

			if (s->state == MP_SUB_OPEN &&
			    s->remote_id == ids[k]) {
				s->probed = true;
				tcp_probe_alive(s->tcb, now, PROBES);
			}
		}
		c->peer_deny_join = c->peer_deny_join || !ids[k];
	}
}
