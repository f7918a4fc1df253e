#include "stack/tcp/tcp_tfo.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_ack.h"
#include "stack/tcp/tcp_in.h"
#include "stack/tcp/tcp_listen.h"
#include "stack/tcp/tcp_mtu.h"
#include "stack/tcp/tcp_timer.h"

/* RFC 7413 4.1.3 */
#define MSS_UNKNOWN  536
#define MSS_UNKNOWN6 1220
#define QUIET_STEPS 10

/* a server's cookie; len 0: none yet */
struct known {
	struct hnode node;
	struct list link; /* in tcp_tfo.used */
	struct addr local, remote;
	uint16_t mss;
	uint8_t len;
	uint8_t cookie[TCP_HDR_TFO_MAX];
	uint8_t lost; /* SYNs in a row that only went through without */
	struct instant again;
};

void tcp_tfo_init(struct tcp_tfo *f)
{
	memset(f, 0, sizeof(*f));
	list_init(&f->used);
}

static void known_free(struct tcp_tfo *f, struct mem *mem, struct known *k)
{
	hmap_del(&f->cache, &k->node);
	list_del(&k->link);
	mem_free(mem, k, sizeof(*k));
}

void tcp_tfo_fini(struct tcp_tfo *f, struct mem *mem)
{
	list_each_safe(n, &f->used) {
		known_free(f, mem, list_entry(n, struct known, link));
	}
	if (f->have_cache) {
		hmap_fini(&f->cache);
	}
}

static struct tcp_tfo_conn *conn_of(struct tcb *tcb)
{
	if (!tcb->tfo) {
		tcb->tfo = mem_zalloc(tcb->tcp->env->mem, sizeof(*tcb->tfo));
		if (!tcb->tfo) {
			tcb_count(tcb, TCP_DROP_NOMEM);
			return NULL;
		}
		list_init(&tcb->tfo->link);
	}
	return tcb->tfo;
}

/* --- the client's table ---------------------------------------------------- */

static uint64_t pair_hash(const struct tcp_tfo *f, const struct tuple *t)
{
	struct addr pair[2] = { t->local.addr, t->remote.addr };

	return siphash13(&f->hash, pair, sizeof(pair));
}

static struct known *find(const struct tcp_tfo *f, const struct tuple *t)
{
	if (!f->have_cache) {
		return NULL;
	}
	for (struct hnode *n = hmap_find(&f->cache, pair_hash(f, t)); n;
	     n = hmap_find_next(n)) {
		struct known *k = container_of(n, struct known, node);

		if (addr_eq(&k->local, &t->local.addr) &&
		    addr_eq(&k->remote, &t->remote.addr)) {
			return k;
		}
	}
	return NULL;
}

static bool cache_ready(struct tcp *tcp)
{
	struct tcp_tfo *f = &tcp->tfo;

	if (!f->have_cache) {
		tcp->env->entropy.fill(tcp->env->entropy.ctx, &f->hash,
				       sizeof(f->hash));
		f->have_cache = hmap_init(&f->cache, tcp->env->mem,
					  TCP_TFO_CACHE_MAX);
	}
	return f->have_cache;
}

/* the entry of this pair, perhaps a new one; NULL: no memory */
static struct known *entry(struct tcb *tcb)
{
	struct tcp_tfo *f = &tcb->tcp->tfo;
	struct mem *mem = tcb->tcp->env->mem;
	const struct tuple *t = &tcb->entry.t;
	struct known *k = find(f, t);
	struct list *oldest;

	if (k) {
		list_del(&k->link);
		list_push_back(&f->used, &k->link);
		return k;
	}
	if (!cache_ready(tcb->tcp)) {
		return NULL;
	}
	oldest = f->cache.n >= TCP_TFO_CACHE_MAX ? list_first(&f->used) : NULL;
	if (oldest) {
		known_free(f, mem, list_entry(oldest, struct known, link));
	}
	k = mem_zalloc(mem, sizeof(*k));
	if (!k) {
		return NULL;
	}
	k->local = t->local.addr;
	k->remote = t->remote.addr;
	list_init(&k->link);
	hmap_add(&f->cache, &k->node, pair_hash(f, t));
	list_push_back(&f->used, &k->link);
	return k;
}

/* --- client ----------------------------------------------------------------- */

void tcp_tfo_open(struct tcb *tcb, struct instant now)
{
	struct known *k = find(&tcb->tcp->tfo, &tcb->entry.t);
	struct tcp_tfo_conn *c;

	if (k && k->lost > 1 && instant_before(now, k->again)) {
		return;
	}
	c = conn_of(tcb);
	if (!c) {
		return;
	}
	c->mss = k && k->mss ? (uint16_t)max_u32(k->mss, TCP_MSS_MIN)
		 : tcb->entry.t.remote.addr.family == 6 ? MSS_UNKNOWN6
							: MSS_UNKNOWN;
	c->bold = tcb->conf.tfo_no_cookie;
	c->option = !c->bold;
	if (k && k->len) {
		c->len = k->len;
		memcpy(c->cookie, k->cookie, k->len);
	}
	if (tcp_tfo_most(tcb) > 0) {
		c->hold = true;
		tcb->owe &= (uint8_t)~TCP_OWE_SYN;
	}
}

