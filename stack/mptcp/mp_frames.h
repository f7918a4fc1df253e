/* mp_frames.h - where the frames of our sealed stream begin and end
 *
 * A queue, one entry per frame or Init message between `head` and `tail`.
 * A mapping must hold whole frames (smtcp(7), Mappings): whoever sends a range
 * again rounds it to these.
 */
#ifndef MPTCP_MP_FRAMES_H
#define MPTCP_MP_FRAMES_H

#include <stdbool.h>
#include <stdint.h>

struct mem;

struct mp_frame {
	uint16_t len;
	uint16_t data; /* of these are the program's octets */
};

struct mp_frames {
	struct mem *mem;
	struct mp_frame *v; /* ring of cap entries, a power of two */
	uint32_t cap, first, n;
	uint64_t head, tail; /* stream offsets of the first and behind the last */
	uint64_t data;       /* the program's octets in all of them */
};

void mp_frames_init(struct mp_frames *f, struct mem *mem);
void mp_frames_fini(struct mp_frames *f);
void mp_frames_trim(struct mp_frames *f); /* gives memory back while empty */
/* one more at the tail; reserve first: false is "no memory" */
bool mp_frames_reserve(struct mp_frames *f);
void mp_frames_push(struct mp_frames *f, uint16_t len, uint16_t data);
/* forgets what ends at or before off */
void mp_frames_drop(struct mp_frames *f, uint64_t off);
/* the beginning of the frame that holds off; off itself when none does */
uint64_t mp_frames_floor(const struct mp_frames *f, uint64_t off);
/* the end of the frame that holds the octet before off; off itself when off
 * is a beginning, or outside */
uint64_t mp_frames_ceil(const struct mp_frames *f, uint64_t off);
/* the end of the last frame that ends at or before off, not before lo, which
 * is a beginning; at least one frame.  lo at the tail: lo */
uint64_t mp_frames_fit(const struct mp_frames *f, uint64_t lo, uint64_t off);

#endif
