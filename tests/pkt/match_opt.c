/* match_opt.c - the options of a packet that the stack sent, against what a
 * script says about them; keys, nonces and mappings are learnt on the way
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "tests/pkt/pkt.h"

#define FAULT(...)                                    \
	do {                                          \
		snprintf(buf, PKT_LINE, __VA_ARGS__); \
		return buf;                           \
	} while (0)

static bool have(const struct sent *p, enum mp_opt_subtype t)
{
	return p->seg.opts.mp.have & MP_HAVE(t);
}

/* --- learning -------------------------------------------------------------- */

static void add_map(struct flow *f, uint64_t dsn, uint32_t ssn, uint32_t len)
{
	struct mapping m = { dsn, ssn, len };

	for (unsigned i = 0; i < f->n_out; i++) {
		if (memcmp(&f->out[i], &m, sizeof(m)) == 0) {
			return;
		}
	}
	if (f->n_out == PKT_MAPS) {
		memmove(f->out, f->out + 1, sizeof(m) * (PKT_MAPS - 1));
		f->n_out--;
	}
	f->out[f->n_out++] = m;
}

void match_learn(struct run *r, struct flow *f, const struct sent *p)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	if (p->seg.flags & TCP_SYN) {
		f->isn_local = p->seg.seq;
		f->shift = p->seg.opts.has_wscale ? p->seg.opts.wscale : 0;
	}
	if (p->seg.opts.has_ts) {
		f->ts_last = p->seg.opts.ts_val;
	}
	if (have(p, MP_OPT_CAPABLE) && o->capable.len >= 12 &&
	    !f->conn->has_local) {
		f->conn->key_local = o->capable.key_snd;
		f->conn->has_local = true;
	}
	if (have(p, MP_OPT_CAPABLE) && o->capable.len <= 12) {
		*(o->capable.len == 4 ? &f->conn->flags_syn :
					&f->conn->flags_synack) =
			o->capable.flags;
	}
	if (have(p, MP_OPT_CAPABLE) && o->capable.len >= 22) {
		add_map(f, 1, 1, o->capable.data_len);
	}
	if (have(p, MP_OPT_JOIN) && o->join.len != 24) {
		f->nonce_local = o->join.nonce;
	}
	if (have(p, MP_OPT_DSS) && o->dss.map && f->conn->has_local &&
	    (p->seg.len || o->dss.infinite)) {
		uint64_t dsn = o->dss.dsn - value_idsn(r, f->conn->key_local);

		add_map(f, o->dss.dsn8 ? dsn : (uint32_t)dsn, o->dss.ssn,
			o->dss.data_len - (o->dss.fin ? 1u : 0u));
	}
}

/* --- what is true of every option ------------------------------------------ */

static const char *reserved_one(const uint8_t *p, unsigned n)
{
	unsigned low = p[2] & 15;

	switch (p[2] >> 4) {
	case MP_OPT_CAPABLE:
		return n != 4 && n != 12 && n != 20 && n != 22 && n != 24
			       ? "MP_CAPABLE: impossible length"
			       : NULL;
	case MP_OPT_JOIN:
		return n != 12 && n != 16 && n != 24 ? "MP_JOIN: length"
		       : n == 24 && (low || p[3])    ? "MP_JOIN: reserved bits"
		       : low & 14                    ? "MP_JOIN: reserved bits"
						     : NULL;
	case MP_OPT_DSS:
		return low || p[3] & 0xe0 ? "DSS: reserved bits" : NULL;
	case MP_OPT_ADD_ADDR:
		if (low & 1 ? n != 8 && n != 10 && n != 20 && n != 22
			    : n != 16 && n != 18 && n != 28 && n != 30) {
			return "ADD_ADDR: length";
		}
		return low & 14 ? "ADD_ADDR: reserved bits" : NULL;
	case MP_OPT_REMOVE_ADDR:
		return low ? "REMOVE_ADDR: reserved bits" : NULL;
	case MP_OPT_PRIO:
		return n != 3 || low & 14 ? "MP_PRIO: length or bits" : NULL;
	case MP_OPT_FAIL:
	case MP_OPT_FASTCLOSE:
		return n != 12 || low || p[3] ? "reserved bits, length" : NULL;
	case MP_OPT_TCPRST:
		return n != 4 || low & 14 ? "MP_TCPRST: U, V, W" : NULL;
	default:
		return "unknown MPTCP subtype";
	}
}

