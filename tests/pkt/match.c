/* match.c - packets that the stack sent: taken, sorted to flows, compared */
#include <string.h>

#include "stack/base/check.h"
#include "stack/base/seq.h"
#include "stack/wire/show.h"
#include "tests/pkt/pkt.h"

/* the flow this packet belongs to; a SYN teaches a flow the stack's port */
static struct flow *flow_of(struct run *r, const struct sent *p)
{
	for (unsigned i = r->n_flows; i-- > 0;) {
		struct flow *f = &r->flow[i];

		if (f->path == p->path &&
		    endpoint_eq(&f->t.local, &p->seg.t.remote) &&
		    endpoint_eq(&f->t.remote, &p->seg.t.local)) {
			return f;
		}
	}
	for (unsigned i = 0; i < r->n_flows; i++) {
		struct flow *f = &r->flow[i];

		if ((p->seg.flags & ~(TCP_ECE | TCP_CWR)) == TCP_SYN &&
		    f->t.local.port == 0 &&
		    f->path == p->path &&
		    addr_eq(&f->t.local.addr, &p->seg.t.remote.addr) &&
		    endpoint_eq(&f->t.remote, &p->seg.t.local)) {
			f->t.local.port = p->seg.t.remote.port;
			return f;
		}
	}
	return NULL;
}

/* numbers as the script counts them */
const char *match_show(struct run *r, const struct sent *p, char *buf, size_t n)
{
	struct tcp_seg s = p->seg;
	const struct flow *f = p->f;
	int at = snprintf(buf, n, "%.6f %s ",
			  (double)instant_since(p->at, r->start) / 1e9,
			  f ? f->name : "(no flow)");

	if (f) {
		s.seq -= f->isn_local;
		s.ack -= s.flags & TCP_ACK ? f->isn_peer : 0;
		for (unsigned i = 0; i < s.opts.n_sack; i++) {
			s.opts.sack[i].lo -= f->isn_peer;
			s.opts.sack[i].hi -= f->isn_peer;
		}
		if (f->conn->has_local && s.opts.mp.have) {
			uint64_t in = value_idsn(r, f->conn->key_peer);
			uint64_t out = value_idsn(r, f->conn->key_local);
			struct mp_opt_dss *d = &s.opts.mp.dss;

			d->data_ack -= d->ack8 ? in : (uint32_t)in;
			d->dsn -= d->dsn8 ? out : (uint32_t)out;
		}
	}
	show_seg(&s, buf + at, n - (size_t)at);
	return buf;
}

/* the payload is what the application wrote at this place */
static bool payload_ok(struct run *r, const struct sent *p)
{
	const struct flow *f = p->f;
	/* a SYN stands before its data (RFC 7413) */
	uint32_t ssn = p->seg.seq - f->isn_local +
		       ((p->seg.flags & TCP_SYN) != 0);
	uint64_t off = ssn - 1;

	for (unsigned i = f->n_out; i-- > 0;) {
		const struct mapping *m = &f->out[i];

		if (ssn - m->ssn < m->len || (m->len == 0 && ssn >= m->ssn)) {
			off = m->dsn - 1 + (ssn - m->ssn);
			break;
		}
	}
	if (f->conn->peer.k) {
		peer_gather(r, &p->f->conn->peer, off, p->seg.data,
			    p->seg.len);
		return true;
	}
	for (uint32_t i = 0; i < p->seg.len; i++) {
		if (p->seg.data[i] != value_octet(off + i)) {
			pkt_fail(r,
				 "octet %u of the payload (offset %llu) is "
				 "not what was written there",
				 i, (unsigned long long)(off + i));
		}
	}
	return true;
}

#define CLEAR_RUN 8    /* octets of the program's in a row: no accident */
#define CLEAR_MAX 4096 /* of what it wrote first */

/* no packet has what the program wrote, in any place or alignment */
static void must_be_secret(struct run *r, const struct tcp_seg *s)
{
	uint64_t wrote = 0;

	for (unsigned i = 0; i < r->n_socks; i++) {
		wrote = r->sock[i].wrote > wrote ? r->sock[i].wrote : wrote;
	}
	wrote = wrote < CLEAR_MAX ? wrote : CLEAR_MAX;
	for (uint32_t i = 0; i + CLEAR_RUN <= s->len; i += CLEAR_RUN) {
		for (uint64_t w = 0; w + CLEAR_RUN <= wrote; w++) {
			unsigned n = 0;

			while (n < CLEAR_RUN &&
			       s->data[i + n] == value_octet(w + n)) {
				n++;
			}
			if (n == CLEAR_RUN) {
				pkt_fail(r, "octet %llu of the program's data "
					    "leaves in the clear",
					 (unsigned long long)w);
			}
		}
	}
}

