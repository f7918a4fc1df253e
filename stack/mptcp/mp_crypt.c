/* mp_crypt.c - encryption in the handshake of the first subflow: offered,
 * agreed or declined, and what the policy says to that (RFC 8547 4.6, 8684 3.1,
 * smtcp(7))
 *
 * ENO and MP_CAPABLE are negotiated side by side.  Only TEP 0x20 goes with
 * Multipath TCP: with any other one of the two must give way, and a peer that
 * has both without knowing of TEP 0x20 goes by what the third ACK still has.
 */
#include "stack/mptcp/mp_crypt.h"

#include <errno.h>

#include "stack/base/check.h"
#include "stack/mptcp/mp.h"

#define ENO_SYNS     2 /* SYNs with ENO that may go unanswered */
#define CAPABLE_SYNS 2 /* and then, or instead, with MP_CAPABLE alone */
#define CONFIRM_WAIT (60 * NANOS_S)

static bool required(const struct mp_conn *c)
{
	return c->crypt.policy >= MP_CRYPT_REQUIRE_ANY;
}

/* --- beginning ---------------------------------------------------------- */

/* What this connection offers.  A host without Multipath TCP has no use for
 * TEP 0x20. */
static struct crypt_conf conf_of(const struct mp_conn *c)
{
	const struct mp_cfg *cfg = &c->mp->cfg;
	struct crypt_conf conf = cfg->crypt_conf;

	conf.on = true;
	conf.b |= c->conf->crypt.b;
	conf.plain = c->crypt.policy != MP_CRYPT_REQUIRE;
	conf.smtcp = cfg->policy != MP_OFF && !cfg->crypt_apart;
	conf.aware |= c->conf->crypt.aware || c->conf->crypt.aware_only;
	conf.aware_only |= c->conf->crypt.aware_only;
	/* A peer whose program does not know of encryption would agree to the
	 * secret before we learn that, and then has to reset us. */
	conf.no_resume |= c->conf->crypt.no_resume || conf.aware_only ||
			  c->crypt.no_resume;
	conf.no_cache |= c->conf->crypt.no_cache;
	return conf;
}

size_t mp_crypt_name(const struct endpoint *ep, uint8_t out[CRYPT_PEER_MAX])
{
	struct wr w = wr_make(out, CRYPT_PEER_MAX);

	wr_u8(&w, ep->addr.family);
	wr_copy(&w, ep->addr.b, addr_len(&ep->addr));
	wr_u16(&w, ep->port);
	return wr_len(&w);
}

static void clear(struct mp_conn *c, enum crypt_reason why)
{
	struct mp_crypt *y = &c->crypt;

	crypt_conn_free(y->k);
	mp_seal_fini(c);
	mp_unseal_fini(c);
	y->k = NULL;
	y->state = MP_CRYPT_CLEAR;
	y->why = why;
}

static void passive_syn(struct mp_conn *c, struct instant now,
			const struct tcp_seg *syn)
{
	struct mp_crypt *y = &c->crypt;

	crypt_seg_in(y->k, now, CRYPT_SEG_SYN, &syn->opts.eno);
	y->wants_room = syn->opts.has_ts && crypt_resumes(y->k);
	/* a vacuous answer is still to be made */
	if (crypt_state(y->k) == CRYPT_OFF && !c->mp->cfg.crypt_conf.vacuous) {
		clear(c, crypt_why(y->k));
	}
}

/* What a destination had before says what is on offer there: less may be the
 * work of somebody on the path. */
static void recall(struct mp_conn *c, const uint8_t *name, size_t n)
{
	static const enum mp_crypt_policy least[] = {
		[CRYPT_MEMO_NONE] = MP_CRYPT_OFF,
		[CRYPT_MEMO_TCPCRYPT] = MP_CRYPT_REQUIRE_ANY,
		[CRYPT_MEMO_SMTCP] = MP_CRYPT_REQUIRE,
	};
	const struct mp_cfg *cfg = &c->mp->cfg;
	enum crypt_memo_level level;

	if (!cfg->memo || cfg->memo_mode == MP_MEMO_OFF) {
		return;
	}
	level = crypt_memo_level(cfg->memo, name, n);
	c->crypt.known = (uint8_t)level;
	if (cfg->memo_mode == MP_MEMO_ENFORCE &&
	    least[level] > c->crypt.policy) {
		c->crypt.policy = least[level];
	}
}

