#include "stack/wire/tcp_hdr.h"

#define OPT_END       0
#define OPT_NOP       1
#define OPT_MSS       2
#define OPT_WSCALE    3
#define OPT_SACK_PERM 4
#define OPT_SACK      5
#define OPT_TS        8
#define OPT_TFO       34

/* NOP NOP and an option's kind and length, as nearly all senders align it */
#define NOP_NOP_TS 0x0101080au

static void parse_ts(const uint8_t *p, struct tcp_opts *out)
{
	out->has_ts = true;
	out->ts_val = be32_get(p + 2);
	out->ts_ecr = be32_get(p + 6);
}

static bool parse_sack(const uint8_t *p, uint8_t len, struct tcp_opts *out)
{
	unsigned n = (len - 2u) / 8;

	if (len % 8 != 2 || n == 0 || n > TCP_HDR_SACK_MAX) {
		return false;
	}
	if (out->n_sack == 0) {
		for (unsigned i = 0; i < n; i++) {
			out->sack[i].lo = be32_get(p + 2 + 8 * i);
			out->sack[i].hi = be32_get(p + 6 + 8 * i);
		}
		out->n_sack = (uint8_t)n;
	}
	return true;
}

/* RFC 7413 4.1.1: 4 to 16 octets, an even number of them.  Others are no
 * cookies, and no reason to doubt what follows. */
static void parse_tfo(const uint8_t *p, uint8_t len, struct tcp_opts *out)
{
	uint8_t n = (uint8_t)(len - 2);

	if (out->has_tfo || n % 2 ||
	    (n && (n < TCP_HDR_TFO_MIN || n > TCP_HDR_TFO_MAX))) {
		return;
	}
	out->has_tfo = true;
	out->tfo_len = n;
	out->tfo = n ? p + 2 : NULL;
}

/* One option of `len` octets, all there; of two of a kind the first counts.
 * false: no such option has that length. */
static bool parse_one(const uint8_t *p, uint8_t len, struct tcp_opts *out)
{
	switch (p[0]) {
	case OPT_MSS:
		if (len == 4 && !out->has_mss) {
			out->has_mss = true;
			out->mss = be16_get(p + 2);
		}
		return len == 4;
	case OPT_WSCALE:
		if (len == 3 && !out->has_wscale) {
			out->has_wscale = true;
			out->wscale = p[2];
		}
		return len == 3;
	case OPT_SACK_PERM:
		out->sack_perm |= len == 2;
		return len == 2;
	case OPT_SACK:
		return parse_sack(p, len, out);
	case OPT_TS:
		if (len == 10 && !out->has_ts) {
			parse_ts(p, out);
		}
		return len == 10;
	case OPT_TFO:
		parse_tfo(p, len, out);
		return true;
	case ENO_OPT_KIND:
		eno_opt_note(&out->eno, p, len);
		return true;
	case MP_OPT_KIND:
		/* a bad one is ignored alone (RFC 8684 3) */
		mp_opt_parse(p, len, &out->mp);
		return true;
	default:
		return true;
	}
}

void tcp_hdr_parse_opts(const uint8_t *p, uint32_t n, struct tcp_opts *out)
{
	*out = (struct tcp_opts){ 0 };
	if (n >= 12 && be32_get(p) == NOP_NOP_TS) {
		parse_ts(p + 2, out);
		p += 12;
		n -= 12;
	}
	while (n > 0 && p[0] != OPT_END) {
		if (p[0] == OPT_NOP) {
			p++;
			n--;
			continue;
		}
		if (n < 2 || p[1] < 2 || p[1] > n || !parse_one(p, p[1], out)) {
			out->malformed = true;
			return;
		}
		n -= p[1];
		p += p[1];
	}
}

static bool room(const struct wr *w, size_t n)
{
	return w->ok && wr_left(w) >= n;
}

unsigned tcp_hdr_emit_mss(struct wr *w, uint16_t mss)
{
	if (!room(w, 4)) {
		return 0;
	}
	wr_u8(w, OPT_MSS);
	wr_u8(w, 4);
	wr_u16(w, mss);
	return 4;
}

unsigned tcp_hdr_emit_wscale(struct wr *w, uint8_t shift)
{
	if (!room(w, 3)) {
		return 0;
	}
	wr_u8(w, OPT_WSCALE);
	wr_u8(w, 3);
	wr_u8(w, shift);
	return 3;
}

unsigned tcp_hdr_emit_sack_perm(struct wr *w)
{
	if (!room(w, 2)) {
		return 0;
	}
	wr_u8(w, OPT_SACK_PERM);
	wr_u8(w, 2);
	return 2;
}

unsigned tcp_hdr_emit_ts(struct wr *w, uint32_t val, uint32_t ecr)
{
	if (!room(w, 10)) {
		return 0;
	}
	wr_u8(w, OPT_TS);
	wr_u8(w, 10);
	wr_u32(w, val);
	wr_u32(w, ecr);
	return 10;
}

unsigned tcp_hdr_emit_tfo(struct wr *w, const uint8_t *cookie, uint8_t n)
{
	if (!room(w, 2u + n)) {
		return 0;
	}
	wr_u8(w, OPT_TFO);
	wr_u8(w, (uint8_t)(2 + n));
	wr_copy(w, cookie, n);
	return 2u + n;
}

unsigned tcp_hdr_emit_sack(struct wr *w, const struct range32 *b, unsigned n)
{
	unsigned len;

	n = n < TCP_HDR_SACK_MAX ? n : TCP_HDR_SACK_MAX;
	while (n > 0 && !room(w, 2 + 8 * (size_t)n)) {
		n--;
	}
	if (n == 0) {
		return 0;
	}
	len = 2 + 8 * n;
	wr_u8(w, OPT_SACK);
	wr_u8(w, (uint8_t)len);
	for (unsigned i = 0; i < n; i++) {
		wr_u32(w, b[i].lo);
		wr_u32(w, b[i].hi);
	}
	return len;
}

void tcp_hdr_pad(struct wr *w)
{
	while (w->ok && wr_len(w) % 4 != 0) {
		wr_u8(w, OPT_NOP);
	}
}
