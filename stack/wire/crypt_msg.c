#include "stack/wire/crypt_msg.h"

bool crypt_msg_init_len(const uint8_t *p, uint32_t magic, uint32_t *len)
{
	*len = be32_get(p + 4);
	return be32_get(p) == magic;
}

/* a reader behind the header of a whole message */
static struct rd body(const uint8_t *p, size_t len, uint32_t magic)
{
	struct rd r = rd_make(p, len);
	uint32_t got = rd_u32(&r);
	uint32_t said = rd_u32(&r);

	r.ok = r.ok && got == magic && said == len;
	return r;
}

bool crypt_msg_init1_parse(const uint8_t *p, size_t len, unsigned pub_len,
			   struct crypt_init1 *out)
{
	struct rd r = body(p, len, CRYPT_INIT1_MAGIC);

	out->n_cipher = rd_u8(&r);
	out->cipher = rd_take(&r, 2 * (size_t)out->n_cipher);
	out->nonce = rd_take(&r, CRYPT_NONCE);
	out->pub = rd_take(&r, pub_len);
	out->ignored = r.ok ? (uint32_t)rd_left(&r) : 0;
	return r.ok;
}

bool crypt_msg_init2_parse(const uint8_t *p, size_t len, unsigned pub_len,
			   struct crypt_init2 *out)
{
	struct rd r = body(p, len, CRYPT_INIT2_MAGIC);

	out->cipher = rd_u16(&r);
	out->nonce = rd_take(&r, CRYPT_NONCE);
	out->pub = rd_take(&r, pub_len);
	out->ignored = r.ok ? (uint32_t)rd_left(&r) : 0;
	return r.ok;
}

unsigned crypt_msg_init1_emit(struct wr *w, const uint16_t *cipher, unsigned n,
			      const uint8_t nonce[CRYPT_NONCE],
			      const uint8_t *pub, unsigned pub_len)
{
	unsigned len = CRYPT_INIT1_LEN(n, pub_len);

	if (!w->ok || n > 255 || wr_left(w) < len) {
		return 0;
	}
	wr_u32(w, CRYPT_INIT1_MAGIC);
	wr_u32(w, len);
	wr_u8(w, (uint8_t)n);
	for (unsigned i = 0; i < n; i++) {
		wr_u16(w, cipher[i]);
	}
	wr_copy(w, nonce, CRYPT_NONCE);
	wr_copy(w, pub, pub_len);
	return len;
}

unsigned crypt_msg_init2_emit(struct wr *w, uint16_t cipher,
			      const uint8_t nonce[CRYPT_NONCE],
			      const uint8_t *pub, unsigned pub_len)
{
	unsigned len = CRYPT_INIT2_LEN(pub_len);

	if (!w->ok || wr_left(w) < len) {
		return 0;
	}
	wr_u32(w, CRYPT_INIT2_MAGIC);
	wr_u32(w, len);
	wr_u16(w, cipher);
	wr_copy(w, nonce, CRYPT_NONCE);
	wr_copy(w, pub, pub_len);
	return len;
}

bool crypt_msg_frame_parse(const uint8_t *p, struct crypt_frame_hdr *out)
{
	out->control = p[0];
	out->clen = be16_get(p + 1);
	return out->clen >= CRYPT_FRAME_CLEN_MIN;
}

void crypt_msg_frame_emit(uint8_t *p, const struct crypt_frame_hdr *h)
{
	p[0] = h->control;
	be16_put(p + 1, h->clen);
}
