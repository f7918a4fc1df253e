#include "stack/base/check.h"
#include "stack/ip/ip_state.h"

static enum ip_kind drop(struct ip *ip, enum ip_reason r)
{
	ip_count(ip, r);
	return IP_KIND_DROP;
}

static enum ip_reason hdr_reason(enum ip_hdr_status s)
{
	switch (s) {
	case IP_HDR_SHORT:
		return IP_DROP_SHORT;
	case IP_HDR_VERSION:
		return IP_DROP_VERSION;
	case IP_HDR_LENGTH:
		return IP_DROP_LENGTH;
	case IP_HDR_CKSUM:
		return IP_DROP_CKSUM;
	case IP_HDR_FRAGMENT:
		return IP_DROP_FRAGMENT;
	case IP_HDR_EXT:
		return IP_DROP_EXT;
	case IP_HDR_ROUTE:
		return IP_DROP_ROUTE;
	case IP_HDR_OK:
		break;
	}
	return IP_IN;
}

static bool ours(const struct ip *ip, unsigned path, const struct addr *dst)
{
	const struct ip_path *p = ip_path(ip, path);

	for (unsigned i = 0; p && i < p->n_addr; i++) {
		if (addr_eq(&p->addr[i], dst)) {
			return true;
		}
	}
	return false;
}

/* Neighbour discovery (RFC 4861) is among what is dropped: a TUN device has no
 * link layer, so that no address is ever resolved and no router asked for; the
 * paths' addresses and the way out are given. */
static enum ip_kind icmp_in(struct ip *ip, struct ip_in *out)
{
	if (!icmp_msg_parse(&out->hdr, &out->icmp)) {
		return drop(ip, IP_DROP_ICMP);
	}
	switch (out->icmp.kind) {
	case ICMP_ECHO_REQUEST:
		return IP_KIND_ECHO;
	case ICMP_TOO_BIG:
	case ICMP_NET_UNREACH:
	case ICMP_HOST_UNREACH:
	case ICMP_PROTO_UNREACH:
	case ICMP_PORT_UNREACH:
	case ICMP_PROHIBITED:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAM:
		return IP_KIND_ICMP_ERROR;
	case ICMP_ECHO_REPLY:
	case ICMP_OTHER:
		break;
	}
	return drop(ip, IP_DROP_ICMP_OTHER);
}

/* what cannot be taken, and whether the sender is to know */
static enum ip_kind refuse(struct ip *ip, enum ip_reason r, bool tell)
{
	ip_count(ip, r);
	return tell ? IP_KIND_REFUSED : IP_KIND_DROP;
}

/* a packet for us, of a status that leaves nothing more to be done */
static enum ip_kind other_status(struct ip *ip, enum ip_hdr_status s,
				 const struct ip_hdr *h)
{
	if (s == IP_HDR_FRAGMENT) {
		ip_count(ip, IP_REASM_REQDS);
		return ip->no_frags ? drop(ip, IP_DROP_FRAGMENT) :
				      IP_KIND_FRAGMENT;
	}
	return refuse(ip, IP_DROP_EXT, h->bad.tell);
}

enum ip_kind ip_input(struct ip *ip, const struct pkt *pkt, struct ip_in *out)
{
	struct ip_hdr *h = &out->hdr;
	enum ip_hdr_status s;

	ip_count(ip, IP_IN);
	s = ip_hdr_parse(pkt->data, pkt->len, h);
	if (s != IP_HDR_OK && s != IP_HDR_FRAGMENT && s != IP_HDR_EXT) {
		return drop(ip, hdr_reason(s));
	}
	if (!ours(ip, pkt->dev, &h->dst)) {
		return drop(ip, IP_DROP_ADDR);
	}
	if (!ip_is_peer(ip, &h->src)) { /* RFC 1122 3.2.1.3 */
		return drop(ip, IP_DROP_SOURCE);
	}
	if (s != IP_HDR_OK) {
		return other_status(ip, s, h);
	}
	if (h->proto == IP_PROTO_TCP) {
		return IP_KIND_TCP;
	}
	/* each family has its own ICMP; the other one's is a stray protocol */
	if (h->proto ==
	    (h->dst.family == 4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6)) {
		return icmp_in(ip, out);
	}
	return refuse(ip, IP_DROP_PROTO,
		      h->dst.family == 4 || h->proto != IP_PROTO_NONE);
}

void ip_drop_fragments(struct ip *ip)
{
	ip->no_frags = true;
}

struct pkt *ip_reassemble(struct ip *ip, struct instant now,
			  const struct pkt *pkt, struct ip_in *in,
			  bool *refused)
{
	struct pkt *whole = NULL;
	unsigned dropped;

	*refused = false;
	switch (ip_frag_add(&ip->frag, now, pkt, &in->hdr, &whole, &dropped)) {
	case IP_FRAG_KEPT:
		break;
	case IP_FRAG_DONE:
		ip_count(ip, IP_REASM_OKS);
		break;
	case IP_FRAG_OVERLAP:
		ip_count(ip, IP_REASM_OVERLAPS);
		ip_count(ip, IP_REASM_FAILS);
		break;
	case IP_FRAG_REFUSED:
		*refused = true;
		ip_count(ip, IP_REASM_FAILS);
		break;
	case IP_FRAG_FAILED:
	case IP_FRAG_NOMEM:
		ip_count(ip, IP_REASM_FAILS);
		break;
	}
	ip->count[IP_REASM_FAILS] += dropped;
	return whole;
}

struct instant ip_deadline(const struct ip *ip)
{
	return ip_frag_deadline(&ip->frag);
}