const char *match_reserved(const uint8_t *opt, unsigned n)
{
	while (n && opt[0] != 0) {
		unsigned len = opt[0] == 1 ? 1 : n < 2 ? 0 : opt[1];

		if (len == 0 || len > n || (opt[0] != 1 && len < 2)) {
			return "options do not add up";
		}
		if (opt[0] == 30) {
			const char *fault = len < 3 ? "MPTCP option below 3"
						    : reserved_one(opt, len);

			if (fault) {
				return fault;
			}
		}
		opt += len;
		n -= len;
	}
	return NULL;
}

/* --- one option each -------------------------------------------------------- */

static const char *csum_fault(struct words *w, bool has, uint16_t got,
			      uint16_t right, char *buf)
{
	if (words_take(w, "-csum")) {
		return has ? "checksum: expected none" : NULL;
	}
	if (!words_take(w, "csum")) {
		return NULL;
	}
	if (!has || got != right) {
		FAULT("checksum: expected 0x%04x, got %s 0x%04x", right,
		      has ? "" : "none", got);
	}
	return NULL;
}

static const char *m_capable(struct run *r, struct flow *f,
			     const struct sent *p, struct words *w, char *buf)
{
	const struct mp_opt_capable *c = &p->seg.opts.mp.capable;
	unsigned want = words_take(w, "keys")  ? 20
			: words_take(w, "key") ? 12
			: words_take(w, "syn") ? 4
					       : c->len;
	uint32_t data_len = 0;

	if (c->version != 1) {
		FAULT("mpcapable: version %u", c->version);
	}
	if (words_take(w, "flags")) {
		char names[9] = "";

		for (unsigned i = 0, n = 0; i < 8; i++) {
			if (c->flags & 0x80 >> i) {
				names[n++] = (char)('A' + i);
				names[n] = 0;
			}
		}
		if (strcmp(names, words_next(r, w)) != 0) {
			FAULT("mpcapable: flags %s", names);
		}
	}
	if (words_take(w, "len")) {
		data_len = (uint32_t)words_num(r, w);
		want = 22;
	}
	if ((c->len == 24 ? 22 : c->len) != (want == 24 ? 22 : want)) {
		FAULT("mpcapable: length %u, expected %u", c->len, want);
	}
	if (data_len && c->data_len != data_len) {
		FAULT("mpcapable: data length %u", c->data_len);
	}
	if (c->len >= 12 && c->key_snd != f->conn->key_local) {
		FAULT("mpcapable: sender's key %" PRIx64, c->key_snd);
	}
	if (c->len >= 20 && c->key_rcv != f->conn->key_peer) {
		FAULT("mpcapable: receiver's key %" PRIx64, c->key_rcv);
	}
	return csum_fault(w, c->len == 24, c->csum,
			  value_dss_csum(value_idsn(r, c->key_snd) + 1, 1,
					 c->data_len, 0, c->data_len),
			  buf);
}

static const char *m_join(struct run *r, struct flow *f, const struct sent *p,
			  struct words *w, char *buf)
{
	const struct mp_opt_join *j = &p->seg.opts.mp.join;
	struct mac_key mk = value_key(f->conn, true, false);
	uint8_t mac[32];

	if (words_take(w, "syn")      ? j->len != 12
	    : words_take(w, "synack") ? j->len != 16
	    : words_take(w, "ack")    ? j->len != 24
				      : false) {
		FAULT("mpjoin: length %u", j->len);
	}
	value_join(r, &mk, f->nonce_local, f->nonce_peer, mac);
	if (j->len == 12 && j->token != value_token(r, f->conn->key_peer)) {
		FAULT("mpjoin: token %08x, expected %08x", j->token,
		      value_token(r, f->conn->key_peer));
	}
	if (j->len != 12 && memcmp(mac, j->mac, j->len == 16 ? 8 : 20) != 0) {
		FAULT("mpjoin: HMAC wrong");
	}
	while (words_peek(w)) {
		if (words_take(w, "id")) {
			if (j->addr_id != words_num(r, w)) {
				FAULT("mpjoin: id %u", j->addr_id);
			}
		} else if (words_take(w, "backup")) {
			if (!j->backup) {
				FAULT("mpjoin: not backup");
			}
		} else if (words_take(w, "-backup")) {
			if (j->backup) {
				FAULT("mpjoin: backup");
			}
		} else {
			break;
		}
	}
	return NULL;
}

/* compares what a word says with a wire value of 4 or 8 octets */
static bool dsn_is(struct run *r, struct words *w, uint64_t base, bool wide,
		   uint64_t got)
{
	uint64_t want = base + (uint64_t)words_num(r, w);

	return wide ? got == want : (uint32_t)got == (uint32_t)want;
}

