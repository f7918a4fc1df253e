/* value.c - what RFC 8684 lets a peer compute, written down once more: these
 * lines and the stack's share nothing but SHA-256 itself
 */
#include <string.h>

#include "stack/base/check.h"
#include "tests/pkt/pkt.h"

uint8_t value_octet(uint64_t off)
{
	return (uint8_t)(off * 167 + (off >> 8) * 13 + 5);
}

static void put_be(uint8_t *p, uint64_t v, unsigned n)
{
	while (n--) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t get_be(const uint8_t *p, unsigned n)
{
	uint64_t v = 0;

	while (n--) {
		v = v << 8 | *p++;
	}
	return v;
}

static void key_digest(struct run *r, uint64_t key, uint8_t out[32])
{
	uint8_t k[8];

	put_be(k, key, 8);
	check(hash_sha256(r->hash, k, 8, out));
}

uint32_t value_token(struct run *r, uint64_t key)
{
	uint8_t d[32];

	key_digest(r, key, d);
	return (uint32_t)get_be(d, 4);
}

uint64_t value_idsn(struct run *r, uint64_t key)
{
	uint8_t d[32];

	key_digest(r, key, d);
	return get_be(d + 24, 8);
}

struct mac_key value_key(const struct conn *c, bool by_stack, bool clear)
{
	const struct crypt_sk *sk = c->peer.k && !clear ? crypt_sk(c->peer.k)
							: NULL;
	struct mac_key out = { .n = 16 };
	struct crypt_info i;

	put_be(out.k, by_stack ? c->key_local : c->key_peer, 8);
	put_be(out.k + 8, by_stack ? c->key_peer : c->key_local, 8);
	if (sk) {
		bool a_first;

		crypt_info(c->peer.k, &i);
		a_first = by_stack == i.role_b;
		memcpy(out.k, a_first ? sk->sk_a : sk->sk_b, CRYPT_SK);
		memcpy(out.k + 32, a_first ? sk->sk_b : sk->sk_a, CRYPT_SK);
		out.n = 64;
	}
	return out;
}

uint64_t value_fastclose(const struct conn *c, bool to_stack, bool clear)
{
	const struct crypt_sk *sk = c->peer.k && !clear ? crypt_sk(c->peer.k)
							: NULL;
	struct crypt_info i;

	if (!sk) {
		return to_stack ? c->key_local : c->key_peer;
	}
	crypt_info(c->peer.k, &i);
	return get_be(to_stack == i.role_b ? sk->fc_a : sk->fc_b, 8);
}

void value_join(struct run *r, const struct mac_key *k, uint32_t nonce1,
		uint32_t nonce2, uint8_t out[32])
{
	uint8_t m[8];

	put_be(m, nonce1, 4);
	put_be(m + 4, nonce2, 4);
	check(hash_hmac_sha256(r->hash, k->k, k->n, m, 8, out));
}

void value_add_addr(struct run *r, const struct mac_key *k, uint8_t id,
		    const struct endpoint *e, uint8_t out[8])
{
	unsigned n = e->addr.family == 4 ? 4 : 16;
	uint8_t m[19], d[32];

	m[0] = id;
	memcpy(m + 1, e->addr.b, n);
	put_be(m + 1 + n, e->port, 2);
	check(hash_hmac_sha256(r->hash, k->k, k->n, m, n + 3, d));
	memcpy(out, d + 24, 8);
}

uint16_t value_dss_csum(uint64_t dsn, uint32_t ssn, uint16_t len, uint64_t off,
			uint32_t payload)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < 4; i++) {
		sum += dsn >> 16 * i & 0xffff;
	}
	sum += (ssn >> 16) + (ssn & 0xffff) + len;
	for (uint32_t i = 0; i < payload; i++) {
		sum += (uint64_t)value_octet(off + i) << (i & 1 ? 0 : 8);
	}
	while (sum >> 16) {
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)~sum;
}
