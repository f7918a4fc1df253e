/* fuzz_wire.c - packets as they come from a device: virtio-net header, IPv4,
 * IPv6 and extension headers, ICMP and what it quotes, TCP and its options, the
 * options of Multipath TCP; and the words that they are shown in
 *
 * The first octet chooses what the rest is: one packet, or fragments of several
 * and time.  What is parsed and can be written is written and parsed again:
 * that must give the same.
 */
#include "stack/engine/vnet.h"
#include "stack/ip/ip.h"
#include "stack/wire/mp_opt.h"
#include "stack/wire/show.h"
#include "stack/wire/tcp_hdr.h"
#include "tests/fuzz/frags.h"
#include "tests/fuzz/fuzz.h"

static void opt_again(const struct mp_opts *a)
{
	uint8_t buf[MP_OPT_REMOVE_MAX + 40];
	struct wr o = wr_make(buf, sizeof(buf));
	struct mp_opts b = { 0 };
	unsigned n = 0;

	if (a->have & MP_HAVE(MP_OPT_DSS)) {
		n = mp_opt_emit_dss(&o, &a->dss);
	} else if (a->have & MP_HAVE(MP_OPT_ADD_ADDR)) {
		n = mp_opt_emit_add_addr(&o, &a->add_addr);
	} else if (a->have & MP_HAVE(MP_OPT_REMOVE_ADDR)) {
		n = mp_opt_emit_remove(&o, a->remove_id, a->remove_n);
	} else if (a->have & MP_HAVE(MP_OPT_JOIN)) {
		n = mp_opt_emit_join(&o, &a->join);
	} else {
		return;
	}
	must(n > 0 && n <= 40 && n == wr_len(&o));
	mp_opt_parse(buf, (uint8_t)n, &b);
	must(b.bad == 0 && b.have != 0 && (a->have & b.have) == b.have);
	if (b.have & MP_HAVE(MP_OPT_DSS)) {
		must(a->dss.dsn == b.dss.dsn && a->dss.ssn == b.dss.ssn &&
		     a->dss.data_ack == b.dss.data_ack &&
		     a->dss.data_len == b.dss.data_len &&
		     a->dss.fin == b.dss.fin);
	}
	if (b.have & MP_HAVE(MP_OPT_ADD_ADDR)) {
		must(a->add_addr.id == b.add_addr.id &&
		     a->add_addr.port == b.add_addr.port &&
		     addr_eq(&a->add_addr.addr, &b.add_addr.addr));
	}
}

static void options(const uint8_t *p, size_t n)
{
	struct tcp_opts o = { 0 };

	tcp_hdr_parse_opts(p, (uint32_t)min_size(n, TCP_HDR_OPT_MAX), &o);
	must(o.n_sack <= TCP_HDR_SACK_MAX);
	must(o.mp.remove_n <= MP_OPT_REMOVE_MAX);
	opt_again(&o.mp);
}

static void segment(const struct ip_hdr *ip)
{
	static char text[1024];
	struct tcp_seg s = { 0 };

	if (tcp_hdr_parse(ip, true, &s) != TCP_HDR_OK) {
		return;
	}
	must(s.len <= ip->body_len && s.data >= ip->body &&
	     s.data + s.len == ip->body + ip->body_len);
	opt_again(&s.opts.mp);
	show_seg(&s, text, sizeof(text));
	show_seg(&s, text, 20);
	must(strlen(text) < 20);
}

static void answers(struct ip *ip, enum ip_kind kind, const struct pkt *pkt,
		    const struct ip_in *got)
{
	struct instant now = { NANOS_S };
	uint8_t buf[IP_ERROR_LEN];
	struct pkt_out out = { 0 };

	if (kind == IP_KIND_ECHO) {
		ip_echo_reply(ip, got, pkt->dev, now, &out, buf, sizeof(buf));
	} else if (kind == IP_KIND_REFUSED) {
		ip_refuse(ip, pkt, got, now, &out, buf, sizeof(buf));
	}
	must(out.len <= sizeof(buf) + PKT_HDR_MAX);
}

/* what a path takes, and what an error quotes */
static void taken(struct ip *ip, const struct pkt *pkt)
{
	struct ip_hdr hdr;
	struct ip_in got;
	enum ip_kind kind = ip_input(ip, pkt, &got);

	if (kind == IP_KIND_TCP) {
		must(got.hdr.proto == IP_PROTO_TCP);
		segment(&got.hdr);
	} else if (kind == IP_KIND_ICMP_ERROR) {
		must(got.icmp.body_len <= pkt->len);
		ip_hdr_parse_quoted(got.icmp.body, got.icmp.body_len, &hdr);
	} else {
		answers(ip, kind, pkt, &got);
	}
}

static void packet(struct ip *ip, uint8_t *p, size_t n, bool csum_ok)
{
	static char text[1024];
	struct pkt pkt = { .data = p,
			   .len = (uint32_t)n,
			   .truesize = (uint32_t)n,
			   .csum_ok = csum_ok,
			   .refs = 1 };
	struct ip_hdr hdr;

	show_packet(p, (uint32_t)n, text, sizeof(text));
	if (ip_hdr_parse_quoted(p, (uint32_t)n, &hdr) == IP_HDR_OK) {
		must(hdr.body_len <= n && hdr.body >= p &&
		     hdr.body + hdr.body_len <= p + n);
	}
	if (ip_hdr_parse(p, (uint32_t)n, &hdr) == IP_HDR_OK &&
	    hdr.proto == IP_PROTO_TCP) {
		segment(&hdr);
	}
	if (n) {
		taken(ip, &pkt);
	}
}

static void fragments(struct fake *f, struct ip *ip, struct input *in)
{
	struct frags g = { .f = f, .ip = ip, .now = { NANOS_S } };
	uint64_t used = f->mem.used;
	struct pkt *whole;

	for (unsigned i = 0; i < FRAG_IDS * FRAG_START; i++) {
		g.start[i / FRAG_START][i % FRAG_START] = (uint8_t)in_u8(in);
	}
	while (in->n) {
		whole = frags_step(&g, in);
		if (whole) {
			taken(ip, whole);
			pkt_put(whole);
		}
	}
	frags_end(&g);
	must(f->mem.used == used);
}

static void device(struct ip *ip, uint8_t *p, size_t n)
{
	struct pkt got = { 0 };

	if (vnet_decode(p, (uint32_t)n, &got) == VNET_OK) {
		must(got.data >= p && got.data + got.len == p + n);
		packet(ip, got.data, got.len, got.csum_ok);
	}
}

static struct ip *one_path(struct fake *f)
{
	static const uint8_t six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	struct ip *ip = ip_new(&f->env);
	struct ip_path p = { .up = true,
			     .mtu = 1500,
			     .n_addr = 2,
			     .addr = { addr_v4(10, 0, 0, 1),
				       addr_from(6, six) },
			     .bits = { 24, 64 } };

	must(ip && ip_path_add(ip, &p) == 0);
	return ip;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct input in = { data, n };
	unsigned what = in_u8(&in);
	struct fake f;
	struct ip *ip;
	uint8_t *p;

	fake_init(&f, 1);
	ip = one_path(&f);
	if (what & 4) {
		fragments(&f, ip, &in);
	}
	n = in.n;
	p = in_bytes(&in, &n);
	switch (what & 3) {
	case 0:
		options(p, n);
		break;
	case 1:
		device(ip, p, n);
		break;
	default:
		packet(ip, p, n, what & 1);
		break;
	}
	free(p);
	ip_free(ip);
	fake_fini(&f);
	return 0;
}
