/* What ICMP errors do to connections (RFC 5927, 1122 4.2.3.9): only one that
 * quotes a number between SND.UNA and SND.NXT counts; it may end a handshake
 * and lower a path MTU, nothing else. */
#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_mtu.h"
#include "stack/tcp/tcp_timer.h"

#define QUOTE_MIN 8 /* ports and sequence number */

/* RFC 5927 4.1 */
static bool icmp_plausible(const struct tcb *tcb, uint32_t seq)
{
	return seq_leq(tcb_una(tcb), seq) && seq_lt(seq, tcb_nxt(tcb));
}

static void icmp_unreach(struct tcb *tcb, struct instant now, enum tcp_end end)
{
	if (tcp_fsm_synced(&tcb->fsm)) {
		tcb_count(tcb, TCP_ICMP_SOFT);
		return;
	}
	tcb_count(tcb, TCP_ICMP_HARD);
	tcb_count(tcb, TCP_ATTEMPT_FAILS);
	tcb_end(tcb, now, end);
}

static void icmp_apply(struct tcb *tcb, struct instant now,
		       const struct icmp_msg *m, uint32_t seq)
{
	switch (m->kind) {
	case ICMP_TOO_BIG:
		tcp_mtu_too_big(tcb, now, m->mtu, seq);
		if (!tcb->dead) {
			tcp_timer_update(tcb, now);
		}
		break;
	case ICMP_NET_UNREACH:
	case ICMP_HOST_UNREACH:
		icmp_unreach(tcb, now, TCP_END_UNREACH);
		break;
	case ICMP_PROTO_UNREACH:
	case ICMP_PORT_UNREACH:
	case ICMP_PROHIBITED:
		icmp_unreach(tcb, now, TCP_END_PROHIBIT);
		break;
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAM:
	case ICMP_OTHER:
	case ICMP_ECHO_REQUEST:
	case ICMP_ECHO_REPLY:
		tcb_count(tcb, TCP_ICMP_SOFT);
		break;
	}
}

bool tcp_icmp(struct tcp *tcp, struct instant now, const struct ip_hdr *q,
	      const struct icmp_msg *m, unsigned path)
{
	struct tuple t = { 0 };
	struct tcp_entry *e;
	struct tcb *tcb;
	uint32_t seq;

	if (q->proto != IP_PROTO_TCP || q->body_len < QUOTE_MIN) {
		return false;
	}
	t.local = endpoint_make(q->src, be16_get(q->body));
	t.remote = endpoint_make(q->dst, be16_get(q->body + 2));
	e = tcp_demux_find(&tcp->demux, &t);
	if (!e || e->timewait) {
		return false;
	}
	tcb = container_of(e, struct tcb, entry);
	seq = be32_get(q->body + 4);
	if (tcb->path != path || !icmp_plausible(tcb, seq)) {
		return false;
	}
	tcb_enter(tcb);
	icmp_apply(tcb, now, m, seq);
	tcb_leave(tcb);
	return true;
}
