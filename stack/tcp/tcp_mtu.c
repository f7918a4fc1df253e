#include "stack/tcp/tcp_mtu.h"

#include "stack/tcp/tcp_timer.h"

#define MSS_DEFAULT  536 /* RFC 9293 3.7.1 */
#define MSS_DEFAULT6 1220
#define LOOK_AGAIN   (60 * NANOS_S)
#define WAIT_MOST    (10 * NANOS_S)

static bool is_v6(const struct tcb *tcb)
{
	return tcb->entry.t.local.addr.family == 6;
}

static uint16_t header_len(const struct tcb *tcb)
{
	return (is_v6(tcb) ? IP6_HDR_LEN : IP4_HDR_LEN) + TCP_HDR_LEN;
}

static uint16_t least(const struct tcb *tcb)
{
	return is_v6(tcb) ? IP6_MTU_MIN : IP4_MTU_MIN;
}

static uint16_t base(const struct tcb *tcb)
{
	return is_v6(tcb) ? TCP_MTUP_BASE6 : TCP_MTUP_BASE4;
}

/* --- how large a segment is ------------------------------------------------ */

/* RFC 9293 3.7.1: payload plus options of a segment is what the peer's MSS
 * option and the path MTU less the fixed headers allow. */
static uint16_t base_for(const struct tcb *tcb, uint16_t mtu)
{
	uint16_t most = (uint16_t)(mtu - header_len(tcb));

	if (tcb->conf.mss_clamp && most > tcb->conf.mss_clamp) {
		most = tcb->conf.mss_clamp;
	}
	if (most > tcb->mss.peer) {
		most = tcb->mss.peer;
	}
	return most < TCP_MSS_MIN ? TCP_MSS_MIN : most;
}

static uint16_t path_mtu(const struct tcb *tcb, struct instant now)
{
	const struct ip_path *p = ip_path(tcb->tcp->ip, tcb->path);

	if (tcb->conf.ignore_pmtu && p) {
		return p->mtu;
	}
	return ip_mtu(tcb->tcp->ip, tcb->path, &tcb->entry.t.remote.addr, now);
}

/* the largest packet that device, ICMP and peer allow */
static uint16_t most_mtu(const struct tcb *tcb, struct instant now)
{
	return (uint16_t)(base_for(tcb, path_mtu(tcb, now)) + header_len(tcb));
}

/* ..and the one that is made for */
static uint16_t size_now(const struct tcb *tcb)
{
	return (uint16_t)(tcb->mss.base + header_len(tcb));
}

void tcp_mtu_update(struct tcb *tcb, struct instant now)
{
	tcb->mss.pmtu = tcp_mtup_mtu(&tcb->rec.mtup, path_mtu(tcb, now));
	tcb->mss.base = base_for(tcb, tcb->mss.pmtu);
	tcb->mss.news = ip_mtu_news(tcb->tcp->ip);
}

void tcp_mtu_apply(struct tcb *tcb, struct instant now)
{
	uint16_t was = tcb->mss.base;

	tcp_mtu_update(tcb, now);
	if (tcb->mss.base != was && tcp_fsm_synced(&tcb->fsm)) {
		tcp_mtup_resized(&tcb->rec.mtup);
		tcp_recover_mss(&tcb->rec, now, (uint16_t)tcb_mss(tcb));
		tcb_ready(tcb);
	}
}

void tcp_mtu_fresh(struct tcb *tcb, struct instant now)
{
	if (tcb->mss.news != ip_mtu_news(tcb->tcp->ip)) {
		tcp_mtu_apply(tcb, now);
	}
}

void tcp_mtu_first(struct tcb *tcb, struct instant now)
{
	const struct ip_path *path = ip_path(tcb->tcp->ip, tcb->path);
	uint16_t mtu = path ? path->mtu : IP6_MTU_MIN;

	tcb->mss.ours = (uint16_t)(mtu - header_len(tcb));
	if (tcb->conf.mss_clamp && tcb->mss.ours > tcb->conf.mss_clamp) {
		tcb->mss.ours = tcb->conf.mss_clamp;
	}
	tcb->mss.peer = is_v6(tcb) ? MSS_DEFAULT6 : MSS_DEFAULT;
	tcp_mtu_update(tcb, now);
}

