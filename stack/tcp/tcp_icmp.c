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

/* Linux's errors (icmp_err_convert): what a program is told */
static enum tcp_end icmp_end(const struct icmp_msg *m, bool v6)
{
	switch (m->kind) {
	case ICMP_NET_UNREACH:
		return TCP_END_NET;
	case ICMP_PORT_UNREACH:
		return TCP_END_PROHIBIT;
	case ICMP_PROTO_UNREACH:
		return v6 ? TCP_END_HEADER : TCP_END_PROTO;
	case ICMP_PROHIBITED:
		if (v6) {
			return TCP_END_ACCESS;
		}
		return m->code == 9 ? TCP_END_NET : TCP_END_UNREACH;
	case ICMP_HOST_UNREACH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAM:
	case ICMP_TOO_BIG:
	case ICMP_OTHER:
	case ICMP_ECHO_REQUEST:
	case ICMP_ECHO_REPLY:
		break;
	}
	return TCP_END_UNREACH;
}

/* RFC 5927 5.2: no error ends an open connection; it is what a timeout is
 * blamed on, if it comes to one */
static void icmp_soft(struct tcb *tcb, enum tcp_end end)
{
	tcb_count(tcb, TCP_ICMP_SOFT);
	tcb->soft = (uint8_t)end;
}

static void icmp_unreach(struct tcb *tcb, struct instant now, enum tcp_end end)
{
	if (tcp_fsm_synced(&tcb->fsm)) {
		icmp_soft(tcb, end);
		return;
	}
	tcb_count(tcb, TCP_ICMP_HARD);
	tcb_count(tcb, TCP_ATTEMPT_FAILS);
	tcb_end(tcb, now, end);
}

static void icmp_apply(struct tcb *tcb, struct instant now,
		       const struct icmp_msg *m, uint32_t seq)
{
	enum tcp_end end = icmp_end(m, tcb->entry.t.local.addr.family == 6);

	switch (m->kind) {
	case ICMP_TOO_BIG:
		tcp_mtu_too_big(tcb, now, m->mtu, seq);
		if (!tcb->dead) {
			tcp_timer_update(tcb, now);
		}
		break;
	case ICMP_NET_UNREACH:
	case ICMP_HOST_UNREACH:
	case ICMP_PROTO_UNREACH:
	case ICMP_PORT_UNREACH:
	case ICMP_PROHIBITED:
		icmp_unreach(tcb, now, end);
		break;
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAM: /* RFC 1122 4.2.3.9: soft, in the handshake, too */
		icmp_soft(tcb, end);
		break;
	case ICMP_OTHER:
	case ICMP_ECHO_REQUEST:
	case ICMP_ECHO_REPLY:
		tcb_count(tcb, TCP_ICMP_SOFT);
		break;
	}
}

/* RFC 9293 3.9.2.2 (SHLD-25): the program can know */
enum tcp_end tcp_soft_error(struct tcb *tcb)
{
	enum tcp_end end = (enum tcp_end)tcb->soft;

	tcb->soft = TCP_END_NORMAL;
	return end;
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
