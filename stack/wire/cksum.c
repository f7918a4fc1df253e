#include "stack/wire/cksum.h"

#include <string.h>

#define SWAP16(v) ((uint16_t)((uint16_t)(v) << 8 | (uint16_t)(v) >> 8))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FROM_NATIVE(v) SWAP16(v)
#else
#define FROM_NATIVE(v) ((uint16_t)(v))
#endif

/* two lanes of 64 bits: every machine that matters adds these at once */
typedef uint64_t lanes __attribute__((vector_size(16)));

static inline lanes load(const uint8_t *p)
{
	lanes v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline lanes low(lanes v)
{
	return v & 0xffffffff;
}

uint16_t cksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint16_t cksum_finish(uint64_t sum)
{
	return (uint16_t)~cksum_fold(sum);
}

/* Words are added as the machine reads them, 32 bits of each 64 at a time so
 * that no carry is lost within 2^32 rounds; the sum of swapped words is the
 * swapped sum (RFC 1071 2B). */
uint64_t cksum_add(uint64_t sum, const void *data, size_t n)
{
	const uint8_t *p = data;
	lanes a = { 0, 0 }, b = { 0, 0 }, c = { 0, 0 }, d = { 0, 0 };
	uint64_t native, rest;

	for (; n >= 64; n -= 64, p += 64) {
		lanes v0 = load(p), v1 = load(p + 16);
		lanes v2 = load(p + 32), v3 = load(p + 48);

		a += low(v0) + low(v1);
		b += (v0 >> 32) + (v1 >> 32);
		c += low(v2) + low(v3);
		d += (v2 >> 32) + (v3 >> 32);
	}
	a += b + c + d;
	native = (uint64_t)cksum_fold(a[0]) + cksum_fold(a[1]);
	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&rest, p, 8);
		native += (rest & 0xffffffff) + (rest >> 32);
	}
	if (n > 0) {
		rest = 0;
		memcpy(&rest, p, n);
		native += (rest & 0xffffffff) + (rest >> 32);
	}
	return sum + FROM_NATIVE(cksum_fold(native));
}

uint64_t cksum_add_odd(uint64_t sum, const void *p, size_t n)
{
	uint16_t even = cksum_fold(cksum_add(0, p, n));

	return sum + SWAP16(even);
}

uint64_t cksum_add_iov(uint64_t sum, const struct iov *v, unsigned n)
{
	size_t at = 0;

	for (unsigned i = 0; i < n; i++) {
		sum = at & 1 ? cksum_add_odd(sum, v[i].p, v[i].n)
			     : cksum_add(sum, v[i].p, v[i].n);
		at += v[i].n;
	}
	return sum;
}

uint64_t cksum_pseudo(const struct addr *src, const struct addr *dst,
		      uint8_t proto, uint32_t len)
{
	uint64_t sum = (uint64_t)proto + len;

	sum = cksum_add(sum, src->b, addr_len(src));
	return cksum_add(sum, dst->b, addr_len(dst));
}

uint16_t cksum_update(uint16_t was, uint16_t from, uint16_t to)
{
	return cksum_finish((uint64_t)(uint16_t)~was + (uint16_t)~from + to);
}
