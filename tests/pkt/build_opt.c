/* build_opt.c - the options of a packet that a script sends; written from RFC
 * 8684's figures, without the stack's encoder
 */
#include <stdlib.h>
#include <string.h>

#include "tests/pkt/pkt.h"

static void head(struct wr *o, unsigned len, unsigned subtype, unsigned low)
{
	wr_u8(o, 30);
	wr_u8(o, (uint8_t)len);
	wr_u8(o, (uint8_t)(subtype << 4 | low));
}

static uint64_t local_key(struct run *r, const struct flow *f)
{
	if (!f->conn->has_local) {
		pkt_fail(r, "the stack's key is not known yet");
	}
	return f->conn->key_local;
}

/* csum [bad|none|N]; true: one is wanted */
static bool csum_word(struct words *w, uint16_t right, uint16_t *out)
{
	const char *p;

	if (!words_take(w, "csum")) {
		return false;
	}
	*out = right;
	p = words_peek(w);
	if (words_take(w, "bad")) {
		*out = right ^ 0x5555;
	} else if (words_is_num(p)) {
		*out = (uint16_t)strtoul(p, NULL, 0);
		w->at++;
	}
	return true;
}

uint8_t build_flags(struct run *r, struct words *w)
{
	uint8_t flags = 0;

	for (const char *p = words_next(r, w); *p; p++) {
		if (*p >= 'A' && *p <= 'H') {
			flags |= (uint8_t)(0x80 >> (*p - 'A'));
		}
	}
	return flags;
}

/* mpcapable [vN] [flags AH] [key | keys | wrongkeys] [len N [csum [..]]] */
static void opt_capable(struct run *r, struct build_ctx *x, struct words *w,
			struct wr *o)
{
	unsigned version = 1, len = 4;
	uint16_t csum = 0, data_len = 0;
	uint64_t mine = x->f->conn->key_peer, yours = 0;
	bool has_csum = false;
	uint8_t flags = 0x01; /* H: HMAC-SHA256 */

	while (words_peek(w) && strcmp(words_peek(w), "len") != 0) {
		const char *p = words_next(r, w);

		if (p[0] == 'v') {
			version = (unsigned)atoi(p + 1);
		} else if (strcmp(p, "flags") == 0) {
			flags = build_flags(r, w);
		} else if (strcmp(p, "key") == 0) {
			len = 12;
		} else if (strcmp(p, "keys") == 0) {
			len = 20;
			yours = local_key(r, x->f);
		} else if (strcmp(p, "wrongkeys") == 0) {
			len = 20;
			yours = local_key(r, x->f) ^ 1;
		} else {
			pkt_fail(r, "mpcapable: \"%s\"", p);
		}
	}
	if (words_take(w, "len")) {
		uint64_t dsn = value_idsn(r, mine) + 1;

		data_len = (uint16_t)words_num(r, w);
		x->map = (struct mapping){ 1, 1, data_len };
		x->has_map = true;
		has_csum =
			csum_word(w,
				  value_dss_csum(dsn, 1, data_len, 0, data_len),
				  &csum);
		len = has_csum ? 24 : 22;
	}
	head(o, len, 0, version);
	wr_u8(o, flags);
	if (len <= 12) {
		*(len == 4 ? &x->f->conn->flags_syn :
			     &x->f->conn->flags_synack) = flags;
	}
	if (len >= 12) {
		wr_u64(o, mine);
	}
	if (len >= 20) {
		wr_u64(o, yours);
	}
	if (len >= 22) {
		wr_u16(o, data_len);
	}
	if (has_csum) {
		wr_u16(o, csum);
	}
}

/* mpjoin syn|synack|ack [token N|bad] [hmac bad|clear] [nonce N] [id N] [backup] */
static void opt_join(struct run *r, struct build_ctx *x, struct words *w,
		     struct wr *o)
{
	struct flow *f = x->f;
	const char *kind = words_next(r, w);
	uint64_t key = local_key(r, f);
	uint32_t token = value_token(r, key);
	unsigned id = 1, backup = 0;
	bool bad = false, clear = false;
	struct mac_key mk;
	uint8_t mac[32];

