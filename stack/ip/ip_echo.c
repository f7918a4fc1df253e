#include <string.h>

#include "stack/base/check.h"
#include "stack/ip/ip_state.h"

#define ECHO_COST (NANOS_S / IP_ECHO_RATE)

/* A bucket of IP_ECHO_BURST tokens, kept as time: one token is ECHO_COST. */
bool ip_icmp_token(struct ip *ip, struct instant now)
{
	nanos full = IP_ECHO_BURST * ECHO_COST;

	if (!ip->echo_started) {
		ip->echo_started = true;
		ip->echo_credit = full;
	} else {
		nanos idle = nanos_min(instant_since(now, ip->echo_at), full);

		ip->echo_credit = nanos_min(ip->echo_credit + idle, full);
	}
	ip->echo_at = now;
	if (ip->echo_credit < ECHO_COST) {
		return false;
	}
	ip->echo_credit -= ECHO_COST;
	return true;
}

void ip_icmp_out(struct pkt_out *out, unsigned path, const struct ip_hdr *h,
		 uint8_t *buf, uint32_t len)
{
	struct wr hdr = wr_make(out->hdr, sizeof(out->hdr));

	memset(out, 0, sizeof(*out));
	out->dev = (uint16_t)path;
	out->family = h->dst.family;
	out->hdr_len = (uint16_t)ip_hdr_emit(&hdr, h, len);
	check(hdr.ok);
	out->n_iov = 1;
	out->iov[0] = (struct iov){ buf, len };
	out->len = out->hdr_len + len;
}

bool ip_echo_reply(struct ip *ip, const struct ip_in *in, unsigned path,
		   struct instant now, struct pkt_out *out, uint8_t *buf,
		   uint32_t buf_len)
{
	struct icmp_msg reply = in->icmp;
	struct ip_hdr h = { .src = in->hdr.dst,
			    .dst = in->hdr.src,
			    .proto = in->hdr.proto,
			    .ttl = 64,
			    .tos = in->hdr.tos };
	struct wr body;

	if (!ip_icmp_token(ip, now)) {
		ip_count(ip, IP_ICMP_LIMIT);
		return false;
	}
	body = wr_make(buf, buf_len);
	reply.kind = ICMP_ECHO_REPLY;
	if (!icmp_msg_emit(&body, &h, &reply) || !body.ok) {
		return false;
	}
	ip_icmp_out(out, path, &h, buf, (uint32_t)wr_len(&body));
	ip_count(ip, IP_ICMP_ECHO);
	return true;
}
