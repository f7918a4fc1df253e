#include "stack/crypt/crypt_keys.h"

#include <stdio.h>
#include <string.h>

#include "stack/prim/kdf.h"

/* RFC 8548 4.3, and smtcp(7) */
#define CONST_NEXTK  0x01
#define CONST_SESSID 0x02
#define CONST_REKEY  0x03
#define CONST_KEY_A  0x04
#define CONST_KEY_B  0x05
#define CONST_RESUME 0x06
#define CONST_SK     0x10

static bool cprf(struct hash *h, const uint8_t key[CRYPT_K_LEN], uint8_t what,
		 struct iov sn, uint8_t *out, size_t len)
{
	struct iov info[2] = { { &what, 1 }, sn };

	return kdf_expand(h, key, info, 2, out, len);
}

static const struct iov none;

bool crypt_keys_prk(struct hash *h, const uint8_t nonce_a[CRYPT_NONCE],
		    const struct iov part[6], uint8_t out[CRYPT_K_LEN])
{
	return kdf_extract(h, nonce_a, CRYPT_NONCE, part, 6, out);
}

bool crypt_keys_next(struct hash *h, const uint8_t ss[CRYPT_K_LEN],
		     uint8_t out[CRYPT_K_LEN])
{
	return cprf(h, ss, CONST_NEXTK, none, out, CRYPT_K_LEN);
}

bool crypt_keys_resume(struct hash *h, const uint8_t ss[CRYPT_K_LEN],
		       uint8_t out[CRYPT_CACHE_ID])
{
	return cprf(h, ss, CONST_RESUME, none, out, CRYPT_CACHE_ID);
}

bool crypt_keys_mk0(struct hash *h, const uint8_t ss[CRYPT_K_LEN],
		    struct iov sn, uint8_t out[CRYPT_K_LEN])
{
	return cprf(h, ss, CONST_REKEY, sn, out, CRYPT_K_LEN);
}

bool crypt_keys_mk_next(struct hash *h, const uint8_t mk[CRYPT_K_LEN],
			uint8_t out[CRYPT_K_LEN])
{
	return cprf(h, mk, CONST_REKEY, none, out, CRYPT_K_LEN);
}

bool crypt_keys_traffic(struct hash *h, const uint8_t mk[CRYPT_K_LEN], bool ab,
			unsigned key_len, uint8_t out[CRYPT_TRAFFIC_MAX])
{
	return cprf(h, mk, ab ? CONST_KEY_A : CONST_KEY_B, none, out,
		    key_len + AEAD_NONCE);
}

bool crypt_keys_session_id(struct hash *h, const uint8_t ss[CRYPT_K_LEN],
			   struct iov sn, uint8_t tep_byte,
			   uint8_t out[CRYPT_SESSION_ID])
{
	out[0] = tep_byte;
	return cprf(h, ss, CONST_SESSID, sn, out + 1, CRYPT_K_LEN);
}

bool crypt_keys_sk(struct hash *h, const uint8_t ss[CRYPT_K_LEN], struct iov sn,
		   struct crypt_sk *out)
{
	uint8_t all[2 * CRYPT_SK + 2 * CRYPT_FC];
	struct rd r = rd_make(all, sizeof(all));
	bool ok = cprf(h, ss, CONST_SK, sn, all, sizeof(all));

	rd_copy(&r, out->sk_a, CRYPT_SK);
	rd_copy(&r, out->sk_b, CRYPT_SK);
	rd_copy(&r, out->fc_a, CRYPT_FC);
	rd_copy(&r, out->fc_b, CRYPT_FC);
	prim_wipe(all, sizeof(all));
	return ok;
}

bool crypt_keys_smtcp_sn(struct hash *h, const struct iov part[3],
			 uint8_t out[32])
{
	return hash_sha256v(h, part, 3, out);
}

enum aead_alg crypt_keys_alg(uint16_t cipher)
{
	switch (cipher) {
	case CRYPT_AES128_GCM:
		return AEAD_AES128_GCM;
	case CRYPT_AES256_GCM:
		return AEAD_AES256_GCM;
	case CRYPT_CHACHA20_POLY1305:
		return AEAD_CHACHA20_POLY1305;
	default:
		return AEAD_N;
	}
}

static size_t put_hex(char *out, size_t at, const uint8_t *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";

	for (size_t i = 0; i < n && at + 2 < CRYPT_KEYS_LINE; i++) {
		out[at++] = digit[p[i] >> 4];
		out[at++] = digit[p[i] & 15];
	}
	out[at] = 0;
	return at;
}

void crypt_keys_line(const struct crypt_keys_line *l, char out[CRYPT_KEYS_LINE])
{
	size_t n = (size_t)snprintf(out, CRYPT_KEYS_LINE, "TCPCRYPT_MK0 ");

	n = put_hex(out, n, l->id.p, l->id.n);
	n += (size_t)snprintf(out + n, CRYPT_KEYS_LINE - n, " %04x %s ",
			      l->cipher, l->ab ? "ab" : "ba");
	n = put_hex(out, n, l->mk0, CRYPT_K_LEN);
	n += (size_t)snprintf(out + n, CRYPT_KEYS_LINE - n, " ");
	put_hex(out, n, l->session_id, CRYPT_SESSION_ID);
}