	while (words_peek(w)) {
		if (words_take(w, "token")) {
			token = words_take(w, "bad")
					? token ^ 0x10
					: (uint32_t)words_num(r, w);
		} else if (words_take(w, "hmac")) {
			bad = words_take(w, "bad");
			clear = words_take(w, "clear");
		} else if (words_take(w, "nonce")) {
			f->nonce_peer = (uint32_t)words_num(r, w);
		} else if (words_take(w, "id")) {
			id = (unsigned)words_num(r, w);
		} else if (words_take(w, "backup")) {
			backup = 1;
		} else {
			words_end(r, w);
		}
	}
	mk = value_key(f->conn, false, clear);
	value_join(r, &mk, f->nonce_peer, f->nonce_local, mac);
	mac[0] ^= bad ? 0x80 : 0;
	if (strcmp(kind, "syn") == 0) {
		head(o, 12, 1, backup);
		wr_u8(o, (uint8_t)id);
		wr_u32(o, token);
		wr_u32(o, f->nonce_peer);
	} else if (strcmp(kind, "synack") == 0) {
		head(o, 16, 1, backup);
		wr_u8(o, (uint8_t)id);
		wr_copy(o, mac, 8);
		wr_u32(o, f->nonce_peer);
	} else {
		head(o, 24, 1, 0);
		wr_u8(o, 0);
		wr_copy(o, mac, 20);
	}
}

struct dss {
	unsigned ack, dsn; /* octets: 0, 4 or 8 */
	uint64_t ack_v, dsn_v;
	uint32_t ssn;
	uint16_t len;
	bool fin, extra;
	unsigned reserved;
};

static void dss_words(struct run *r, struct build_ctx *x, struct words *w,
		      struct dss *d)
{
	static const char *const acks[] = { "ack4", "ack8", "ack" };
	static const char *const dsns[] = { "dsn4", "dsn8", "dsn" };

	d->ssn = x->seq;
	d->len = (uint16_t)x->len;
	while (words_peek(w)) {
		bool done = false;

		for (unsigned i = 0; i < 3 && !done; i++) {
			if (words_take(w, acks[i])) {
				d->ack = i == 0 ? 4 : 8;
				d->ack_v = (uint64_t)words_num(r, w);
				done = true;
			} else if (words_take(w, dsns[i])) {
				d->dsn = i == 0 ? 4 : 8;
				d->dsn_v = (uint64_t)words_num(r, w);
				done = true;
			}
		}
		if (done) {
			continue;
		}
		if (words_take(w, "ssn")) {
			d->ssn = (uint32_t)words_num(r, w);
		} else if (words_take(w, "len")) {
			d->len = (uint16_t)words_num(r, w);
		} else if (words_take(w, "fin")) {
			d->fin = true;
		} else if (words_take(w, "reserved")) {
			d->reserved = 1;
		} else if (words_take(w, "strayflags")) {
			d->extra = true; /* a and m without A and M */
		} else {
			return;
		}
	}
}

/* dss [ack[4|8] N] [dsn[4|8] N] [ssn N] [len N] [fin] [csum [bad|N]] */
static void opt_dss(struct run *r, struct build_ctx *x, struct words *w,
		    struct wr *o)
{
	uint64_t mine = value_idsn(r, x->f->conn->key_peer);
	struct dss d = { 0 };
	bool has_csum;
	uint16_t csum = 0;
	unsigned len, flags;
	uint32_t payload;

	dss_words(r, x, w, &d);
	payload = d.len - (d.fin && d.len ? 1u : 0u);
	has_csum = csum_word(w,
			     d.len ? value_dss_csum(mine + d.dsn_v, d.ssn,
						    d.len, d.dsn_v - 1, payload)
				   : 0,
			     &csum);
	len = 4 + d.ack + (d.dsn ? d.dsn + 6 : 0) + (has_csum ? 2 : 0);
	flags = (d.ack ? 1u : 0u) | (d.ack == 8 ? 2u : 0u) | (d.dsn ? 4u : 0u) |
		(d.dsn == 8 ? 8u : 0u) | (d.fin ? 16u : 0u) |
		(d.reserved ? 0xe0u : 0u);
	flags |= d.extra ? (d.ack ? 0u : 2u) | (d.dsn ? 0u : 8u) : 0u;
	head(o, len, 2, d.reserved ? 15 : 0);
	wr_u8(o, (uint8_t)flags);
	if (d.ack) {
		uint64_t v = value_idsn(r, local_key(r, x->f)) + d.ack_v;

		d.ack == 8 ? wr_u64(o, v) : wr_u32(o, (uint32_t)v);
	}
	if (d.dsn) {
		uint64_t v = mine + d.dsn_v;

		d.dsn == 8 ? wr_u64(o, v) : wr_u32(o, (uint32_t)v);
		wr_u32(o, d.ssn);
		wr_u16(o, d.len);
		x->map = (struct mapping){ d.dsn_v, d.ssn, d.len };
		x->has_map = d.len == 0 || payload;
	}
	if (has_csum) {
		wr_u16(o, csum);
	}
}