bool tcp_tfo_holds(const struct tcb *tcb)
{
	return tcb->tfo && tcb->tfo->hold && !tcb->dead;
}

uint32_t tcp_tfo_most(const struct tcb *tcb)
{
	return tcp_tfo_room(tcb, TCP_HDR_OPT_MAX);
}

void tcp_tfo_go(struct tcb *tcb)
{
	if (tcp_tfo_holds(tcb)) {
		tcb->tfo->hold = false;
		tcb->owe |= TCP_OWE_SYN;
		tcb_ready(tcb);
	}
}

/* RFC 7413 4.1.3: the MSS that the server had is without options */
uint32_t tcp_tfo_room(const struct tcb *tcb, unsigned opt_len)
{
	const struct tcp_tfo_conn *c = tcb->tfo;
	uint32_t most;

	if (!c || c->quiet || (!c->len && !c->bold)) {
		return 0;
	}
	most = min_u32(c->mss, tcb->mss.ours);
	return most > opt_len ? most - opt_len : 0;
}

bool tcp_tfo_acceptable(const struct tcb *tcb, uint32_t ack)
{
	uint32_t sent = tcb->tfo ? tcb->tfo->sent : 0;

	return ack - (tcb->snd.iss + 1) <= sent;
}

/* RFC 7413 4.1.3.1; once may be by chance (Linux's rule) */
static void went_wrong(struct tcb *tcb, struct known *k, struct instant now)
{
	k->lost = k->lost < QUIET_STEPS ? (uint8_t)(k->lost + 1) : QUIET_STEPS;
	k->again = instant_add(now, TCP_TFO_QUIET << k->lost);
	tcb_count(tcb, TCP_TFO_ACTIVE_FAIL);
}

static void learn(struct tcb *tcb, struct instant now,
		  const struct tcp_seg *seg)
{
	const struct tcp_tfo_conn *c = tcb->tfo;
	const struct tcp_opts *o = &seg->opts;
	/* the first SYN got lost, or its data were not wanted and there is no
	 * better cookie */
	bool lost = (c->quiet || (c->sent && !o->tfo_len)) &&
		    seg->ack == tcb->snd.iss + 1;
	struct known *k;

	if (!o->tfo_len && !lost && seg->ack == tcb->snd.iss + 1) {
		return;
	}
	k = entry(tcb);
	if (!k) {
		tcb_count(tcb, TCP_DROP_NOMEM);
		return;
	}
	k->mss = o->has_mss ? o->mss : k->mss;
	if (lost) {
		went_wrong(tcb, k, now);
	} else {
		k->lost = 0;
	}
	if (o->tfo_len) {
		k->len = o->tfo_len;
		memcpy(k->cookie, o->tfo, k->len);
	}
}

/* Data of the SYN that were acknowledged were sent then; all others are as if
 * they never had been. */
void tcp_tfo_synack(struct tcb *tcb, struct instant now,
		    const struct tcp_seg *seg)
{
	uint32_t n = seg->ack - (tcb->snd.iss + 1);

	learn(tcb, now, seg);
	if (n) {
		tcb_count(tcb, TCP_TFO_ACTIVE);
		tcp_recover_sent(&tcb->rec, tcb->snd.last, n,
				 (uint16_t)tcb_mss(tcb), true);
		tcp_ack_segment(tcb, now, seg);
	} else if (tcb->tfo->sent && !tcb->tfo->quiet && seg->opts.tfo_len) {
		tcb_count(tcb, TCP_TFO_ACTIVE_FAIL);
	}
	if (!tcb->dead) {
		tcp_tfo_end(tcb);
	}
}

/* --- server ----------------------------------------------------------------- */

static void give(struct tcb *tcb, const struct tcp_listener *l)
{
	struct tcp_tfo_conn *c = conn_of(tcb);

	if (c) {
		c->option = true;
		c->len = TCP_TFO_COOKIE;
		tcp_tfo_cookie_make(&tcb->tcp->tfo.secret, &l->tfo_keys,
				    &tcb->entry.t, c->cookie);
	}
}

/* RFC 7413 4.1.2: may its data be taken? */
static bool looks_good(struct tcb *tcb, const struct tcp_listener *l,
		       const struct tcp_seg *syn)
{
	if (tcb->conf.tfo_no_cookie) {
		return true;
	}
	if (!syn->opts.has_tfo) {
		return false;
	}
	if (!syn->opts.tfo_len) {
		tcb_count(tcb, TCP_TFO_REQUEST);
		give(tcb, l);
		return false;
	}
	switch (tcp_tfo_cookie_check(&tcb->tcp->tfo.secret, &l->tfo_keys,
				     &syn->t, syn->opts.tfo,
				     syn->opts.tfo_len)) {
	case TCP_TFO_WRONG:
		tcb_count(tcb, TCP_TFO_PASSIVE_FAIL);
		give(tcb, l);
		return false;
	case TCP_TFO_OLD:
		tcb_count(tcb, TCP_TFO_ALT_KEY);
		give(tcb, l);
		break;
	case TCP_TFO_GOOD:
		break;
	}
	return true;
}