static const char *m_dss_word(struct run *r, struct flow *f,
			      const struct mp_opt_dss *d, struct words *w,
			      char *buf)
{
	const char *name = words_next(r, w);
	uint64_t out = value_idsn(r, f->conn->key_local);
	uint64_t in = value_idsn(r, f->conn->key_peer);
	bool ok = true;

	if (strncmp(name, "ack", 3) == 0) {
		ok = d->ack && (!name[3] || d->ack8 == (name[3] == '8')) &&
		     dsn_is(r, w, in, d->ack8, d->data_ack);
	} else if (strncmp(name, "dsn", 3) == 0) {
		ok = d->map && (!name[3] || d->dsn8 == (name[3] == '8')) &&
		     dsn_is(r, w, out, d->dsn8, d->dsn);
	} else if (strcmp(name, "ssn") == 0) {
		ok = d->map && d->ssn == (uint32_t)words_num(r, w);
	} else if (strcmp(name, "len") == 0) {
		ok = d->map && d->data_len == words_num(r, w);
	} else if (strcmp(name, "infinite") == 0) {
		ok = d->infinite && d->csum == 0;
	} else if (strcmp(name, "fin") == 0) {
		ok = d->fin;
	} else if (strcmp(name, "-fin") == 0) {
		ok = !d->fin;
	} else if (strcmp(name, "map") == 0) {
		ok = d->map;
	} else if (strcmp(name, "-map") == 0) {
		ok = !d->map;
	} else if (strcmp(name, "-ack") == 0) {
		ok = !d->ack;
	} else {
		pkt_fail(r, "dss: \"%s\" is not understood", name);
	}
	if (!ok) {
		FAULT("dss: %s: got %s%" PRIi64 " map %s%" PRIi64
		      " ssn %u len %u%s",
		      name, d->ack ? "ack " : "no ack ",
		      (int64_t)(d->data_ack - in), d->map ? "" : "none ",
		      (int64_t)(d->dsn - out), d->ssn, d->data_len,
		      d->fin ? " fin" : "");
	}
	return NULL;
}

static const char *m_dss(struct run *r, struct flow *f, const struct sent *p,
			 struct words *w, char *buf)
{
	const struct mp_opt_dss *d = &p->seg.opts.mp.dss;
	uint64_t out = value_idsn(r, f->conn->key_local);
	const char *fault = NULL;

	while (words_peek(w) && !fault) {
		uint32_t payload = d->data_len - (d->fin ? 1u : 0u);

		if (strstr(words_peek(w), "csum")) {
			fault = csum_fault(
				w, d->has_csum, d->csum,
				value_dss_csum(d->dsn, d->ssn, d->data_len,
					       d->dsn - out - 1, payload),
				buf);
		} else {
			fault = m_dss_word(r, f, d, w, buf);
		}
	}
	return fault;
}

static const char *m_add_addr(struct run *r, struct flow *f,
			      const struct sent *p, struct words *w, char *buf)
{
	const struct mp_opt_add_addr *a = &p->seg.opts.mp.add_addr;
	struct endpoint got = endpoint_make(a->addr, a->port), e = { 0 };
	char text[ENDPOINT_TEXT_MAX];
	struct mac_key mk = value_key(f->conn, true, false);
	bool echo = false;
	uint8_t mac[8];

	while (words_peek(w)) {
		if (words_take(w, "id")) {
			if (a->id != words_num(r, w)) {
				FAULT("addaddr: id %u", a->id);
			}
		} else if (words_take(w, "echo")) {
			echo = true;
		} else {
			const char *t = words_next(r, w);

			if (!addr_parse(t, &e.addr)) {
				words_endpoint(r, t, &e);
			}
			if (!endpoint_eq(&e, &got)) {
				FAULT("addaddr: got %s",
				      endpoint_text(&got, text));
			}
		}
	}
	if (a->echo != echo) {
		FAULT("addaddr: %s", a->echo ? "an echo" : "no echo");
	}
	value_add_addr(r, &mk, a->id, &got, mac);
	if (!echo && memcmp(mac, a->mac, 8) != 0) {
		FAULT("addaddr: HMAC wrong");
	}
	return NULL;
}

static const char *m_small(struct run *r, struct flow *f, const struct sent *p,
			   enum mp_opt_subtype t, struct words *w, char *buf)
{
	const struct mp_opts *o = &p->seg.opts.mp;

