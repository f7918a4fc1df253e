/* build_ip.c - what may be between an IP header and TCP's: extension headers,
 * and the cuts of fragments */
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/wire/cksum.h"
#include "tests/pkt/pkt.h"

#define FRAG_ID 0x1234

static unsigned hex_octets(struct run *r, const char *t, uint8_t *out,
			   unsigned max)
{
	unsigned n = 0;

	for (; t[0] && t[1]; t += 2) {
		char two[3] = { t[0], t[1], 0 };

		if (n == max) {
			pkt_fail(r, "too many octets");
		}
		out[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

/* frag N [part ORDER] | ext TYPE HEX | label N; false: none of them */
bool build_ip_word(struct run *r, struct words *w, struct build_ip *how)
{
	if (words_take(w, "frag")) {
		how->frag = (uint32_t)words_num(r, w);
	} else if (words_take(w, "label")) {
		how->label = (uint32_t)words_num(r, w);
	} else if (words_take(w, "part")) {
		snprintf(how->part, sizeof(how->part), "%s", words_next(r, w));
	} else if (words_take(w, "ext")) {
		how->ext_type = (uint8_t)words_num(r, w);
		how->ext_len = hex_octets(r, words_next(r, w), how->ext,
					  sizeof(how->ext));
	} else {
		return false;
	}
	return true;
}

static uint32_t insert_ext(uint8_t *p, uint32_t n, const struct build_ip *how)
{
	memmove(p + IP6_HDR_LEN + how->ext_len, p + IP6_HDR_LEN,
		n - IP6_HDR_LEN);
	memcpy(p + IP6_HDR_LEN, how->ext, how->ext_len);
	p[6] = how->ext_type;
	be16_put(p + 4, (uint16_t)(n - IP6_HDR_LEN + how->ext_len));
	return n + how->ext_len;
}

/* fragment i of p in pieces of how->frag octets */
static void send_piece(struct run *r, unsigned path, const uint8_t *p,
		       uint32_t n, const struct build_ip *how, unsigned i)
{
	static uint8_t out[66000];
	bool v6 = p[0] >> 4 == 6;
	uint32_t hdr = v6 ? IP6_HDR_LEN : IP4_HDR_LEN;
	uint32_t off = i * how->frag, len = n - hdr - off;
	bool more = len > how->frag;

	if (off >= n - hdr) {
		pkt_fail(r, "there is no fragment %u", i);
	}
	len = more ? how->frag : len;
	memcpy(out, p, hdr);
	if (v6) {
		be16_put(out + 4, (uint16_t)(8 + len));
		out[6] = 44;
		out[40] = p[6];
		out[41] = 0;
		be16_put(out + 42, (uint16_t)(off | more));
		be32_put(out + 44, FRAG_ID);
		hdr += 8;
	} else {
		be16_put(out + 2, (uint16_t)(hdr + len));
		be16_put(out + 4, FRAG_ID);
		be16_put(out + 6, (uint16_t)(off / 8 | (more ? 0x2000 : 0)));
		be16_put(out + 10, 0);
		be16_put(out + 10, cksum_finish(cksum_add(0, out, hdr)));
	}
	memcpy(out + hdr, p + (v6 ? IP6_HDR_LEN : IP4_HDR_LEN) + off, len);
	run_input(r, path, out, hdr + len);
}

void build_ip_send(struct run *r, unsigned path, uint8_t *p, uint32_t n,
		   const struct build_ip *how)
{
	uint32_t hdr = p[0] >> 4 == 6 ? IP6_HDR_LEN : IP4_HDR_LEN;

	if (how->label) {
		be32_put(p, be32_get(p) | how->label);
	}
	if (how->ext_len) {
		n = insert_ext(p, n, how);
	}
	if (!how->frag) {
		run_input(r, path, p, n);
		return;
	}
	for (const char *c = how->part; *c; c++) {
		send_piece(r, path, p, n, how, (unsigned)(*c - '0'));
	}
	for (unsigned i = 0; !*how->part && i * how->frag < n - hdr; i++) {
		send_piece(r, path, p, n, how, i);
	}
}