/* addaddr id N ADDR|ADDR:PORT [hmac bad] [echo] [reserved] */
static void opt_add_addr(struct run *r, struct build_ctx *x, struct words *w,
			 struct wr *o)
{
	struct endpoint e = { 0 };
	unsigned id = 1, n, low = 0;
	bool echo = false, bad = false, clear = false;
	uint8_t mac[8];

	while (words_peek(w)) {
		if (words_take(w, "id")) {
			id = (unsigned)words_num(r, w);
		} else if (words_take(w, "hmac")) {
			bad = words_take(w, "bad");
			clear = words_take(w, "clear");
		} else if (words_take(w, "echo")) {
			echo = true;
			low |= 1;
		} else if (words_take(w, "reserved")) {
			low |= 14;
		} else {
			const char *t = words_next(r, w);

			if (addr_parse(t, &e.addr)) {
				continue;
			}
			words_endpoint(r, t, &e);
		}
	}
	n = e.addr.family == 4 ? 4 : 16;
	head(o, 4 + n + (e.port ? 2 : 0) + (echo ? 0 : 8), 3, low);
	wr_u8(o, (uint8_t)id);
	wr_copy(o, e.addr.b, n);
	if (e.port) {
		wr_u16(o, e.port);
	}
	if (!echo) {
		struct mac_key mk = value_key(x->f->conn, false, clear);

		value_add_addr(r, &mk, (uint8_t)id, &e, mac);
		mac[7] ^= bad ? 1 : 0;
		wr_copy(o, mac, 8);
	}
}

static void opt_remove(struct run *r, struct words *w, struct wr *o)
{
	unsigned n = w->n - w->at;

	head(o, 3 + n, 4, 0);
	while (words_peek(w)) {
		wr_u8(o, (uint8_t)words_num(r, w));
	}
}

static void opt_raw(struct run *r, struct words *w, struct wr *o)
{
	while (words_peek(w)) {
		const char *t = words_next(r, w);

		for (; t[0] && t[1]; t += 2) {
			char hex[3] = { t[0], t[1], 0 };

			wr_u8(o, (uint8_t)strtoul(hex, NULL, 16));
		}
	}
}

/* eno: what the peer says; eno none|HEX: these contents, without asking it;
 * eno as none|HEX: it said its own, and these arrive; eno again cN: what that
 * connection's SYN had */
static void opt_eno(struct run *r, struct build_ctx *x, struct words *w,
		    struct wr *o)
{
	uint8_t *at = o->p, said[TCP_HDR_OPT_MAX];
	struct wr own = wr_make(said, sizeof(said));

	if (!words_peek(w)) {
		peer_option(r, &x->f->conn->peer, x->flags, o);
		return;
	}
	if (words_take(w, "again")) {
		peer_option_again(r, w, o);
		return;
	}
	if (words_take(w, "as")) {
		peer_option(r, &x->f->conn->peer, x->flags, &own);
	}
	wr_u8(o, ENO_OPT_KIND);
	wr_u8(o, 0);
	if (!words_take(w, "none")) {
		opt_raw(r, w, o);
	}
	if (o->ok) {
		at[1] = (uint8_t)(o->p - at);
	}
}