	if (t == MP_OPT_REMOVE_ADDR) {
		for (unsigned i = 0; words_peek(w); i++) {
			if (i >= o->remove_n ||
			    o->remove_id[i] != words_num(r, w)) {
				FAULT("rmaddr: other IDs");
			}
		}
	} else if (t == MP_OPT_PRIO) {
		if (o->prio_backup != words_take(w, "backup")) {
			FAULT("prio: the other way");
		}
	} else if (t == MP_OPT_FAIL && words_peek(w)) {
		if (o->fail_dsn != value_idsn(r, f->conn->key_peer) +
					   (uint64_t)words_num(r, w)) {
			FAULT("fail: got dsn %" PRIi64,
			      (int64_t)(o->fail_dsn -
					value_idsn(r, f->conn->key_peer)));
		}
	} else if (t == MP_OPT_FASTCLOSE) {
		if (o->fastclose_key !=
		    value_fastclose(f->conn, false, false)) {
			FAULT("fastclose: key wrong");
		}
	} else if (t == MP_OPT_TCPRST) {
		bool any = !words_peek(w);

		if (!any && o->rst_reason != words_num(r, w)) {
			FAULT("tcprst: reason %u", o->rst_reason);
		}
		if (!any && o->rst_transient != words_take(w, "transient")) {
			FAULT("tcprst: T is %d", o->rst_transient);
		}
	}
	return NULL;
}

/* --- TCP's own --------------------------------------------------------------- */

static bool star_or(struct run *r, struct words *w, uint32_t got)
{
	return !words_peek(w) || words_take(w, "*") ||
	       (uint32_t)words_num(r, w) == got;
}

/* eno: there is one; eno none|HEX: with these contents; ? is any digit, * at
 * the end the rest */
static const char *m_eno(const struct sent *p, struct words *w, char *buf)
{
	const struct eno_opt_seen *e = &p->seg.opts.eno;
	char got[2 * TCP_HDR_OPT_MAX + 1] = "";
	const char *want = words_peek(w);

	if (e->n != 1) {
		FAULT("eno: %u options", e->n);
	}
	for (unsigned i = 2; i < e->len; i++) {
		snprintf(got + 2 * (i - 2), 3, "%02x", e->opt[i]);
	}
	if (!want) {
		return NULL;
	}
	w->at++;
	if (strcmp(want, "none") == 0) {
		want = "";
	}
	for (unsigned i = 0; want[i] || got[i]; i++) {
		if (want[i] == '*' && want[i + 1] == 0) {
			break;
		}
		if (want[i] != got[i] && (want[i] != '?' || !got[i])) {
			FAULT("eno: got %s", got);
		}
	}
	return NULL;
}

/* tfo ask; tfo new: a cookie that no packet had so far; tfo got: the last one;
 * tfo HEX */
static const char *m_tfo(struct run *r, const struct tcp_opts *o,
			 struct words *w, char *buf)
{
	bool same = o->tfo_len && o->tfo_len == r->tfo_len &&
		    memcmp(o->tfo, r->tfo, r->tfo_len) == 0;
	char hex[2 * TCP_HDR_TFO_MAX + 1] = "";
	const char *want = words_next(r, w);

	for (unsigned i = 0; i < o->tfo_len; i++) {
		snprintf(hex + (size_t)2 * i, 3, "%02x", o->tfo[i]);
	}
	if (!o->has_tfo ||
	    (strcmp(want, "ask") == 0	? o->tfo_len > 0
	     : strcmp(want, "new") == 0 ? !o->tfo_len || same
	     : strcmp(want, "got") == 0 ? !same
					: strcmp(want, hex) != 0)) {
		FAULT("tfo: got %s", o->has_tfo ? hex : "none");
	}
	if (o->tfo_len) {
		r->tfo_len = o->tfo_len;
		memcpy(r->tfo, o->tfo, o->tfo_len);
	}
	return NULL;
}