static bool ask(struct mp_conn *c, bool active, const uint8_t *name, size_t n)
{
	struct crypt_conf conf = conf_of(c);
	struct mp_crypt *y = &c->crypt;

	y->k = crypt_conn_new(c->mp->cfg.crypt, &conf, active, name, n);
	if (!y->k || !mp_seal_new(c) || !mp_unseal_new(c)) {
		mp_count(c->mp, MP_NOMEM);
		return false;
	}
	y->state = MP_CRYPT_ASKING;
	return true;
}

bool mp_crypt_open(struct mp_conn *c, struct instant now,
		   const struct endpoint *remote, const struct tcp_seg *syn)
{
	const struct mp_cfg *cfg = &c->mp->cfg;
	struct mp_crypt *y = &c->crypt;
	uint8_t name[CRYPT_PEER_MAX];
	size_t n = syn ? 0 : mp_crypt_name(remote, name);

	y->state = MP_CRYPT_CLEAR;
	y->why = CRYPT_OFF_CONF;
	y->policy = cfg->crypt ? cfg->crypt_policy : MP_CRYPT_OFF;
	if (y->policy == MP_CRYPT_OFF) {
		return true;
	}
	if (!syn) {
		recall(c, name, n);
	}
	if (!ask(c, !syn, name, n)) {
		return false;
	}
	if (syn) {
		passive_syn(c, now, syn);
	} else if (crypt_state(y->k) == CRYPT_OFF) {
		clear(c, crypt_why(y->k));
	} else {
		y->wants_room = crypt_would_resume(y->k, now);
	}
	return true;
}

/* smtcp(7), Nodes: a peer with both, not integrated.  Encryption goes first,
 * unless the program insists on Multipath TCP. */
bool mp_crypt_excludes_mptcp(struct mp_conn *c)
{
	struct mp_crypt *y = &c->crypt;
	uint8_t tep = y->k ? crypt_choice(y->k) : 0;

	if (!tep || tep == ENO_TEP_EXP || c->mp->cfg.crypt_apart) {
		return false;
	}
	if (c->mp->cfg.policy != MP_REQUIRE) {
		return true;
	}
	if (crypt_give_up(y->k, CRYPT_OFF_CHOICE)) {
		clear(c, CRYPT_OFF_CHOICE);
	}
	return false;
}

bool mp_crypt_answers_smtcp(const struct mp_conn *c)
{
	return c->crypt.k && crypt_choice(c->crypt.k) == ENO_TEP_EXP;
}

bool mp_crypt_wants_room(const struct mp_conn *c)
{
	return c->crypt.wants_room;
}

/* --- policy ------------------------------------------------------------- */

/* TEP 0x20 without Multipath TCP is no more than tcpcrypt. */
static bool too_little(const struct mp_conn *c)
{
	const struct mp_crypt *y = &c->crypt;
	uint8_t tep = y->k ? crypt_choice(y->k) : 0;

	if (!required(c)) {
		return false;
	}
	if (!y->k || crypt_state(y->k) == CRYPT_OFF) {
		return true;
	}
	return y->policy == MP_CRYPT_REQUIRE &&
	       (c->mode == MP_MODE_TCP || (tep && tep != ENO_TEP_EXP));
}

bool mp_crypt_refuse(struct mp_conn *c)
{
	if (!too_little(c)) {
		return false;
	}
	mp_count(c->mp, MP_CRYPT_REFUSED);
	c->err = EPROTO;
	mp_crypt_compare(c);
	return true;
}

static uint8_t level_of(const struct mp_conn *c)
{
	if (!mp_sealed(c)) {
		return CRYPT_MEMO_NONE;
	}
	return c->crypt.smtcp && c->mode == MP_MODE_MPTCP ? CRYPT_MEMO_SMTCP :
							    CRYPT_MEMO_TCPCRYPT;
}

void mp_crypt_compare(struct mp_conn *c)
{
	if (!c->crypt.weaker && level_of(c) < c->crypt.known) {
		c->crypt.weaker = true;
		mp_count(c->mp, MP_CRYPT_WEAKER);
	}
}

