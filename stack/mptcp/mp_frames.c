#include "stack/mptcp/mp_frames.h"

#include "stack/base/check.h"
#include "stack/base/env.h"

#define CAP_FIRST 16u

void mp_frames_init(struct mp_frames *f, struct mem *mem)
{
	*f = (struct mp_frames){ .mem = mem };
}

void mp_frames_fini(struct mp_frames *f)
{
	mem_free(f->mem, f->v, f->cap * sizeof(*f->v));
	mp_frames_init(f, f->mem);
}

void mp_frames_trim(struct mp_frames *f)
{
	if (!f->n) {
		mem_free(f->mem, f->v, f->cap * sizeof(*f->v));
		f->v = NULL;
		f->cap = 0;
		f->first = 0;
	}
}

static struct mp_frame *at(const struct mp_frames *f, uint32_t i)
{
	return &f->v[(f->first + i) & (f->cap - 1)];
}

bool mp_frames_reserve(struct mp_frames *f)
{
	uint32_t cap = f->cap ? f->cap * 2 : CAP_FIRST;
	struct mp_frame *v;

	if (f->n < f->cap) {
		return true;
	}
	v = mem_alloc(f->mem, cap * sizeof(*v));
	if (!v) {
		return false;
	}
	for (uint32_t i = 0; i < f->n; i++) {
		v[i] = *at(f, i);
	}
	mem_free(f->mem, f->v, f->cap * sizeof(*v));
	f->v = v;
	f->cap = cap;
	f->first = 0;
	return true;
}

void mp_frames_push(struct mp_frames *f, uint16_t len, uint16_t data)
{
	check(f->n < f->cap && data <= len);
	*at(f, f->n) = (struct mp_frame){ len, data };
	f->n++;
	f->tail += len;
	f->data += data;
}

void mp_frames_drop(struct mp_frames *f, uint64_t off)
{
	while (f->n && f->head + at(f, 0)->len <= off) {
		f->head += at(f, 0)->len;
		f->data -= at(f, 0)->data;
		f->first = (f->first + 1) & (f->cap - 1);
		f->n--;
	}
}

/* Number and beginning of the frame that holds off, which must be within;
 * looked for from the nearer end. */
static uint32_t find(const struct mp_frames *f, uint64_t off, uint64_t *start)
{
	uint32_t i = 0;

	if (off - f->head > f->tail - off) {
		*start = f->tail;
		for (i = f->n; off < *start;) {
			i--;
			*start -= at(f, i)->len;
		}
		return i;
	}
	for (*start = f->head; *start + at(f, i)->len <= off; i++) {
		*start += at(f, i)->len;
	}
	return i;
}

static bool within(const struct mp_frames *f, uint64_t off)
{
	return off >= f->head && off < f->tail;
}

uint64_t mp_frames_floor(const struct mp_frames *f, uint64_t off)
{
	uint64_t start = off;

	if (within(f, off)) {
		find(f, off, &start);
	}
	return start;
}

uint64_t mp_frames_ceil(const struct mp_frames *f, uint64_t off)
{
	uint64_t start;
	uint32_t i;

	if (!within(f, off)) {
		return off;
	}
	i = find(f, off, &start);
	return start == off ? off : start + at(f, i)->len;
}

uint64_t mp_frames_fit(const struct mp_frames *f, uint64_t lo, uint64_t off)
{
	uint64_t end;
	uint32_t i;

	if (!within(f, lo)) {
		return lo;
	}
	i = find(f, lo, &end);
	do {
		end += at(f, i++)->len;
	} while (i < f->n && end + at(f, i)->len <= off);
	return end;
}