/* tfo ask: a request; tfo got: the cookie the stack gave last; tfo HEX */
static void opt_tfo(struct run *r, struct words *w, struct wr *o)
{
	uint8_t *at = o->p;

	wr_u8(o, 34);
	wr_u8(o, 0);
	if (words_take(w, "got")) {
		wr_copy(o, r->tfo, r->tfo_len);
	} else if (!words_take(w, "ask")) {
		opt_raw(r, w, o);
	}
	if (o->ok) {
		at[1] = (uint8_t)(o->p - at);
	}
}

static bool opt_mptcp(struct run *r, struct build_ctx *x, const char *name,
		      struct words *w, struct wr *o)
{
	if (strcmp(name, "mpcapable") == 0) {
		opt_capable(r, x, w, o);
	} else if (strcmp(name, "mpjoin") == 0) {
		opt_join(r, x, w, o);
	} else if (strcmp(name, "dss") == 0) {
		opt_dss(r, x, w, o);
	} else if (strcmp(name, "addaddr") == 0) {
		opt_add_addr(r, x, w, o);
	} else if (strcmp(name, "rmaddr") == 0) {
		opt_remove(r, w, o);
	} else if (strcmp(name, "prio") == 0) {
		head(o, 3, 5, words_take(w, "backup"));
	} else if (strcmp(name, "fail") == 0) {
		head(o, 12, 6, 0);
		wr_u8(o, 0);
		wr_u64(o, value_idsn(r, local_key(r, x->f)) +
				  (uint64_t)words_num(r, w));
	} else if (strcmp(name, "fastclose") == 0) {
		bool bad = words_take(w, "bad");
		uint64_t key = value_fastclose(x->f->conn, true,
					       words_take(w, "clear"));

		head(o, 12, 7, 0);
		wr_u8(o, 0);
		wr_u64(o, bad ? key ^ 0x100 : key);
	} else if (strcmp(name, "tcprst") == 0) {
		unsigned reason = (unsigned)words_num(r, w);
		unsigned low = words_take(w, "transient");

		low |= words_take(w, "reserved") ? 14 : 0;
		head(o, 4, 8, low);
		wr_u8(o, (uint8_t)reason);
	} else {
		return false;
	}
	return true;
}

static void opt_ts(struct run *r, struct flow *f, struct words *w, struct wr *o)
{
	uint32_t val = (uint32_t)words_num(r, w);
	uint32_t ecr =
		words_take(w, "ecr") ? f->ts_last : (uint32_t)words_num(r, w);

	tcp_hdr_emit_ts(o, val, ecr);
}

static void opt_sack(struct run *r, struct flow *f, struct words *w,
		     struct wr *o)
{
	unsigned n = w->n - w->at;

	wr_u8(o, 5);
	wr_u8(o, (uint8_t)(2 + 8 * n));
	while (words_peek(w)) {
		char *end;
		const char *t = words_next(r, w);
		uint32_t lo = (uint32_t)strtoul(t, &end, 0);

		wr_u32(o, f->isn_local + lo);
		wr_u32(o, f->isn_local + (uint32_t)strtoul(end + 1, NULL, 0));
	}
}

void build_opt(struct run *r, struct build_ctx *x, struct words *w,
	       struct wr *o)
{
	const char *name = words_next(r, w);

	if (strcmp(name, "mss") == 0) {
		tcp_hdr_emit_mss(o, (uint16_t)words_num(r, w));
	} else if (strcmp(name, "sackOK") == 0) {
		tcp_hdr_emit_sack_perm(o);
	} else if (strcmp(name, "wscale") == 0) {
		tcp_hdr_emit_wscale(o, (uint8_t)words_num(r, w));
	} else if (strcmp(name, "ts") == 0) {
		opt_ts(r, x->f, w, o);
	} else if (strcmp(name, "sack") == 0) {
		opt_sack(r, x->f, w, o);
	} else if (strcmp(name, "nop") == 0) {
		wr_u8(o, 1);
	} else if (strcmp(name, "eno") == 0) {
		opt_eno(r, x, w, o);
	} else if (strcmp(name, "tfo") == 0) {
		opt_tfo(r, w, o);
	} else if (strcmp(name, "raw") == 0) {
		opt_raw(r, w, o);
	} else if (!opt_mptcp(r, x, name, w, o)) {
		pkt_fail(r, "unknown option \"%s\"", name);
	}
	words_end(r, w);
}