void mp_crypt_remember(struct mp_conn *c, struct instant now)
{
	const struct mp_cfg *cfg = &c->mp->cfg;
	uint8_t name[CRYPT_PEER_MAX];
	size_t n = mp_crypt_name(&c->t.remote, name);

	if (cfg->memo && cfg->memo_mode != MP_MEMO_OFF && !c->passive) {
		crypt_memo_put(cfg->memo, name, n,
			       (enum crypt_memo_level)level_of(c), now);
	}
}

void mp_recall(struct mp *mp, const struct endpoint *to, enum mp_sec sec,
	       struct instant when)
{
	static const enum crypt_memo_level level[] = {
		[MP_SEC_NONE] = CRYPT_MEMO_NONE,
		[MP_SEC_TCPCRYPT] = CRYPT_MEMO_TCPCRYPT,
		[MP_SEC_SMTCP] = CRYPT_MEMO_SMTCP,
	};
	uint8_t name[CRYPT_PEER_MAX];

	if (mp->cfg.memo) {
		crypt_memo_put(mp->cfg.memo, name, mp_crypt_name(to, name),
			       level[sec], when);
	}
}

/* --- options sent ------------------------------------------------------- */

/* RFC 8547 4.6: ENO may be what makes a SYN disappear, as MP_CAPABLE may (RFC
 * 8684 3.1); one after the other.  Who requires encryption keeps both. */
unsigned mp_crypt_syn_offers(const struct mp_conn *c)
{
	if (required(c)) {
		return UINT8_MAX + 1u;
	}
	return CAPABLE_SYNS + (c->crypt.asked ? ENO_SYNS : 0);
}

unsigned mp_crypt_reserve(const struct mp_sub *s)
{
	const struct mp_crypt *y = &s->c->crypt;

	return s->first && !s->passive && y->k && !y->heard ? 2 : 0;
}

static enum crypt_seg kind_out(enum tcp_tx_kind kind)
{
	return kind == TCP_TX_SYN    ? CRYPT_SEG_SYN :
	       kind == TCP_TX_SYNACK ? CRYPT_SEG_SYNACK :
				       CRYPT_SEG_ACK;
}

void mp_crypt_option(struct mp_sub *s, const struct tcp_tx *tx, struct wr *w)
{
	struct mp_conn *c = s->c;
	struct mp_crypt *y = &c->crypt;
	unsigned n;

	if (!s->first || !y->k || tx->kind == TCP_TX_RST) {
		return;
	}
	if (tx->kind == TCP_TX_SYN && tx->syns >= ENO_SYNS && !required(c)) {
		crypt_give_up(y->k, CRYPT_OFF_DROPPED);
		clear(c, CRYPT_OFF_DROPPED);
		return;
	}
	n = crypt_seg_out(y->k, tx->now, kind_out(tx->kind), w->p,
			  (unsigned)wr_left(w));
	wr_take(w, n);
	y->asked = y->asked || (n && (tx->kind == TCP_TX_SYN ||
				     tx->kind == TCP_TX_SYNACK));
}

/* --- segments that came ------------------------------------------------- */

static enum tcp_verdict refused(struct mp_sub *s, int err)
{
	s->c->err = err;
	return TCP_UP_RESET;
}

/* What was negotiated does not go with Multipath TCP. */
static enum tcp_verdict one_of_two(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;

	if (c->mp->cfg.policy != MP_REQUIRE) {
		return mp_fall(c, now, MP_FALLBACK_CRYPT) ?
			       TCP_UP_OK :
			       refused(s, EPROTO);
	}
	if (!crypt_give_up(c->crypt.k, CRYPT_OFF_CHOICE)) {
		mp_count(c->mp, MP_REQUIRE_REFUSED);
		return refused(s, EPROTO);
	}
	clear(c, CRYPT_OFF_CHOICE);
	return TCP_UP_OK;
}

static enum tcp_verdict agreed(struct mp_sub *s, struct instant now)
{
	struct mp_conn *c = s->c;
	struct mp_crypt *y = &c->crypt;
	enum tcp_verdict v = TCP_UP_OK;