void tcp_mtu_start(struct tcb *tcb, struct instant now)
{
	const struct addr *to = &tcb->entry.t.remote.addr;
	uint16_t mtu = path_mtu(tcb, now), low, high;

	if (tcb->conf.mtup != TCP_MTUP_OFF &&
	    ip_mtu_found(tcb->tcp->ip, tcb->path, to, now, &low, &high)) {
		tcp_mtup_start(&tcb->rec.mtup, now, low, high);
	} else if (tcb->conf.mtup == TCP_MTUP_ON) {
		tcp_mtup_start(&tcb->rec.mtup, now,
			       mtu < base(tcb) ? mtu : base(tcb), mtu);
	}
	tcb->rec.mtup.look = instant_add(now, LOOK_AGAIN);
	tcp_mtu_update(tcb, now);
}

/* --- probes ------------------------------------------------------------------ */

/* what later connections to the same destination begin with */
static void keep(struct tcb *tcb, struct instant now)
{
	const struct tcp_mtup *m = &tcb->rec.mtup;

	ip_mtu_keep(tcb->tcp->ip, tcb->path, &tcb->entry.t.remote.addr, m->low,
		    m->high, now);
}

static void probe_news(struct tcb *tcb, struct instant now,
		       enum tcp_mtup_news news)
{
	switch (news) {
	case TCP_MTUP_RAISED:
		tcb_count(tcb, TCP_MTUP_SUCCESS);
		tcp_mtu_apply(tcb, now);
		keep(tcb, now);
		break;
	case TCP_MTUP_FAILED:
		tcb_count(tcb, TCP_MTUP_FAIL);
		keep(tcb, now);
		break;
	case TCP_MTUP_UNSURE:
	case TCP_MTUP_NOTHING:
		break;
	}
}

/* The path is narrower.  Others that use it hear of it when they do. */
static void lower(struct tcb *tcb, struct instant now, uint16_t mtu)
{
	struct tcp *tcp = tcb->tcp;
	const struct addr to = tcb->entry.t.remote.addr;

	if (!ip_mtu_lower(tcp->ip, tcb->path, &to, mtu, tcb->mss.pmtu, now)) {
		tcp_count(tcp, TCP_ICMP_SOFT);
		return;
	}
	tcp_count(tcp, TCP_PMTU);
	tcp_mtu_apply(tcb, now);
	tcp_timer_update(tcb, now);
}

static void check_claim(struct tcb *tcb, struct instant now)
{
	uint16_t mtu;

	switch (tcp_mtup_claim(&tcb->rec.mtup, &tcb->rec.sent, &mtu)) {
	case TCP_MTUP_OPEN:
		break;
	case TCP_MTUP_TRUE:
		lower(tcb, now, mtu);
		break;
	case TCP_MTUP_DENIED:
		tcb_count(tcb, TCP_PMTU_DENIED);
		break;
	}
}

/* RFC 4821 7.6.2: longer than from one congestion event to the next.  That is
 * as many round trips as the window has segments, or what cubic takes. */
static nanos wait_after(const struct tcb *tcb)
{
	nanos n = tcb->rec.cc.cwnd / tcb_mss(tcb) + 1;

	return nanos_min(tcb->rec.rtt.srtt * n, WAIT_MOST);
}

static void examine(struct tcb *tcb, struct instant now, bool timeout)
{
	struct tcp_mtup *m = &tcb->rec.mtup;

	tcp_mtu_fresh(tcb, now);
	if (m->size) {
		probe_news(tcb, now,
			   tcp_mtup_check(m, &tcb->rec.sent, now,
					  wait_after(tcb), timeout));
	}
	if (m->claim || m->watched) {
		check_claim(tcb, now);
	}
	/* a confirmed black hole is worth remembering, a mere outage is not */
	if (m->suspect && tcb->rec.rtt.timeouts == 0) {
		m->suspect = false;
		keep(tcb, now);
	}
	if (instant_due(m->look, now)) {
		m->look = instant_add(now, LOOK_AGAIN);
		tcp_mtu_apply(tcb, now);
	}
}

void tcp_mtu_check(struct tcb *tcb, struct instant now)
{
	examine(tcb, now, false);
}

/* the packet that the oldest unacknowledged octet left in */
static uint16_t head_size(const struct tcb *tcb)
{
	const struct tcp_sent *s = &tcb->rec.sent;
	uint32_t n = 0;

	if (!tcp_sent_empty(s)) {
		n = min_u32(tcp_sent_at(s, 0)->len, tcb_mss(tcb));
	}
	return (uint16_t)(n + tcb->mss.opt + header_len(tcb));
}