/* the right edge never moves left (RFC 9293 3.8.6); a SYN begins anew */
static void learn_edge(struct flow *f, const struct tcp_seg *s)
{
	bool syn = s->flags & TCP_SYN;
	uint32_t edge = s->ack + ((uint32_t)s->wnd << (syn ? 0 : f->shift));

	if (s->flags & TCP_ACK && !(s->flags & TCP_RST) &&
	    (syn || seq_gt(edge, f->edge))) {
		f->edge = edge;
	}
}

void match_take(struct run *r, struct pkt *k)
{
	struct sent *p = &r->q[r->n_q];
	const char *fault;
	struct icmp_msg icmp;
	struct ip_hdr ip;
	unsigned opt_len;

	if (r->n_q == PKT_QUEUE) {
		pkt_fail(r, "the stack sends without end");
	}
	*p = (struct sent){ .pkt = k, .at = r->now, .path = k->dev };
	if (ip_hdr_parse(k->data, k->len, &ip) == IP_HDR_OK &&
	    icmp_msg_parse(&ip, &icmp)) {
		r->icmp_sent = (uint32_t)icmp.type << 8 | icmp.code;
		r->icmp_word = icmp.rest;
		r->n_icmp++;
		pkt_put(k);
		return;
	}
	if (ip_hdr_parse(k->data, k->len, &ip) != IP_HDR_OK ||
	    ip.proto != IP_PROTO_TCP ||
	    tcp_hdr_parse(&ip, k->csum_ok, &p->seg) != TCP_HDR_OK) {
		char shown[PKT_LINE];

		pkt_fail(r, "malformed packet: %s",
			 show_packet(k->data, k->len, shown, sizeof(shown)));
	}
	p->f = flow_of(r, p);
	r->n_q++;
	if (p->f) {
		match_learn(r, p->f, p);
		learn_edge(p->f, &p->seg);
	}
	if (r->verbose) {
		char shown[PKT_LINE];

		printf("  > %s\n", match_show(r, p, shown, sizeof(shown)));
	}
	opt_len = (unsigned)(p->seg.data - ip.body) - TCP_HDR_LEN;
	fault = match_reserved(ip.body + TCP_HDR_LEN, opt_len);
	if (fault) {
		pkt_fail(r, "%s", fault);
	}
	if (!r->gso && k->len > r->path[p->path].mtu) {
		pkt_fail(r, "packet of %u octets, MTU %u", k->len,
			 r->path[p->path].mtu);
	}
	if (r->secret) {
		must_be_secret(r, &p->seg);
	}
	if (p->f && p->seg.len) {
		payload_ok(r, p);
	}
}

void match_drop(struct run *r, unsigned i)
{
	pkt_put(r->q[i].pkt);
	r->n_q--;
	memmove(&r->q[i], &r->q[i + 1], sizeof(r->q[0]) * (r->n_q - i));
}

int match_find(struct run *r, const char *attrs)
{
	struct words w;
	struct flow *f;

	words_split(&w, attrs, " \t");
	f = words_peek(&w) ? run_flow(r, words_peek(&w)) : NULL;
	f = f ? f : run_flow(r, "f0");
	for (unsigned i = 0; i < r->n_q; i++) {
		if (r->q[i].f == f) {
			return (int)i;
		}
	}
	return -1;
}

/* P is compared only when the script has it */
static bool flags_ok(const char *want, uint8_t got)
{
	static const char names[] = "FSRP.UEW";

	for (unsigned i = 0; i < 8; i++) {
		bool is = got & 1u << i, should = strchr(want, names[i]);

		if (is != should && (names[i] != 'P' || should)) {
			return false;
		}
	}
	return true;
}

