#include "stack/wire/show.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "stack/base/check.h"
#include "stack/wire/eno_opt.h"
#include "stack/wire/icmp_msg.h"
#include "stack/wire/tcp_hdr.h"

/* text that ends quietly where the buffer does */
struct text {
	char *p;
	size_t left; /* the terminator included */
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t,
						      const char *form, ...)
{
	va_list ap;
	int n;

	va_start(ap, form);
	n = vsnprintf(t->p, t->left, form, ap);
	va_end(ap);
	if (n > 0 && t->left > 0) {
		size_t done = min_size((size_t)n, t->left - 1);

		t->p += done;
		t->left -= done;
	}
}

static void put_hex(struct text *t, const uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		put(t, "%02x", p[i]);
	}
}

static void show_flags(struct text *t, uint8_t flags)
{
	static const char names[] = "FSRP.UEW"; /* from the low bit on */

	put(t, "[");
	for (unsigned i = 0; i < 8; i++) {
		if (flags & 1u << i) {
			put(t, "%c", names[i]);
		}
	}
	put(t, "%s]", flags ? "" : "none");
}

static void show_capable(struct text *t, const struct mp_opt_capable *c)
{
	static const char names[] = "HGFEDCBA"; /* from the low bit on */

	put(t, "mp_capable v%u ", c->version);
	for (unsigned i = 8; i-- > 0;) {
		if (c->flags & 1u << i) {
			put(t, "%c", names[i]);
		}
	}
	if (c->len >= 12) {
		put(t, " key %016" PRIx64, c->key_snd);
	}
	if (c->len >= 20) {
		put(t, " %016" PRIx64, c->key_rcv);
	}
	if (c->len >= 22) {
		put(t, " len %u", c->data_len);
	}
	if (c->len >= 24) {
		put(t, " csum 0x%04x", c->csum);
	}
}

static void show_join(struct text *t, const struct mp_opt_join *j)
{
	put(t, "mp_join");
	if (j->len != 24) {
		put(t, " id %u%s", j->addr_id, j->backup ? " backup" : "");
	}
	if (j->len == 12) {
		put(t, " token %08x", j->token);
	}
	if (j->len != 24) {
		put(t, " nonce %08x", j->nonce);
	}
	if (j->len != 12) {
		put(t, " hmac ");
		put_hex(t, j->mac, j->len == 24 ? 20 : 8);
	}
}

static void show_dss(struct text *t, const struct mp_opt_dss *d)
{
	put(t, "dss%s", d->fin ? " fin" : "");
	if (d->ack) {
		put(t, " ack%s %" PRIu64, d->ack8 ? "8" : "", d->data_ack);
	}
	if (d->map) {
		put(t, " dsn%s %" PRIu64 " ssn %u len %u", d->dsn8 ? "8" : "",
		    d->dsn, d->ssn, d->data_len);
	}
	if (d->has_csum) {
		put(t, " csum 0x%04x", d->csum);
	}
	put(t, "%s", d->infinite ? " infinite" : "");
}

static void show_add_addr(struct text *t, const struct mp_opt_add_addr *a)
{
	struct endpoint e = endpoint_make(a->addr, a->port);
	char buf[ENDPOINT_TEXT_MAX];

	put(t, "add_addr%s id %u %s", a->echo ? " echo" : "", a->id,
	    a->port ? endpoint_text(&e, buf) : addr_text(&a->addr, buf));
	if (!a->echo) {
		put(t, " hmac ");
		put_hex(t, a->mac, 8);
	}
}

static void show_mp(struct text *t, const struct mp_opts *mp, unsigned subtype)
{
	switch ((enum mp_opt_subtype)subtype) {
	case MP_OPT_CAPABLE:
		show_capable(t, &mp->capable);
		break;
	case MP_OPT_JOIN:
		show_join(t, &mp->join);
		break;
	case MP_OPT_DSS:
		show_dss(t, &mp->dss);
		break;
	case MP_OPT_ADD_ADDR:
		show_add_addr(t, &mp->add_addr);
		break;
	case MP_OPT_REMOVE_ADDR:
		put(t, "remove_addr id");
		for (unsigned i = 0; i < mp->remove_n; i++) {
			put(t, " %u", mp->remove_id[i]);
		}
		break;
	case MP_OPT_PRIO:
		put(t, "mp_prio%s", mp->prio_backup ? " backup" : "");
		break;
	case MP_OPT_FAIL:
		put(t, "mp_fail dsn %" PRIu64, mp->fail_dsn);
		break;
	case MP_OPT_FASTCLOSE:
		put(t, "mp_fastclose key %016" PRIx64, mp->fastclose_key);
		break;
	case MP_OPT_TCPRST:
		put(t, "mp_tcprst reason %u%s", mp->rst_reason,
		    mp->rst_transient ? " transient" : "");
		break;
	}
}

