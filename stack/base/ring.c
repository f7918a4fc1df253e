#include "stack/base/ring.h"

#include <string.h>

#include "stack/base/check.h"
#include "stack/base/env.h"

#define CAP_FIRST 4096u
#define CAP_MAX   (1u << 31)

void ring_init(struct ring *r, struct mem *mem, uint32_t max, uint64_t start)
{
	check(max <= CAP_MAX);
	*r = (struct ring){
		.mem = mem, .max = max, .head = start, .tail = start
	};
}

void ring_fini(struct ring *r)
{
	mem_free(r->mem, r->buf, r->cap);
	r->buf = NULL;
	r->cap = 0;
	r->head = r->tail;
}

uint64_t ring_len(const struct ring *r)
{
	return r->tail - r->head;
}

uint32_t ring_free(const struct ring *r)
{
	return (uint32_t)(r->max - ring_len(r));
}

static uint32_t index_of(const struct ring *r, uint64_t off)
{
	return (uint32_t)off & (r->cap - 1);
}

/* room for `need` octets in all; false: memory refused */
static bool grow(struct ring *r, uint32_t need)
{
	uint32_t cap = r->cap ? r->cap : CAP_FIRST;
	struct ring was = *r;
	struct iov v[2];
	uint64_t off = r->head;
	unsigned n;
	uint8_t *buf;

	while (cap < need) {
		cap *= 2;
	}
	if (cap == r->cap) {
		return true;
	}
	buf = mem_alloc(r->mem, cap);
	if (!buf) {
		return false;
	}
	r->buf = buf;
	r->cap = cap;
	n = ring_slice(&was, was.head, (uint32_t)ring_len(&was), v);
	/* the old ring ends wherever the new one does: no piece is cut */
	for (unsigned i = 0; i < n; i++) {
		memcpy(buf + index_of(r, off), v[i].p, v[i].n);
		off += v[i].n;
	}
	mem_free(r->mem, was.buf, was.cap);
	return true;
}

unsigned ring_space(struct ring *r, uint32_t want, struct iov_mut v[2])
{
	uint32_t len = (uint32_t)ring_len(r);
	uint32_t at, first;

	want = min_u32(want, ring_free(r));
	if (want == 0) {
		return 0;
	}
	if (!grow(r, len + want)) {
		want = min_u32(want, r->cap - len);
		if (want == 0) {
			return 0;
		}
	}
	at = index_of(r, r->tail);
	first = min_u32(want, r->cap - at);
	v[0] = (struct iov_mut){ r->buf + at, first };
	v[1] = (struct iov_mut){ r->buf, want - first };
	return first < want ? 2 : 1;
}

void ring_commit(struct ring *r, uint32_t n)
{
	check(n <= r->cap - ring_len(r) && n <= ring_free(r));
	r->tail += n;
}

uint32_t ring_put(struct ring *r, const void *p, uint32_t n)
{
	struct iov_mut v[2];
	unsigned pieces = ring_space(r, n, v);
	const uint8_t *src = p;
	uint32_t done = 0;

	for (unsigned i = 0; i < pieces; i++) {
		memcpy(v[i].p, src + done, v[i].n);
		done += (uint32_t)v[i].n;
	}
	ring_commit(r, done);
	return done;
}

unsigned ring_slice(const struct ring *r, uint64_t off, uint32_t n,
		    struct iov v[2])
{
	uint32_t at, first;

	check(off - r->head <= ring_len(r) && n <= r->tail - off);
	if (n == 0) {
		return 0;
	}
	at = index_of(r, off);
	first = min_u32(n, r->cap - at);
	v[0] = (struct iov){ r->buf + at, first };
	v[1] = (struct iov){ r->buf, n - first };
	return first < n ? 2 : 1;
}

void ring_drop(struct ring *r, uint64_t upto)
{
	check(upto - r->head <= ring_len(r));
	r->head = upto;
}

void ring_trim(struct ring *r)
{
	if (r->head == r->tail) {
		ring_fini(r);
	}
}
