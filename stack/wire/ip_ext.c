#include "stack/wire/ip_ext.h"

#include "stack/base/check.h"

#define EXT_HOP_BY_HOP 0
#define EXT_ROUTING    43
#define EXT_FRAGMENT   44
#define EXT_ESP        50
#define EXT_AUTH       51
#define EXT_DEST       60
#define EXT_MOBILITY   135
#define EXT_HIP        139
#define EXT_SHIM6      140

#define FRAG_OFFSET    0xfff8
#define FRAG_MORE      0x0001

#define BAD_FIELD      0
#define BAD_NEXT       1
#define BAD_OPTION     2

#define NEXT_AT        6 /* of the next header field in the fixed header */

struct walk {
	const uint8_t *p;
	uint32_t n, at; /* octets in all; of the header looked at */
	uint16_t name_at;
	uint8_t type;
	bool quoted;
	struct ip_hdr *out;
};

static enum ip_hdr_status bad(struct walk *w, uint8_t code, uint32_t at)
{
	w->out->bad = (struct ip_hdr_bad){ true, code, (uint16_t)at };
	return IP_HDR_EXT;
}

/* RFC 8200 4.2: what to do with an unknown option is in its type's first two
 * bits.  at, end: of the options in the packet. */
static enum ip_hdr_status options(struct walk *w, uint32_t at, uint32_t end)
{
	unsigned unknown = 0;

	while (at < end) {
		uint8_t type = w->p[at];

		if (type == 0) { /* Pad1 has no length */
			at++;
			continue;
		}
		if (end - at < 2 || w->p[at + 1] > end - at - 2) {
			return IP_HDR_EXT;
		}
		if (type >> 6 == 1) {
			return IP_HDR_EXT; /* discarded without a word */
		}
		if (type >> 6) { /* 10; 11: unless it went to many, as none
				  * of ours does */
			return bad(w, BAD_OPTION, at);
		}
		unknown += type != 1; /* PadN */
		if (unknown > IP_EXT_OPTIONS_MAX) {
			return IP_HDR_EXT;
		}
		at += 2u + w->p[at + 1];
	}
	return IP_HDR_OK;
}

static enum ip_hdr_status fragment(struct walk *w)
{
	uint16_t word = be16_get(w->p + w->at + 2);
	uint16_t off = word & FRAG_OFFSET;
	bool more = word & FRAG_MORE;

	/* neither: an atomic fragment, a whole packet (RFC 6946) */
	if (off == 0 && (!more || w->quoted)) {
		return IP_HDR_OK;
	}
	w->out->frag = (struct ip_hdr_frag){
		.id = be32_get(w->p + w->at + 4),
		.off = off,
		.more = more,
		.at = (uint16_t)w->at,
		.name_at = w->name_at,
	};
	return IP_HDR_FRAGMENT;
}

/* the header at w->at, and on to the next */
static enum ip_hdr_status step(struct walk *w)
{
	enum ip_hdr_status status = IP_HDR_OK;
	const uint8_t *h = w->p + w->at;
	uint32_t len = 8;

	if (w->n - w->at < 8) {
		return IP_HDR_SHORT;
	}
	if (w->type == EXT_FRAGMENT) {
		status = fragment(w);
	} else {
		len += h[1] * 8u;
		if (w->n - w->at < len) {
			return IP_HDR_SHORT;
		}
		if (w->type != EXT_ROUTING && !w->quoted) {
			status = options(w, w->at + 2, w->at + len);
		} else if (h[3] && !w->quoted) {
			/* RFC 8200 4.4, RFC 5095: of no type that we know, and
			 * we are not where it ends */
			status = bad(w, BAD_FIELD, w->at + 2);
		}
	}
	w->type = h[0];
	w->name_at = (uint16_t)w->at;
	w->at += len;
	return status;
}

static bool known(const struct walk *w)
{
	return w->type == EXT_ROUTING || w->type == EXT_FRAGMENT ||
	       w->type == EXT_DEST ||
	       (w->type == EXT_HOP_BY_HOP && w->name_at == NEXT_AT);
}

/* headers that this stack cannot look behind */
static bool opaque(uint8_t type)
{
	return type == EXT_HOP_BY_HOP || type == EXT_ESP || type == EXT_AUTH ||
	       type == EXT_MOBILITY || type == EXT_HIP || type == EXT_SHIM6;
}

enum ip_hdr_status ip_ext_walk(const uint8_t *p, uint32_t n, bool quoted,
			       struct ip_hdr *out)
{
	struct walk w = { .p = p,
			  .n = n,
			  .at = IP6_HDR_LEN,
			  .name_at = NEXT_AT,
			  .type = p[NEXT_AT],
			  .quoted = quoted,
			  .out = out };
	enum ip_hdr_status status = IP_HDR_OK;

	check(n >= IP6_HDR_LEN);
	for (unsigned i = 0; status == IP_HDR_OK && known(&w); i++) {
		if (i == IP_HDR_EXT_MAX) {
			return IP_HDR_EXT;
		}
		status = step(&w);
	}
	if (status != IP_HDR_OK && status != IP_HDR_FRAGMENT) {
		return status;
	}
	out->proto = w.type;
	out->body = p + w.at;
	out->body_len = n - w.at;
	if (status == IP_HDR_FRAGMENT) {
		return status;
	}
	out->bad = (struct ip_hdr_bad){ false, BAD_NEXT, w.name_at };
	if (opaque(w.type)) {
		out->bad.tell = true;
		return IP_HDR_EXT;
	}
	return IP_HDR_OK;
}