static void show_kx(struct text *t, uint8_t tep)
{
	static const char *const names[] = {
		[ENO_TEP_P256 - ENO_TEP_EXP] = "p256",
		[ENO_TEP_P521 - ENO_TEP_EXP] = "p521",
		[ENO_TEP_X25519 - ENO_TEP_EXP] = "x25519",
		[ENO_TEP_X448 - ENO_TEP_EXP] = "x448",
	};
	unsigned i = (unsigned)tep - ENO_TEP_EXP;

	if (i < ARRAY_SIZE(names) && names[i]) {
		put(t, "%s", names[i]);
	} else {
		put(t, "tep 0x%02x", tep);
	}
}

static void show_resume(struct text *t, const uint8_t *half,
			const uint8_t *nonce, unsigned nonce_len)
{
	put(t, "resume ");
	put_hex(t, half, ENO_HALF);
	put(t, "%s", nonce_len ? " nonce " : "");
	put_hex(t, nonce, nonce_len);
}

static void show_smtcp(struct text *t, const struct eno_opt_sm *sm)
{
	put(t, "smtcp(");
	for (unsigned i = 0; i < sm->n; i++) {
		put(t, "%s", i ? " " : "");
		show_kx(t, sm->kx[i]);
	}
	put(t, "%s", sm->sig ? " sig" : "");
	if (sm->resume) {
		put(t, " ");
		show_resume(t, sm->half, sm->nonce, sm->nonce_len);
	} else if (sm->r) {
		put(t, " resume?");
	}
	put(t, ")");
}

/* a TEP, with what its data say */
static void show_sub(struct text *t, const struct eno_opt_sub *u)
{
	bool keys = u->tep > ENO_TEP_EXP && u->tep <= ENO_TEP_X448;
	struct eno_opt_sm sm;

	if (eno_opt_sm_parse(u, &sm)) {
		show_smtcp(t, &sm);
		return;
	}
	show_kx(t, u->tep);
	if (u->v && keys && u->len >= ENO_HALF &&
	    u->len <= ENO_HALF + ENO_NONCE) {
		put(t, "(");
		show_resume(t, u->data, u->data + ENO_HALF, u->len - ENO_HALF);
		put(t, ")");
	} else if (u->v) {
		put(t, "(");
		put_hex(t, u->data, u->len);
		put(t, ")");
	}
}

/* RFC 8547: a list in segments with SYN, elsewhere only a sign */
static void show_eno(struct text *t, const struct eno_opt_seen *e, bool syn)
{
	struct eno_opt o;

	if (e->n > 1) {
		put(t, "eno more than once");
		return;
	}
	put(t, "eno");
	if (!syn || !eno_opt_parse(e->opt, e->len, &o)) {
		put(t, "%s%s", syn ? " ill-formed" : "", e->len > 2 ? " " : "");
		put_hex(t, e->opt + 2, e->len - 2u);
		return;
	}
	put(t, "%s%s", o.global & ENO_OPT_B ? " b" : "",
	    o.global & ENO_OPT_A ? " a" : "");
	for (unsigned i = 0; i < o.n; i++) {
		put(t, " ");
		show_sub(t, &o.sub[i]);
	}
	put(t, "%s", o.n ? "" : " vacuous");
}

/* what stands between two options, and before the first */
static const char *sep(unsigned *n)
{
	return (*n)++ ? ", " : " <";
}

static void show_opts(struct text *t, const struct tcp_opts *o, bool syn)
{
	unsigned n = 0;

	if (o->has_mss) {
		put(t, "%smss %u", sep(&n), o->mss);
	}
	if (o->sack_perm) {
		put(t, "%ssackOK", sep(&n));
	}
	if (o->has_ts) {
		put(t, "%sts %u %u", sep(&n), o->ts_val, o->ts_ecr);
	}
	if (o->has_wscale) {
		put(t, "%swscale %u", sep(&n), o->wscale);
	}
	for (unsigned i = 0; i < o->n_sack; i++) {
		put(t, "%s%u-%u", i ? " " : sep(&n), o->sack[i].lo,
		    o->sack[i].hi);
	}
	for (unsigned i = 0; i < 16; i++) {
		if (o->mp.have & MP_HAVE(i)) {
			put(t, "%s", sep(&n));
			show_mp(t, &o->mp, i);
		}
		if (o->mp.bad & MP_HAVE(i)) {
			put(t, "%sbad mptcp subtype %u", sep(&n), i);
		}
	}
	if (o->eno.n) {
		put(t, "%s", sep(&n));
		show_eno(t, &o->eno, syn);
	}
	if (o->malformed) {
		put(t, "%smalformed", sep(&n));
	}
	put(t, "%s", n ? ">" : "");
}

