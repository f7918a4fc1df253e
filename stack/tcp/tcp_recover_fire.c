/* tcp_recover_fire.c - what happens when no ACK comes (RFC 6298 5, 8985 7) */
#include "stack/tcp/tcp_recover_part.h"

#include "stack/base/check.h"

void tcp_recover_arm_probe(struct tcp_recover *r, struct instant now)
{
	nanos pto;

	r->alarm.probe = INSTANT_NEVER;
	if (!r->sack_ok || r->state != TCP_RECOVER_OPEN ||
	    tcp_sent_empty(&r->sent) || !tcp_rack_probe_ok(&r->rack)) {
		return;
	}
	pto = tcp_rack_pto(r->rtt.srtt, r->sent.in_flight <= r->cc.mss);
	tcp_alarm_probe(&r->alarm, now, pto);
}

void tcp_recover_arm_rto(struct tcp_recover *r, struct instant now)
{
	r->alarm.rto = tcp_sent_empty(&r->sent) ?
			       INSTANT_NEVER :
			       instant_add(now, tcp_rtt_rto(&r->rtt));
}

static bool fire_reo(struct tcp_recover *r, struct instant now, unsigned *ev)
{
	uint32_t outstanding = tcp_sent_outstanding(&r->sent);

	r->alarm.reo = INSTANT_NEVER;
	if (tcp_recover_detect(r, now, false, ev) == 0) {
		return false;
	}
	*ev |= tcp_recover_advance(r, now, outstanding);
	if (r->state == TCP_RECOVER_RECOVERY) {
		tcp_recover_prr(r, 0, false);
	}
	return true;
}

/* RFC 8985 6.3: what left less than a round trip ago may still arrive */
static void mark_timeout(struct tcp_recover *r, struct instant now,
			 bool reneged)
{
	nanos reo = tcp_rack_reo_wnd(&r->rack, true, tcp_rtt_min(&r->rtt),
				     r->rtt.srtt);

	tcp_sent_mark_lost_by(&r->sent, instant_add(now, -r->rack.rtt - reo),
			      reneged);
}

/* RFC 5681 3.1: the first timeout reduces, the next for the same segment leave
 * ssthresh as it is.  Fast recovery has reduced already: another factor is
 * taken only where FlightSize asks for it.  Every one leaves one segment to be
 * sent. */
static void timeout_window(struct tcp_recover *r, struct instant now)
{
	uint32_t was = r->state == TCP_RECOVER_RECOVERY ? r->cc.ssthresh :
							  CC_INF;
	uint32_t out = tcp_sent_outstanding(&r->sent);

	if (r->rtt.timeouts == 1) {
		r->cc.ops->on_rto(&r->cc, now, max_u32(out, 1));
		r->cc.ssthresh = min_u32(r->cc.ssthresh, was);
		tcp_undo_arm(&r->undo, r->sent.una);
	} else {
		r->cc.cwnd = r->cc.mss;
	}
	/* besides what is thought to be on its way */
	r->cc.cwnd += r->sent.in_flight;
}

/* fewer than four segments out, and not in the first slow start (Linux) */
static bool thin(const struct tcp_recover *r)
{
	return r->thin_linear && r->cc.ssthresh != CC_INF &&
	       tcp_sent_outstanding(&r->sent) < 4 * (uint32_t)r->cc.mss;
}

/* Not with an MTU probe out: of what is lost for its size only a part is sent
 * again first, and what was behind it arrives all the same. */
static bool frto_may(const struct tcp_recover *r, bool reneged)
{
	return r->sack_ok && !reneged && r->mtup.size == 0 &&
	       (!tcp_recover_recovering(r) || tcp_frto_waits(&r->frto));
}

static void timeout(struct tcp_recover *r, struct instant now, unsigned *ev)
{
	bool reneged = tcp_sent_reneged(&r->sent);

	tcp_frto_timeout(&r->frto, frto_may(r, reneged));
	if (thin(r)) {
		tcp_rtt_backoff_thin(&r->rtt);
	} else {
		tcp_rtt_backoff(&r->rtt);
	}
	mark_timeout(r, now, reneged);
	*ev |= reneged ? TCP_RECOVER_EV_RENEGED : 0;
	timeout_window(r, now);
	r->state = TCP_RECOVER_LOSS;
	r->point = r->sent.nxt;
	tcp_newreno_reset(&r->newreno);
	tcp_rack_probe_cancel(&r->rack);
	tcp_alarm_rto_only(&r->alarm, now, tcp_rtt_rto(&r->rtt));
}

enum tcp_alarm_kind tcp_recover_fire(struct tcp_recover *r, struct instant now,
				     unsigned *ev)
{
	*ev = 0;
	if (instant_due(r->alarm.reo, now) && fire_reo(r, now, ev)) {
		return TCP_ALARM_REO;
	}
	if (instant_due(r->alarm.probe, now)) {
		r->alarm.probe = INSTANT_NEVER;
		if (r->state == TCP_RECOVER_OPEN && !tcp_sent_empty(&r->sent) &&
		    tcp_rack_probe_ok(&r->rack)) {
			return TCP_ALARM_PROBE;
		}
	}
	if (instant_due(r->alarm.rto, now)) {
		if (tcp_sent_empty(&r->sent)) {
			r->alarm.rto = INSTANT_NEVER;
			return TCP_ALARM_NONE;
		}
		timeout(r, now, ev);
		return TCP_ALARM_RTO;
	}
	return TCP_ALARM_NONE;
}

struct tcp_sent_entry *tcp_recover_probe(struct tcp_recover *r)
{
	return tcp_sent_tail(&r->sent, r->cc.mss);
}

void tcp_recover_probed(struct tcp_recover *r, struct instant now, bool sent,
			bool rtx)
{
	bool mtu = r->mtup.size && r->mtup.end == r->sent.nxt;

	/* repairing a lost MTU probe repairs no congestion (RFC 4821 7.6.2) */
	if (sent) {
		tcp_rack_probe_sent(&r->rack, rtx && !mtu, r->sent.nxt);
	}
	r->alarm.probe = INSTANT_NEVER;
	tcp_recover_arm_rto(r, now);
}
