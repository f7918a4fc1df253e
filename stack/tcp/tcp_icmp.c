/* What ICMP errors do to connections (RFC 5927, 1122 4.2.3.9): only one that
 * quotes a number between SND.UNA and SND.NXT counts; it may end a handshake
 * and lower a path MTU, nothing else. */
#include "stack/tcp/tcb.h"
#include "stack/tcp/tcp_timer.h"

#define QUOTE_MIN 8 /* ports and sequence number */

/* RFC 5927 4.1 */
static bool icmp_plausible(const struct tcb *tcb, uint32_t seq)
{
	return seq_leq(tcb_una(tcb), seq) && seq_lt(seq, tcb_nxt(tcb));
}

static void icmp_too_big(struct tcb *tcb, struct instant now,
			 const struct icmp_msg *m, unsigned path)
{
	struct tcp *tcp = tcb->tcp;
	const struct addr to = tcb->entry.t.remote.addr;
	uint16_t mtu = m->mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)m->mtu;

	if (!ip_mtu_lower(tcp->ip, path, &to, mtu, tcb->mss.pmtu, now)) {
		tcp_count(tcp, TCP_ICMP_SOFT);
		return;
	}
	tcp_count(tcp, TCP_PMTU);
	list_each(pos, &tcp->demux.entries) {
		struct tcp_entry *e = list_entry(pos, struct tcp_entry, link);
		struct tcb *other = container_of(e, struct tcb, entry);

		if (!e->timewait && other->path == path &&
		    addr_eq(&e->t.remote.addr, &to)) {
			tcb_lower_mss(other, now);
			tcp_timer_update(other, now);
		}
	}
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
		       const struct icmp_msg *m, unsigned path)
{
	switch (m->kind) {
	case ICMP_TOO_BIG:
		icmp_too_big(tcb, now, m, path);
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
	if (!icmp_plausible(tcb, be32_get(q->body + 4))) {
		return false;
	}
	tcb_enter(tcb);
	icmp_apply(tcb, now, m, path);
	tcb_leave(tcb);
	return true;
}
