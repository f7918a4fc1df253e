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

static void mac(struct run *r, uint64_t key1, uint64_t key2, const void *msg,
		size_t n, uint8_t out[32])
{
	uint8_t k[16];

	put_be(k, key1, 8);
	put_be(k + 8, key2, 8);
	check(hash_hmac_sha256(r->hash, k, 16, msg, n, out));
}

void value_join(struct run *r, uint64_t key1, uint64_t key2, uint32_t nonce1,
		uint32_t nonce2, uint8_t out[32])
{
	uint8_t m[8];

	put_be(m, nonce1, 4);
	put_be(m + 4, nonce2, 4);
	mac(r, key1, key2, m, 8, out);
}

void value_add_addr(struct run *r, uint64_t key1, uint64_t key2, uint8_t id,
		    const struct endpoint *e, uint8_t out[8])
{
	unsigned n = e->addr.family == 4 ? 4 : 16;
	uint8_t m[19], d[32];

	m[0] = id;
	memcpy(m + 1, e->addr.b, n);
	put_be(m + 1 + n, e->port, 2);
	mac(r, key1, key2, m, n + 3, d);
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
