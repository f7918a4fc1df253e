#include "stack/wire/eno_opt.h"

#define GLT_TEP   0x20 /* from here on an octet names a TEP */
#define V         0x80
#define LEN_MAX   32 /* what a length octet can say */
#define SM_PREFIX 2

void eno_opt_note(struct eno_opt_seen *s, const uint8_t *opt, uint8_t len)
{
	if (s->n == 0) {
		s->opt = opt;
		s->len = len;
	}
	s->n = s->n < 2 ? (uint8_t)(s->n + 1) : 2;
}

/* one TEP identifier with the data that a length octet, or the end of the
 * option, gives it */
static void take_sub(struct rd *r, uint8_t b, size_t len, struct eno_opt *out)
{
	struct eno_opt_sub *s = &out->sub[out->n++];

	*s = (struct eno_opt_sub){ .tep = b & 0x7f, .v = (b & V) != 0 };
	if (s->v) {
		s->len = (uint8_t)len;
		s->data = rd_take(r, len);
	}
}

bool eno_opt_parse(const uint8_t *opt, uint8_t len, struct eno_opt *out)
{
	struct rd r;

	out->has_global = false;
	out->global = 0;
	out->n = 0;
	if (len < 2 || len > ENO_OPT_MAX || opt[0] != ENO_OPT_KIND ||
	    opt[1] != len) {
		return false;
	}
	r = rd_make(opt + 2, len - 2u);
	while (rd_left(&r) > 0) {
		uint8_t b = rd_u8(&r);

		if ((b & 0x7f) >= GLT_TEP) {
			take_sub(&r, b, rd_left(&r), out);
		} else if (b & V) {
			size_t n = (b & 0x1fu) + 1u;
			uint8_t tep = rd_u8(&r);

			if (!r.ok || tep < (GLT_TEP | V) || n > rd_left(&r)) {
				return false;
			}
			take_sub(&r, tep, n, out);
		} else if (!out->has_global) {
			/* those after the first are ignored (4.2) */
			out->has_global = true;
			out->global = b;
		}
	}
	return r.ok;
}

/* false: cannot be written there */
static bool put_sub(struct wr *w, const struct eno_opt_sub *s, bool last)
{
	if (s->tep < GLT_TEP || s->tep > 0x7f) {
		return false;
	}
	if (!s->v) {
		wr_u8(w, s->tep);
		return true;
	}
	if (!last) {
		if (s->len < 1 || s->len > LEN_MAX) {
			return false;
		}
		wr_u8(w, (uint8_t)(V | (s->len - 1)));
	}
	wr_u8(w, (uint8_t)(V | s->tep));
	wr_copy(w, s->data, s->len);
	return true;
}

unsigned eno_opt_emit(struct wr *w, int global, const struct eno_opt_sub *sub,
		      unsigned n)
{
	struct wr start = *w;
	bool ok = true;
	size_t len;

	wr_u8(w, ENO_OPT_KIND);
	wr_u8(w, 0);
	if (global >= 0) {
		ok = global < GLT_TEP;
		wr_u8(w, (uint8_t)global);
	}
	for (unsigned i = 0; ok && i < n; i++) {
		ok = put_sub(w, &sub[i], i + 1 == n);
	}
	len = (size_t)(w->p - start.p);
	if (!ok || !w->ok || len > ENO_OPT_MAX) {
		*w = start;
		return 0;
	}
	start.p[1] = (uint8_t)len;
	return (unsigned)len;
}

unsigned eno_opt_emit_ack(struct wr *w)
{
	uint8_t *p = w->ok && wr_left(w) >= 2 ? wr_take(w, 2) : NULL;

	if (!p) {
		return 0;
	}
	p[0] = ENO_OPT_KIND;
	p[1] = 2;
	return 2;
}

bool eno_opt_sm_parse(const struct eno_opt_sub *s, struct eno_opt_sm *out)
{
	uint8_t o;

	out->n = 0;
	if (s->tep != ENO_TEP_EXP || !s->v || s->len < SM_PREFIX + 1 ||
	    s->data[0] != 'S' || s->data[1] != 'M') {
		return false;
	}
	o = s->data[SM_PREFIX];
	out->r = (o & ENO_SM_R) != 0;
	out->resume = false;
	out->sig = (o & ENO_SM_S) != 0;
	out->half = out->nonce = NULL;
	out->nonce_len = 0;
	if (out->r) {
		size_t left = s->len - SM_PREFIX - 1u;

		out->kx[out->n++] = (uint8_t)(GLT_TEP + (o & ENO_SM_KX));
		if (left >= ENO_HALF && left <= ENO_HALF + ENO_NONCE) {
			out->resume = true;
			out->half = s->data + SM_PREFIX + 1;
			out->nonce = out->half + ENO_HALF;
			out->nonce_len = (uint8_t)(left - ENO_HALF);
		}
		return true;
	}
	for (unsigned i = SM_PREFIX; i < s->len; i++) {
		out->kx[out->n++] =
			(uint8_t)(GLT_TEP + (s->data[i] & ENO_SM_KX));
	}
	return true;
}

unsigned eno_opt_sm_emit(uint8_t *p, const uint8_t *kx, unsigned n_kx, bool sig,
			 const uint8_t *half, const uint8_t *nonce,
			 unsigned nonce_len)
{
	uint8_t flags = (uint8_t)((half ? ENO_SM_R : 0) | (sig ? ENO_SM_S : 0));
	struct wr w = wr_make(p, ENO_OPT_MAX);

	wr_u8(&w, 'S');
	wr_u8(&w, 'M');
	for (unsigned i = 0; i < (half ? 1 : n_kx); i++) {
		wr_u8(&w, (uint8_t)(flags | (kx[i] - GLT_TEP)));
	}
	if (half) {
		wr_copy(&w, half, ENO_HALF);
		wr_copy(&w, nonce, nonce_len);
	}
	return w.ok ? (unsigned)wr_len(&w) : 0;
}
