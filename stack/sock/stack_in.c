/* The way of a packet into the stack: IP, then TCP with the join hook of the
 * layer above it, or ICMP to the connection that it is about.
 */
#include "stack/base/check.h"
#include "stack/sock/sock_state.h"

static void tcp_in(struct stack *s, struct instant now, struct pkt *p,
		   const struct ip_in *in)
{
	struct tcp_seg seg;

	switch (tcp_hdr_parse(&in->hdr, p->csum_ok, &seg)) {
	case TCP_HDR_SHORT:
		tcp_count(s->tcp, TCP_DROP_SHORT);
		return;
	case TCP_HDR_DOFF:
		tcp_count(s->tcp, TCP_DROP_DOFF);
		return;
	case TCP_HDR_CKSUM:
		tcp_count(s->tcp, TCP_DROP_CKSUM);
		return;
	case TCP_HDR_OK:
		break;
	}
	seg.dev = p->dev;
	seg.pkt = p;
	tcp_input(s->tcp, now, &seg, mp_join_syn, s->mp);
}

/* An error quotes a packet of ours: its source must be an address of the path
 * that it came back on, else it is about nothing we sent there. */
static void icmp_in(struct stack *s, struct instant now, unsigned path,
		    const struct ip_in *in)
{
	struct ip_hdr q;

	if (ip_hdr_parse_quoted(in->icmp.body, in->icmp.body_len, &q) !=
		    IP_HDR_OK ||
	    q.proto != IP_PROTO_TCP || ip_path_of(s->ip, &q.src) != (int)path ||
	    !tcp_icmp(s->tcp, now, &q, &in->icmp, path)) {
		ip_count(s->ip, IP_DROP_ICMP_QUOTE);
		return;
	}
	ip_count(s->ip, IP_ICMP_IN);
}

static void take(struct stack *s, struct instant now, struct pkt *p,
		 bool whole);

/* the whole is taken like a packet that arrived */
static void fragment_in(struct stack *s, struct instant now, struct pkt *p,
			struct ip_in *in)
{
	bool refused;
	struct pkt *whole = ip_reassemble(s->ip, now, p, in, &refused);

	if (refused) {
		stack_icmp_refuse(s, now, in, p);
	}
	if (whole) {
		take(s, now, whole, true);
		pkt_put(whole);
	}
	stack_frag_arm(s);
}

static void take(struct stack *s, struct instant now, struct pkt *p, bool whole)
{
	struct ip_in in;

	switch (ip_input(s->ip, p, &in)) {
	case IP_KIND_DROP:
		break;
	case IP_KIND_TCP:
		tcp_in(s, now, p, &in);
		break;
	case IP_KIND_ICMP_ERROR:
		icmp_in(s, now, p->dev, &in);
		break;
	case IP_KIND_ECHO:
		stack_echo_in(s, now, &in, p->dev);
		break;
	case IP_KIND_FRAGMENT:
		if (whole) { /* fragments within fragments: no deeper */
			ip_count(s->ip, IP_REASM_FAILS);
		} else {
			fragment_in(s, now, p, &in);
		}
		break;
	case IP_KIND_REFUSED:
		stack_icmp_refuse(s, now, &in, p);
		break;
	}
}

void stack_input(struct stack *s, struct instant now, struct pkt *p)
{
	stack_echo_reap(s);
	take(s, now, p, false);
	pkt_put(p);
}
