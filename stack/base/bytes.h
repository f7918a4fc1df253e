/* bytes.h - bounded reader and writer of big-endian octets
 *
 * Nobody else does pointer arithmetic on packets.  Failure is sticky: after
 * the first read or write beyond the end every later one yields zero or does
 * nothing, and ok is false; check it once, at the end, before using a value.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *p, *end;
	bool ok;
};

struct wr {
	uint8_t *start, *p, *end;
	bool ok;
};

/* read-only and writable pieces of memory; layout is that of struct iovec */
struct iov {
	const uint8_t *p;
	size_t n;
};

struct iov_mut {
	uint8_t *p;
	size_t n;
};

static inline struct rd rd_make(const void *p, size_t n)
{
	return (struct rd){ p, (const uint8_t *)p + n, true };
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

/* the next n octets, or NULL */
static inline const uint8_t *rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (!r->ok || rd_left(r) < n) {
		r->ok = false;
		return NULL;
	}
	r->p += n;
	return p;
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_take(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t be16_get(const uint8_t *p)
{
	return (uint16_t)((p[0] << 8) | p[1]);
}

static inline uint32_t be32_get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static inline uint64_t be64_get(const uint8_t *p)
{
	return (uint64_t)be32_get(p) << 32 | be32_get(p + 4);
}

static inline void be16_put(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void be32_put(uint8_t *p, uint32_t v)
{
	be16_put(p, (uint16_t)(v >> 16));
	be16_put(p + 2, (uint16_t)v);
}

static inline void be64_put(uint8_t *p, uint64_t v)
{
	be32_put(p, (uint32_t)(v >> 32));
	be32_put(p + 4, (uint32_t)v);
}

static inline uint16_t rd_u16(struct rd *r)
{
	const uint8_t *p = rd_take(r, 2);

	return p ? be16_get(p) : 0;
}

static inline uint32_t rd_u32(struct rd *r)
{
	const uint8_t *p = rd_take(r, 4);

	return p ? be32_get(p) : 0;
}

static inline uint64_t rd_u64(struct rd *r)
{
	const uint8_t *p = rd_take(r, 8);

	return p ? be64_get(p) : 0;
}

/* out is cleared on failure */
static inline void rd_copy(struct rd *r, void *out, size_t n)
{
	const uint8_t *p = rd_take(r, n);

	if (p) {
		memcpy(out, p, n);
	} else {
		memset(out, 0, n);
	}
}

static inline struct wr wr_make(void *p, size_t n)
{
	return (struct wr){ p, p, (uint8_t *)p + n, true };
}

static inline size_t wr_len(const struct wr *w)
{
	return (size_t)(w->p - w->start);
}

static inline size_t wr_left(const struct wr *w)
{
	return (size_t)(w->end - w->p);
}

/* room for n octets, or NULL */
static inline uint8_t *wr_take(struct wr *w, size_t n)
{
	uint8_t *p = w->p;

	if (!w->ok || wr_left(w) < n) {
		w->ok = false;
		return NULL;
	}
	w->p += n;
	return p;
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	uint8_t *p = wr_take(w, 1);

	if (p) {
		p[0] = v;
	}
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
	uint8_t *p = wr_take(w, 2);

	if (p) {
		be16_put(p, v);
	}
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
	uint8_t *p = wr_take(w, 4);

	if (p) {
		be32_put(p, v);
	}
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
	uint8_t *p = wr_take(w, 8);

	if (p) {
		be64_put(p, v);
	}
}

static inline void wr_copy(struct wr *w, const void *src, size_t n)
{
	uint8_t *p = wr_take(w, n);

	if (p && n) {
		memcpy(p, src, n);
	}
}

#endif
