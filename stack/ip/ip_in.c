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

/* RFC 1122 3.2.1.3: what no host may have as its source */
static bool source_bad(const struct ip *ip, const struct addr *src)
{
	return addr_is_any(src) || addr_is_multicast(src) ||
	       addr_is_loopback(src) || addr_is_v4mapped(src) ||
	       ip_path_of(ip, src) >= 0;
}

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
		return IP_KIND_ICMP_ERROR;
	case ICMP_ECHO_REPLY:
	case ICMP_OTHER:
		break;
	}
	return drop(ip, IP_DROP_ICMP_OTHER);
}

enum ip_kind ip_input(struct ip *ip, const struct pkt *pkt, struct ip_in *out)
{
	enum ip_hdr_status s;

	ip_count(ip, IP_IN);
	s = ip_hdr_parse(pkt->data, pkt->len, &out->hdr);
	if (s != IP_HDR_OK) {
		return drop(ip, hdr_reason(s));
	}
	if (!ours(ip, pkt->dev, &out->hdr.dst)) {
		return drop(ip, IP_DROP_ADDR);
	}
	if (source_bad(ip, &out->hdr.src)) {
		return drop(ip, IP_DROP_SOURCE);
	}
	if (out->hdr.proto == IP_PROTO_TCP) {
		return IP_KIND_TCP;
	}
	/* each family has its own ICMP; the other one's is a stray protocol */
	if (out->hdr.proto ==
	    (out->hdr.dst.family == 4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6)) {
		return icmp_in(ip, out);
	}
	return drop(ip, IP_DROP_PROTO);
}
