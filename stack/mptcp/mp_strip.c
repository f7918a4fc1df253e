/* mp_strip.c - see mp_strip.h
 *
 * Pieces of data that stand in one slice are pushed together inside it, over
 * the tag and header between them, when the shorter one is short; else the
 * first becomes a slice of its own.  So a large packet with a few large frames
 * is not copied, and many small frames do not make many slices.
 */
#include "stack/mptcp/mp_strip.h"

#include <string.h>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/wire/crypt_msg.h"

#define MOVE_MAX 4096u

static void begin(struct mp_strip *st)
{
	uint32_t clen = be16_get(st->hdr + 1);
	uint32_t rest = clen > CRYPT_FRAME_CLEN_MIN ?
				clen - CRYPT_FRAME_CLEN_MIN :
				0;

	st->urgent = st->hdr[3] & CRYPT_FRAME_URG ? min_u32(rest, 2) : 0;
	st->data = rest - st->urgent;
	st->tag = CRYPT_FRAME_TAG;
	st->urgent_at = 0;
}

static uint32_t eat(uint32_t *left, uint32_t n)
{
	uint32_t k = min_u32(*left, n);

	*left -= k;
	return k;
}

/* Octets at p, of n, that are alike; *data: the program's. */
static uint32_t step(struct mp_strip *st, const uint8_t *p, uint32_t n,
		     bool *data)
{
	uint32_t k;

	*data = false;
	if (st->n < MP_STRIP_HDR) {
		k = min_u32(MP_STRIP_HDR - st->n, n);
		memcpy(st->hdr + st->n, p, k);
		st->n = (uint8_t)(st->n + k);
		if (st->n == MP_STRIP_HDR) {
			begin(st);
		}
		return k;
	}
	if (st->urgent) {
		st->urgent_at = (uint16_t)(st->urgent_at << 8 | *p);
		st->urgent--;
		if (!st->urgent) { /* perhaps in a frame to come */
			st->mark = st->passed + st->urgent_at + 1;
		}
		return 1;
	}
	if (st->data) {
		*data = true;
		k = eat(&st->data, n);
		st->passed += k;
		return k;
	}
	k = eat(&st->tag, n);
	if (!st->tag) {
		st->n = 0;
	}
	return k;
}

/* octets of data in a slice that begins in state st */
static uint32_t count(struct mp_strip st, const uint8_t *p, uint32_t n)
{
	uint32_t at = 0, total = 0;
	bool data;

	while (at < n) {
		uint32_t k = step(&st, p + at, n - at, &data);

		total += data ? k : 0;
		at += k;
	}
	return total;
}

/* what has been found so far: octets [lo, lo + n) of the slice */
struct found {
	uint32_t lo, n;
};

/* Cuts off and queues what was found, with what stands before it.  false: no
 * memory. */
static bool emit(struct mem *mem, struct slice *sl, struct found *f,
		 struct list *q)
{
	struct slice *head;

	if (f->lo) {
		slice_trim(sl, f->lo);
	}
	head = slice_head(mem, sl, f->n);
	*f = (struct found){ 0, head ? 0 : f->n };
	if (head) {
		slice_queue(mem, q, head);
	}
	return head != NULL;
}

/* k octets of data at `at`, behind those found */
static void join(uint8_t *b, struct found *f, uint32_t at, uint32_t k)
{
	if (f->n < k) {
		memmove(b + at - f->n, b + f->lo, f->n);
		f->lo = at - f->n;
	} else {
		memmove(b + f->lo + f->n, b + at, k);
	}
	f->n += k;
}

/* What is left of the slice goes to q; dense: the packet is worth keeping. */
static void last(struct mem *mem, struct slice *sl, const struct found *f,
		 bool dense, struct list *q)
{
	struct slice *copy;

	if (!f->n) {
		slice_free(mem, sl);
		return;
	}
	if (f->lo) {
		slice_trim(sl, f->lo);
	}
	sl->len = f->n;
	if (sl->pkt && !dense) {
		copy = slice_make(mem, sl->pkt, sl->p, sl->len);
		if (copy) {
			slice_free(mem, sl);
			sl = copy;
		}
	}
	slice_queue(mem, q, sl);
}

uint64_t mp_strip(struct mp_strip *st, struct mem *mem, struct slice *sl,
		  struct list *q)
{
	uint32_t total = count(*st, sl->p, sl->len), at = 0;
	bool dense = sl->pkt && 4 * (uint64_t)total >= sl->pkt->truesize;
	struct found f = { 0 };

	list_del(&sl->node);
	while (at < sl->len) {
		bool data;
		uint32_t k = step(st, sl->p + at, sl->len - at, &data);

		if (data && !f.n) {
			f = (struct found){ at, k };
		} else if (data && dense && min_u32(f.n, k) > MOVE_MAX) {
			uint32_t behind = at - f.lo, n = f.n;

			if (emit(mem, sl, &f, q)) {
				at = behind - n;
				f = (struct found){ at, k };
			} else {
				at = behind;
				join(slice_bytes(sl), &f, at, k);
			}
		} else if (data) {
			join(slice_bytes(sl), &f, at, k);
		}
		at += k;
	}
	last(mem, sl, &f, dense, q);
	return total;
}
