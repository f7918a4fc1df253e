/* tcp_recover_send.c - what may leave, and what becomes of it */
#include "stack/tcp/tcp_recover_part.h"

#include "stack/base/check.h"
#include "stack/base/seq.h"

static uint32_t quota(const struct tcp_recover *r)
{
	uint32_t out = tcp_recover_flight(r), room;

	if (r->state == TCP_RECOVER_RECOVERY && !r->cc.ops->model) {
		room = r->prr.quota;
	} else {
		room = r->cc.cwnd > out ? r->cc.cwnd - out : 0;
	}
	if (out == 0) { /* no ACK will come to open it */
		room = max_u32(room, r->cc.mss);
	}
	return room < r->cc.mss ? 0 : room;
}

uint32_t tcp_recover_room(const struct tcp_recover *r)
{
	return quota(r);
}

uint32_t tcp_recover_quota(struct tcp_recover *r, struct instant now)
{
	if (tcp_sent_empty(&r->sent) && r->rtt.srtt > 0 &&
	    (instant_since(now, r->last_sent) > tcp_rtt_rto(&r->rtt) ||
	     (r->cc.ops->model && tcp_rate_limited(&r->rate)))) {
		r->cc.ops->on_idle(&r->cc, now);
		r->last_sent = now; /* once per idle time */
	}
	return quota(r);
}

static void spend(struct tcp_recover *r, uint32_t len)
{
	if (r->state == TCP_RECOVER_RECOVERY) {
		tcp_prr_sent(&r->prr, len);
	}
	tcp_round_sent(&r->round, r->sent.in_flight, quota(r), r->cc.cwnd,
		       r->cc.mss);
}

bool tcp_recover_sent(struct tcp_recover *r, struct instant now, uint32_t len,
		      uint16_t mss, bool app_limited)
{
	bool was_empty = tcp_sent_empty(&r->sent);

	if (!tcp_sent_add(&r->sent, now, len, mss,
			  app_limited || tcp_rate_limited(&r->rate))) {
		return false;
	}
	if (was_empty) {
		tcp_rate_restart(&r->rate, now);
	}
	tcp_sent_at(&r->sent, r->sent.n - 1)->rate_from = r->rate.from;
	r->last_sent = now;
	tcp_frto_sent(&r->frto);
	spend(r, len);
	if (was_empty || instant_never(r->alarm.rto)) {
		tcp_recover_arm_rto(r, now); /* RFC 6298 5.1 */
	}
	tcp_recover_arm_probe(r, now);
	return true;
}

struct tcp_sent_entry *tcp_recover_next(struct tcp_recover *r, uint32_t max)
{
	return tcp_frto_holds(&r->frto) ? NULL :
					  tcp_sent_next_lost(&r->sent, max);
}

void tcp_recover_no_new(struct tcp_recover *r)
{
	tcp_frto_no_new(&r->frto);
}

uint32_t tcp_recover_due(const struct tcp_recover *r)
{
	return tcp_frto_holds(&r->frto) ? 0 : r->sent.n_lost;
}

void tcp_recover_resent(struct tcp_recover *r, struct instant now,
			struct tcp_sent_entry *e, uint16_t mss)
{
	bool head = e->seq == r->sent.una;

	tcp_sent_resent(&r->sent, e, now, mss);
	e->rate_from = r->rate.from;
	e->app_limited = tcp_rate_limited(&r->rate);
	r->last_sent = now;
	tcp_undo_resent(&r->undo, now, e->seq, e->len);
	spend(r, e->len);
	/* the head gets its full time to be acknowledged again */
	if (head || instant_never(r->alarm.rto)) {
		tcp_recover_arm_rto(r, now);
	}
}