void tcp_mtu_timeout(struct tcb *tcb, struct instant now)
{
	struct tcp_mtup *m = &tcb->rec.mtup;
	uint16_t size = size_now(tcb);

	examine(tcb, now, true);
	/* What is small would have passed whatever the MTU is. */
	if (tcb->conf.mtup != TCP_MTUP_OFF &&
	    head_size(tcb) > (size > base(tcb) ? base(tcb) : least(tcb)) &&
	    tcp_mtup_timeout(m, now, tcb->rec.rtt.timeouts, size, base(tcb),
			     least(tcb))) {
		tcb_count(tcb, TCP_MTU_BLACKHOLE);
		m->suspect = true;
	}
	tcp_mtu_apply(tcb, now);
}

/* Payload and options of the probe that is due; 0: none. */
static uint32_t probe_due(struct tcb *tcb, struct instant now)
{
	const struct tcp_recover *r = &tcb->rec;
	uint16_t size;

	if (r->mtup.low == 0 || r->mtup.size ||
	    !instant_due(r->mtup.next, now)) {
		return 0;
	}
	/* Losses must show in SACKs, and the first data has arrived, so that
	 * the handshake of no layer hangs on a probe. */
	if (r->state != TCP_RECOVER_OPEN || !r->sack_ok || r->rtt.srtt <= 0 ||
	    r->sent.una == tcb->snd.iss + 1) {
		return 0;
	}
	size = tcp_mtup_want(&tcb->rec.mtup, now, most_mtu(tcb, now));
	return size > header_len(tcb) + tcb->mss.opt ?
		       (uint32_t)size - header_len(tcb) :
		       0;
}

uint32_t tcp_mtu_probe(struct tcb *tcb, struct instant now)
{
	const struct tcp_recover *r = &tcb->rec;
	uint32_t room = probe_due(tcb, now), n, flight, mss;

	tcb->rec.mtup.gathers = false;
	if (room == 0) {
		return 0;
	}
	mss = tcb_mss(tcb);
	n = room - tcb->mss.opt;
	flight = tcp_sent_outstanding(&r->sent);
	if (r->cc.cwnd < n + 3 * mss || tcb->snd.wnd < flight + n + mss) {
		return 0;
	}
	if (tcb_unsent(tcb) >= n && tcp_recover_room(r) >= n) {
		return room;
	}
	/* The upper has more, and pushes it as acknowledgements make room: they
	 * will come. */
	tcb->rec.mtup.gathers =
		flight >= n && !tcb->snd.fin &&
		!(tcb->snd.has_psh && tcb->snd.psh == tcb->snd.end);
	return 0;
}

void tcp_mtu_probed(struct tcb *tcb, uint32_t seq, uint32_t len, uint32_t room)
{
	tcb_count(tcb, TCP_MTUP_PROBES);
	tcp_mtup_sent(&tcb->rec.mtup, seq, seq + len,
		      (uint16_t)(room + header_len(tcb)));
}

void tcp_mtu_full(struct tcb *tcb, uint32_t end)
{
	tcp_mtup_full(&tcb->rec.mtup, end, size_now(tcb));
}

/* --- ICMP -------------------------------------------------------------------- */

bool tcp_mtu_too_big(struct tcb *tcb, struct instant now, uint32_t mtu,
		     uint32_t seq)
{
	struct tcp_mtup *m = &tcb->rec.mtup;

	/* RFC 8201 4: less than every IPv6 link has is discarded; so is what
	 * no IPv4 link has (RFC 5927 7.2) */
	if (is_v6(tcb) ? mtu < IP6_MTU_MIN : mtu && mtu < IP4_MTU_LEAST) {
		tcb_count(tcb, TCP_PMTU_ABSURD);
		return false;
	}
	mtu = min_u32(mtu, UINT16_MAX);
	if (mtu && mtu < least(tcb)) {
		mtu = least(tcb);
	}
	if (mtu == 0) { /* RFC 1191 5: a guess, and what it gives is a plateau */
		mtu = ip_mtu_plateau(tcb->mss.pmtu);
		mtu = max_u32(mtu, least(tcb));
	}
	if (mtu >= max_u32(tcb->mss.pmtu, m->size)) {
		tcb_count(tcb, TCP_ICMP_SOFT);
		return false;
	}
	if (!tcp_mtup_too_big(m, seq, (uint16_t)mtu)) {
		tcb_count(tcb, TCP_PMTU_WAITS);
		return true;
	}
	lower(tcb, now, (uint16_t)mtu);
	return true;
}