static const char *m_tcp(struct run *r, struct flow *f, const struct sent *p,
			 const char *name, struct words *w, char *buf)
{
	const struct tcp_opts *o = &p->seg.opts;

	if (strcmp(name, "mss") == 0) {
		if (!o->has_mss || !star_or(r, w, o->mss)) {
			FAULT("mss: got %u", o->mss);
		}
	} else if (strcmp(name, "wscale") == 0) {
		if (!o->has_wscale || !star_or(r, w, o->wscale)) {
			FAULT("wscale: got %u", o->wscale);
		}
	} else if (strcmp(name, "sackOK") == 0) {
		if (!o->sack_perm) {
			FAULT("no sackOK");
		}
	} else if (strcmp(name, "ts") == 0) {
		if (!o->has_ts || !star_or(r, w, o->ts_val) ||
		    !star_or(r, w, o->ts_ecr)) {
			FAULT("ts: got %u %u", o->ts_val, o->ts_ecr);
		}
	} else if (strcmp(name, "tfo") == 0) {
		return m_tfo(r, o, w, buf);
	} else if (strcmp(name, "sack") == 0) {
		unsigned i = 0;

		for (; words_peek(w); i++) {
			char *end;
			const char *t = words_next(r, w);
			uint32_t lo = (uint32_t)strtoul(t, &end, 0);
			uint32_t hi = (uint32_t)strtoul(end + 1, NULL, 0);

			if (i >= o->n_sack ||
			    o->sack[i].lo - f->isn_peer != lo ||
			    o->sack[i].hi - f->isn_peer != hi) {
				FAULT("sack: %u blocks, number %u differs",
				      o->n_sack, i);
			}
		}
		if (i != o->n_sack) {
			FAULT("sack: %u blocks", o->n_sack);
		}
	} else {
		pkt_fail(r, "unknown option \"%s\"", name);
	}
	return NULL;
}

static const char *const mp_names[] = {
	[MP_OPT_CAPABLE] = "mpcapable",
	[MP_OPT_JOIN] = "mpjoin",
	[MP_OPT_DSS] = "dss",
	[MP_OPT_ADD_ADDR] = "addaddr",
	[MP_OPT_REMOVE_ADDR] = "rmaddr",
	[MP_OPT_PRIO] = "prio",
	[MP_OPT_FAIL] = "fail",
	[MP_OPT_FASTCLOSE] = "fastclose",
	[MP_OPT_TCPRST] = "tcprst",
};

/* -NAME: the option must not be there */
static const char *m_absent(struct run *r, const struct sent *p,
			    const char *name, char *buf)
{
	const struct tcp_opts *o = &p->seg.opts;
	bool there = false, known = true;

	if (strcmp(name, "mptcp") == 0) {
		there = o->mp.have || o->mp.bad;
	} else if (strcmp(name, "mss") == 0) {
		there = o->has_mss;
	} else if (strcmp(name, "ts") == 0) {
		there = o->has_ts;
	} else if (strcmp(name, "sackOK") == 0) {
		there = o->sack_perm;
	} else if (strcmp(name, "sack") == 0) {
		there = o->n_sack > 0;
	} else if (strcmp(name, "eno") == 0) {
		there = o->eno.n > 0;
	} else if (strcmp(name, "tfo") == 0) {
		there = o->has_tfo;
	} else if (strcmp(name, "wscale") == 0) {
		there = o->has_wscale;
	} else {
		known = false;
		for (unsigned i = 0; i < ARRAY_SIZE(mp_names); i++) {
			if (strcmp(name, mp_names[i]) == 0) {
				there = have(p, (enum mp_opt_subtype)i);
				known = true;
			}
		}
	}
	if (!known) {
		pkt_fail(r, "unknown option \"%s\"", name);
	}
	if (there) {
		FAULT("%s: expected none", name);
	}
	return NULL;
}

const char *match_opt(struct run *r, struct flow *f, const struct sent *p,
		      struct words *w, char buf[PKT_LINE])
{
	const char *name = words_next(r, w);

	if (name[0] == '-') {
		return m_absent(r, p, name + 1, buf);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(mp_names); i++) {
		enum mp_opt_subtype t = (enum mp_opt_subtype)i;

		if (strcmp(name, mp_names[i]) != 0) {
			continue;
		}
		if (!have(p, t)) {
			FAULT("no %s", name);
		}
		switch (t) {
		case MP_OPT_CAPABLE:
			return m_capable(r, f, p, w, buf);
		case MP_OPT_JOIN:
			return m_join(r, f, p, w, buf);
		case MP_OPT_DSS:
			return m_dss(r, f, p, w, buf);
		case MP_OPT_ADD_ADDR:
			return m_add_addr(r, f, p, w, buf);
		case MP_OPT_REMOVE_ADDR:
		case MP_OPT_PRIO:
		case MP_OPT_FAIL:
		case MP_OPT_FASTCLOSE:
		case MP_OPT_TCPRST:
			return m_small(r, f, p, t, w, buf);
		}
	}
	if (strcmp(name, "eno") == 0) {
		return m_eno(p, w, buf);
	}
	return m_tcp(r, f, p, name, w, buf);
}