/* RFC 7413 5.1: resets of hosts whose addresses were forged must not make room
 * for more of them; each counts for a minute or two */
static void resets_turn(struct tcp_listener *l, struct instant now)
{
	int64_t minute = now.ns / (60 * NANOS_S);

	if (minute != l->tfo_minute) {
		l->tfo_reset[1] = minute == l->tfo_minute + 1 ? l->tfo_reset[0]
							      : 0;
		l->tfo_reset[0] = 0;
		l->tfo_minute = minute;
	}
}

void tcp_tfo_accept(struct tcb *tcb, struct instant now,
		    struct tcp_listener *l, const struct tcp_seg *syn)
{
	struct tcp_tfo_conn *c;

	tcp_tfo_secret_turn(&tcb->tcp->tfo.secret, now,
			    &tcb->tcp->env->entropy);
	if (!looks_good(tcb, l, syn) || !syn->len) {
		return;
	}
	resets_turn(l, now);
	if (l->n_tfo + l->tfo_reset[0] + l->tfo_reset[1] >=
	    tcb->conf.tfo_queue) {
		tcb_count(tcb, TCP_TFO_OVERFLOW);
		return;
	}
	c = conn_of(tcb);
	if (c) {
		c->take = true;
		c->l = l;
		l->n_tfo++;
		list_push_back(&l->tfo, &c->link);
	}
}

void tcp_tfo_start(struct tcb *tcb, struct instant now,
		   const struct tcp_seg *syn)
{
	struct tcp_seg data = *syn;

	if (!tcb->tfo || !tcb->tfo->take || tcb->dead) {
		return;
	}
	tcb_enter(tcb);
	tcb->tfo->take = false;
	tcb->tfo->wait = true;
	tcb_count(tcb, TCP_TFO_PASSIVE);
	tcp_in_open_early(tcb, now);
	if (!tcb->dead) {
		/* what our SYN-ACK is going to promise */
		tcp_wnd_field(&tcb->wnd, tcb->rcv.nxt,
			      tcb->upper->window(tcb->up), tcb->mss.ours,
			      true);
		data.flags &= (uint8_t)~TCP_SYN;
		data.seq++;
		tcp_in_data(tcb, now, &data);
	}
	if (!tcb->dead) {
		tcb_ready(tcb);
		tcp_timer_update(tcb, now);
	}
	tcb_leave(tcb);
}

static void leave_list(struct tcp_tfo_conn *c)
{
	if (c->l) {
		list_del(&c->link);
		c->l->n_tfo--;
		c->l = NULL;
	}
}

bool tcp_tfo_alone(const struct tcb *tcb)
{
	return tcb->tfo && tcb->tfo->wait && tcb->rec.sent.n_lost > 0;
}

void tcp_tfo_heard(struct tcb *tcb)
{
	if (tcb->tfo->wait) {
		tcp_tfo_end(tcb);
	}
}

/* RFC 7413 4.1.3.1: ICMP errors and silence say that it does not go through */
static bool negative(enum tcp_end end)
{
	return end != TCP_END_NORMAL && end != TCP_END_ABORTED &&
	       end != TCP_END_RESET && end != TCP_END_REFUSED &&
	       end != TCP_END_NOMEM;
}

void tcp_tfo_over(struct tcb *tcb, struct instant now, enum tcp_end end)
{
	struct tcp_tfo_conn *c = tcb->tfo;
	struct known *k;

	if (c->wait && c->l && end == TCP_END_RESET) {
		resets_turn(c->l, now);
		c->l->tfo_reset[0]++;
	}
	if (tcb->passive || tcb->snd.syn_acked || !negative(end) ||
	    (!c->sent && !c->len)) {
		return;
	}
	k = entry(tcb);
	if (k) {
		went_wrong(tcb, k, now);
	}
}

void tcp_tfo_unlisten(struct tcp_listener *l)
{
	list_each_safe(n, &l->tfo) {
		leave_list(list_entry(n, struct tcp_tfo_conn, link));
	}
}

/* --- both ------------------------------------------------------------------- */

void tcp_tfo_option(struct tcb *tcb, const struct tcp_tx *tx, struct wr *w)
{
	const struct tcp_tfo_conn *c = tcb->tfo;

	if (c && c->option && !(tx->kind == TCP_TX_SYN && c->quiet)) {
		tcp_hdr_emit_tfo(w, c->cookie, c->len);
	}
}

/* RFC 7413 4.2.1: the next one has neither option nor data */
void tcp_tfo_timeout(struct tcb *tcb)
{
	if (tcb->fsm.state == TCP_SYN_SENT) {
		tcb->tfo->quiet = true;
	}
}

void tcp_tfo_end(struct tcb *tcb)
{
	if (tcb->tfo) {
		leave_list(tcb->tfo);
		mem_free(tcb->tcp->env->mem, tcb->tfo, sizeof(*tcb->tfo));
		tcb->tfo = NULL;
	}
}