/* N, >N or <N */
static bool num_ok(struct run *r, struct words *w, uint32_t got)
{
	const char *t = words_peek(w);

	if (t && (t[0] == '>' || t[0] == '<') && t[1]) {
		struct words one;
		uint32_t v;

		words_split(&one, words_next(r, w) + 1, " ");
		v = (uint32_t)words_num(r, &one);
		return t[0] == '>' ? got > v : got < v;
	}
	return (uint32_t)words_num(r, w) == got;
}

/* the IPv6 flow label: none, set, same as in the packet matched before, or new */
static bool label_ok(const struct sent *p, const char *how, uint32_t *got)
{
	uint32_t was = p->f->label;

	*got = be32_get(p->pkt->data) & 0xfffff;
	p->f->label = *got;
	if (strcmp(how, "none") == 0) {
		return !*got;
	}
	return *got && (how[0] == 's' && how[1] == 'a' ? *got == was :
							 *got != was);
}

static const char *match_attrs(struct run *r, const struct sent *p,
			       struct words *w, char *buf)
{
	const struct flow *f = p->f;
	const char *flags = words_next(r, w);
	const char *name = "flags";
	uint32_t got = 0;
	bool ok = flags_ok(flags, p->seg.flags);

	while (ok && words_peek(w)) {
		name = words_next(r, w);
		if (strcmp(name, "seq") == 0) {
			got = p->seg.seq - f->isn_local;
		} else if (strcmp(name, "ack") == 0) {
			got = p->seg.ack - f->isn_peer;
		} else if (strcmp(name, "win") == 0) {
			got = p->seg.wnd;
		} else if (strcmp(name, "wnd") == 0) {
			got = (uint32_t)p->seg.wnd << f->shift;
		} else if (strcmp(name, "len") == 0) {
			got = p->seg.len;
		} else if (strcmp(name, "urg") == 0) {
			got = p->seg.flags & TCP_URG ? p->seg.urg : 0;
		} else if (strcmp(name, "label") == 0) {
			ok = label_ok(p, words_next(r, w), &got);
			continue;
		} else if (strcmp(name, "total") == 0) {
			got = p->pkt->len;
		} else if (strcmp(name, "ecn") == 0) {
			got = p->seg.tos & 3;
		} else {
			pkt_fail(r, "\"%s\" is not understood", name);
		}
		ok = num_ok(r, w, got);
	}
	if (ok) {
		return NULL;
	}
	snprintf(buf, PKT_LINE, "%s: got %u", name, got);
	return strcmp(name, "flags") == 0 ? "flags" : buf;
}

void match_packet(struct run *r, unsigned i, const char *attrs,
		  const char *opts)
{
	const struct sent *p = &r->q[i];
	char buf[PKT_LINE];
	const char *fault;
	struct words w, list, one;

	words_split(&w, attrs, " \t");
	if (words_peek(&w) && run_flow(r, words_peek(&w))) {
		w.at++;
	}
	fault = match_attrs(r, p, &w, buf);
	words_split(&list, opts ? opts : "", ",");
	while (!fault && words_peek(&list)) {
		words_split(&one, words_next(r, &list), " \t");
		fault = match_opt(r, p->f, p, &one, buf);
		if (!fault) {
			words_end(r, &one);
		}
	}
	if (fault) {
		char shown[PKT_LINE];

		pkt_fail(r, "%s\n    got:   %s", fault,
			 match_show(r, p, shown, sizeof(shown)));
	}
	if (p->f) {
		peer_hears(r, p->f, p);
	}
}

/* icmpsent TYPE CODE [WORD] | none: what the stack answered since the last */
void match_icmp(struct run *r, struct words *w)
{
	uint32_t type, code, word;

	if (words_take(w, "none")) {
		if (r->n_icmp) {
			pkt_fail(r, "ICMP %u/%u %u", r->icmp_sent >> 8,
				 r->icmp_sent & 255, r->icmp_word);
		}
		return;
	}
	type = (uint32_t)words_num(r, w);
	code = (uint32_t)words_num(r, w);
	word = words_peek(w) ? (uint32_t)words_num(r, w) : r->icmp_word;
	if (!r->n_icmp || r->icmp_sent != (type << 8 | code) ||
	    r->icmp_word != word) {
		pkt_fail(r, "got %u, %u/%u %u", r->n_icmp, r->icmp_sent >> 8,
			 r->icmp_sent & 255, r->icmp_word);
	}
	r->n_icmp = 0;
}
