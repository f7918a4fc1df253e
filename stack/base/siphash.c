#include "stack/base/siphash.h"

#include <string.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, unsigned b)
{
	return x << b | x >> (64 - b);
}

static inline void sip_rounds(struct sip *s, unsigned n)
{
	while (n-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotl(s->v1, 13) ^ s->v0;
		s->v3 = rotl(s->v3, 16) ^ s->v2;
		s->v0 = rotl(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotl(s->v1, 17) ^ s->v2;
		s->v3 = rotl(s->v3, 21) ^ s->v0;
		s->v2 = rotl(s->v2, 32);
	}
}

static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	v = __builtin_bswap64(v);
#endif
	return v;
}

static inline uint64_t sip_hash(const struct siphash_key *k, const void *data,
				size_t n, unsigned c_rounds, unsigned d_rounds)
{
	const uint8_t *p = data;
	uint64_t last = (uint64_t)n << 56;
	size_t left = n;
	struct sip s = { k->k0 ^ 0x736f6d6570736575, k->k1 ^ 0x646f72616e646f6d,
			 k->k0 ^ 0x6c7967656e657261,
			 k->k1 ^ 0x7465646279746573 };

	for (; left >= 8; left -= 8, p += 8) {
		uint64_t m = load_le64(p);

		s.v3 ^= m;
		sip_rounds(&s, c_rounds);
		s.v0 ^= m;
	}
	for (size_t i = 0; i < left; i++) {
		last |= (uint64_t)p[i] << (8 * i);
	}
	s.v3 ^= last;
	sip_rounds(&s, c_rounds);
	s.v0 ^= last;
	s.v2 ^= 0xff;
	sip_rounds(&s, d_rounds);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

uint64_t siphash13(const struct siphash_key *k, const void *p, size_t n)
{
	return sip_hash(k, p, n, 1, 3);
}

uint64_t siphash24(const struct siphash_key *k, const void *p, size_t n)
{
	return sip_hash(k, p, n, 2, 4);
}