static void put_seg(struct text *t, const struct tcp_seg *s)
{
	char from[ENDPOINT_TEXT_MAX], to[ENDPOINT_TEXT_MAX];

	put(t, "%s > %s ", endpoint_text(&s->t.remote, from),
	    endpoint_text(&s->t.local, to));
	show_flags(t, s->flags);
	put(t, " seq %u", s->seq);
	if (s->flags & TCP_ACK) {
		put(t, " ack %u", s->ack);
	}
	put(t, " win %u", s->wnd);
	if (s->flags & TCP_URG) {
		put(t, " urg %u", s->urg);
	}
	put(t, " len %u", s->len);
	show_opts(t, &s->opts, s->flags & TCP_SYN);
}

const char *show_seg(const struct tcp_seg *s, char *buf, size_t n)
{
	struct text t = { buf, n };

	put(&t, "%s", "");
	put_seg(&t, s);
	return buf;
}

static void put_icmp(struct text *t, const struct ip_hdr *ip)
{
	static const char *const names[] = {
		[ICMP_ECHO_REQUEST] = "echo request",
		[ICMP_ECHO_REPLY] = "echo reply",
		[ICMP_TOO_BIG] = "too big",
		[ICMP_NET_UNREACH] = "net unreachable",
		[ICMP_HOST_UNREACH] = "host unreachable",
		[ICMP_PROTO_UNREACH] = "protocol unreachable",
		[ICMP_PORT_UNREACH] = "port unreachable",
		[ICMP_PROHIBITED] = "prohibited",
		[ICMP_TIME_EXCEEDED] = "time exceeded",
		[ICMP_OTHER] = "other",
	};
	struct icmp_msg m;

	if (!icmp_msg_parse(ip, &m)) {
		put(t, "icmp: truncated or checksum wrong");
		return;
	}
	put(t, "icmp: %s, type %u code %u", names[m.kind], m.type, m.code);
	if (m.kind == ICMP_TOO_BIG) {
		put(t, " mtu %u", m.mtu);
	}
	put(t, " len %u", m.body_len);
}

static void put_ip(struct text *t, const struct ip_hdr *ip)
{
	char from[ADDR_TEXT_MAX], to[ADDR_TEXT_MAX];

	put(t, "%s > %s ", addr_text(&ip->src, from), addr_text(&ip->dst, to));
}

static void put_tcp(struct text *t, const struct ip_hdr *ip)
{
	static const char *const faults[] = {
		[TCP_HDR_SHORT] = "truncated",
		[TCP_HDR_DOFF] = "data offset below 5",
		[TCP_HDR_CKSUM] = "checksum wrong",
	};
	struct tcp_seg s = { 0 };
	enum tcp_hdr_status status = tcp_hdr_parse(ip, false, &s);

	if (status == TCP_HDR_OK) {
		put_seg(t, &s);
		return;
	}
	if (status == TCP_HDR_CKSUM && tcp_hdr_parse(ip, true, &s) == 0) {
		put_seg(t, &s);
		put(t, " (%s)", faults[status]);
		return;
	}
	put_ip(t, ip);
	put(t, "tcp: %s", faults[status]);
}

const char *show_packet(const uint8_t *p, uint32_t n, char *buf, size_t size)
{
	static const char *const faults[] = {
		[IP_HDR_SHORT] = "truncated",
		[IP_HDR_VERSION] = "neither IPv4 nor IPv6",
		[IP_HDR_LENGTH] = "impossible length",
		[IP_HDR_CKSUM] = "IPv4 header checksum wrong",
		[IP_HDR_FRAGMENT] = "fragment",
		[IP_HDR_EXT] = "extension header not understood",
	};
	struct text t = { buf, size };
	enum ip_hdr_status status;
	struct ip_hdr ip;

	put(&t, "%s", "");
	status = ip_hdr_parse(p, n, &ip);
	if (status != IP_HDR_OK) {
		put(&t, "ip: %s, %u octets", faults[status], n);
	} else if (ip.proto == IP_PROTO_TCP) {
		put_tcp(&t, &ip);
	} else if (ip.proto == IP_PROTO_ICMP || ip.proto == IP_PROTO_ICMPV6) {
		put_ip(&t, &ip);
		put_icmp(&t, &ip);
	} else {
		put_ip(&t, &ip);
		put(&t, "proto %u len %u", ip.proto, ip.body_len);
	}
	return buf;
}
