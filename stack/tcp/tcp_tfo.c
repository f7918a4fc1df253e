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

void tcp_tfo_init(struct tcp_tfo *f)
{
	memset(f, 0, sizeof(*f));
	tcp_tfo_known_init(&f->known);
}

void tcp_tfo_fini(struct tcp_tfo *f, struct mem *mem)
{
	tcp_tfo_known_fini(&f->known, mem);
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

/* --- client ----------------------------------------------------------------- */

void tcp_tfo_open(struct tcb *tcb, struct instant now)
{
	const struct tcp_tfo_server *k =
		tcp_tfo_known_find(&tcb->tcp->tfo.known, &tcb->entry.t);
	struct tcp_tfo_conn *c;

	if (tcp_tfo_known_quiet(k, now)) {
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

static struct tcp_tfo_server *entry(struct tcb *tcb)
{
	return tcp_tfo_known_entry(&tcb->tcp->tfo.known, tcb->tcp->env,
				   &tcb->entry.t);
}

/* RFC 7413 4.1.3.1 */
static void went_wrong(struct tcb *tcb, struct tcp_tfo_server *k,
		       struct instant now)
{
	tcp_tfo_known_lost(k, now);
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
	struct tcp_tfo_server *k;

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
	struct tcp_tfo_server *k;

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