	y->smtcp = crypt_choice(y->k) == ENO_TEP_EXP;
	if (!y->smtcp && c->mode == MP_MODE_MPTCP) {
		v = one_of_two(s, now);
	}
	if (v != TCP_UP_OK) {
		return v;
	}
	if (mp_crypt_refuse(c)) {
		return TCP_UP_RESET;
	}
	if (!y->k) {
		return TCP_UP_OK;
	}
	y->state = MP_CRYPT_SEALED;
	if (y->smtcp) {
		c->checksum = false; /* smtcp(7), DSS checksum */
	}
	mp_seal_start(c);
	mp_timer_set(&c->timers, MP_T_CRYPT, instant_add(now, CONFIRM_WAIT));
	return TCP_UP_OK;
}

/* The ACK had no ENO, and yet the peer may have sent it: then it seals. */
static enum tcp_verdict watched(struct mp_sub *s, const struct tcp_seg *seg)
{
	if (!mp_watch_opens(s, seg)) {
		return TCP_UP_OK;
	}
	mp_count(s->c->mp, MP_CRYPT_ABORT);
	return refused(s, ECONNABORTED);
}

/* A SYN that came again had no ENO, so that it is off here (RFC 8547 4.6, rule
 * 1), but our first SYN-ACK has arrived: with ENO in its ACK the peer says that
 * it seals.  Else its first octets may. */
static enum tcp_verdict after_decline(struct mp_sub *s,
				      const struct tcp_seg *seg, bool first)
{
	struct mp_conn *c = s->c;

	if (first && c->crypt.watch && seg->opts.eno.n) {
		mp_count(c->mp, MP_CRYPT_ABORT);
		return refused(s, ECONNABORTED);
	}
	return watched(s, seg);
}

static enum tcp_verdict declined(struct mp_sub *s, const struct tcp_seg *seg)
{
	struct mp_conn *c = s->c;
	enum crypt_reason why = crypt_why(c->crypt.k);
	bool resumes = crypt_resumes(c->crypt.k);

	clear(c, why);
	if (mp_crypt_refuse(c)) {
		return TCP_UP_RESET;
	}
	/* where both opened, too, the peer may have agreed to what it saw */
	if (why != CRYPT_OFF_NO_ACK &&
	    !((s->passive || c->crypt.crossed) && c->crypt.asked)) {
		return TCP_UP_OK;
	}
	if (why == CRYPT_OFF_NO_ACK && resumes) {
		mp_count(c->mp, MP_CRYPT_ABORT);
		return refused(s, ECONNABORTED);
	}
	c->crypt.watch = MP_WATCH_FIRST;
	return watched(s, seg);
}

/* In a simultaneous open the peer's SYN-ACK comes as an ACK; only its ENO
 * option has still the form of a SYN's. */
static enum crypt_seg kind_in(const struct mp_sub *s, const struct tcp_seg *seg)
{
	if (seg->flags & TCP_SYN) {
		return seg->flags & TCP_ACK ? CRYPT_SEG_SYNACK : CRYPT_SEG_SYN;
	}
	return !s->passive && s->state == MP_SUB_SYN && seg->opts.eno.len > 2 ?
		       CRYPT_SEG_SYNACK :
		       CRYPT_SEG_ACK;
}

enum tcp_verdict mp_crypt_segment(struct mp_sub *s, struct instant now,
				  const struct tcp_seg *seg)
{
	struct mp_crypt *y = &s->c->crypt;
	enum crypt_seg kind = kind_in(s, seg);
	bool first = !y->heard && kind == CRYPT_SEG_ACK;

	if (!s->first) {
		return TCP_UP_OK;
	}
	y->heard = y->heard || kind == CRYPT_SEG_ACK;
	y->crossed = y->crossed || (kind == CRYPT_SEG_SYN && !s->passive);
	if (!y->k) {
		return after_decline(s, seg, first);
	}
	if (y->state == MP_CRYPT_SEALED) {
		if (first) {
			crypt_seg_in(y->k, now, kind, &seg->opts.eno);
			mp_dirty(s->c); /* what had to wait for it */
		}
		return TCP_UP_OK;
	}
	crypt_seg_in(y->k, now, kind, &seg->opts.eno);
	switch (crypt_state(y->k)) {
	case CRYPT_NEGOTIATING:
		return TCP_UP_OK;
	case CRYPT_AGREED:
		return agreed(s, now);
	case CRYPT_OFF:
	case CRYPT_INIT:
	case CRYPT_KEYED:
	case CRYPT_DEAD:
		break;
	}
	return declined(s, seg);
}
