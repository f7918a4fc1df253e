/* One direction of a sealed connection as it is on the wire: Init and frames
 * one behind the other.  Octets may be sent in any order and again; the first
 * that is sent for an offset is what every later one must be.
 */
#include <stdlib.h>
#include <string.h>

#include "stack/base/bytes.h"
#include "stack/base/check.h"
#include "stack/wire/crypt_msg.h"
#include "tests/sim/watch.h"

#define STREAM_MAX  (32u << 20)
#define SMTCP_FRAME 16384u /* smtcp(7), Sizes */

/* marks of an offset */
#define SENT  1
#define EDGE  2 /* a mapping begins or ends in front of it */
#define BOUND 4 /* a frame or the Init message does */

void stream_fini(struct stream *s)
{
	free(s->octet);
	free(s->mark);
	free(s->frame);
	memset(s, 0, sizeof(*s));
}

static void fail(struct stream *s, uint64_t off, const char *what)
{
	world_fail(s->w, "conn %u %s, stream offset %llu: %s", s->conn,
		   s->side ? "server" : "client", (unsigned long long)off,
		   what);
}

static bool room(struct stream *s, uint64_t end)
{
	uint32_t cap = s->cap ? s->cap : 16384;

	if (end >= STREAM_MAX) {
		fail(s, end, "beyond anything that was written");
		return false;
	}
	while (cap <= end) {
		cap *= 2;
	}
	if (cap > s->cap) {
		s->octet = realloc(s->octet, cap);
		s->mark = realloc(s->mark, cap);
		check(s->octet && s->mark);
		memset(s->mark + s->cap, 0, cap - s->cap);
		s->cap = cap;
	}
	return true;
}

/* --- frames --------------------------------------------------------------- */

static void bound(struct stream *s, uint64_t from, uint64_t to)
{
	for (uint64_t i = from + 1; i < to; i++) {
		if (s->mark[i] & EDGE) {
			fail(s, i, "a mapping cuts a frame or Init");
			return;
		}
	}
	s->mark[to] |= BOUND;
	s->parsed = to;
}

/* smtcp(7), Init messages: alone in its mapping */
static void check_first(struct stream *s)
{
	if (s->init && s->first && s->first != s->init) {
		fail(s, 0, "Init is not alone in its mapping");
	}
}

static bool parse_init(struct stream *s)
{
	uint32_t magic = be32_get(s->octet), len;

	if (magic != CRYPT_INIT1_MAGIC && magic != CRYPT_INIT2_MAGIC) {
		return false;
	}
	if ((magic == CRYPT_INIT1_MAGIC) != (s->side == 0)) {
		fail(s, 0, "the other side's Init");
		return true;
	}
	len = be32_get(s->octet + 4);
	if (len > 2048) {
		fail(s, 0, "Init of an absurd length");
	} else if (s->seen >= len) {
		s->init = s->opened = len;
		bound(s, 0, len);
		check_first(s);
	}
	return true;
}

static void add_frame(struct stream *s, uint64_t hash, uint64_t end)
{
	if (s->n_frames == s->cap_frames) {
		s->cap_frames = s->cap_frames ? s->cap_frames * 2 : 256;
		s->frame = realloc(s->frame, s->cap_frames * sizeof(*s->frame));
		check(s->frame);
	}
	s->frame[s->n_frames].hash = hash;
	s->frame[s->n_frames++].end = end;
}

static void parse_generation(struct stream *s, uint8_t control)
{
	if (control & CRYPT_FRAME_REKEY) {
		s->gen++;
		rules_rekey(s);
	}
	if (s->phases && !s->any && (control & CRYPT_FRAME_REKEY)) {
		fail(s, s->parsed, "the first frame begins a generation");
	}
	if (s->phases &&
	    (control & CRYPT_FRAME_PHASE_MASK) >> CRYPT_FRAME_PHASE_SHIFT !=
		    (s->gen & 3)) {
		fail(s, s->parsed, "a frame of the wrong phase");
	}
	if (control &
	    ~(CRYPT_FRAME_REKEY | (s->phases ? CRYPT_FRAME_PHASE_MASK : 0))) {
		fail(s, s->parsed, "reserved bits of a frame are set");
	}
	s->any = true;
}

static bool parse_frame(struct stream *s)
{
	const uint8_t *p = s->octet + s->parsed;
	struct crypt_frame_hdr h;
	const struct seal_frame *f;
	uint32_t len;

	if (s->seen - s->parsed < CRYPT_FRAME_HDR) {
		return false;
	}
	if (!crypt_msg_frame_parse(p, &h)) {
		fail(s, s->parsed, "neither Init nor a frame");
		return false;
	}
	len = CRYPT_FRAME_HDR + (uint32_t)h.clen;
	if (s->phases && len > SMTCP_FRAME) {
		fail(s, s->parsed, "a frame longer than allowed");
		return false;
	}
	if (s->seen - s->parsed < len) {
		return false;
	}
	f = seal_find(p, len);
	if (!f) {
		fail(s, s->parsed, "these octets were never sealed");
		return false;
	}
	if (f->off != s->parsed) {
		fail(s, s->parsed, "a frame sealed for another place");
		return false;
	}
	parse_generation(s, h.control);
	if (s->n_frames == 0 || (h.control & CRYPT_FRAME_REKEY)) {
		s->first_of_gen = s->parsed + len;
	}
	add_frame(s, f->hash, s->parsed + len);
	bound(s, s->parsed, s->parsed + len);
	return true;
}

static void parse(struct stream *s)
{
	while (s->seen < s->cap && (s->mark[s->seen] & SENT)) {
		s->seen++;
	}
	if (s->parsed == 0 && (s->seen < 8 || parse_init(s)) &&
	    s->parsed == 0) {
		return;
	}
	while (!s->w->failed && parse_frame(s)) {
	}
}

void stream_put(struct stream *s, uint64_t off, const uint8_t *p, uint32_t n)
{
	if (!room(s, off + n)) {
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		uint64_t at = off + i;

		if (!(s->mark[at] & SENT)) {
			s->octet[at] = p[i];
			s->mark[at] |= SENT;
		} else if (s->octet[at] != p[i]) {
			fail(s, at, "sent again, and not the same octet");
			return;
		}
	}
	parse(s);
}

void stream_mapped(struct stream *s, uint64_t lo, uint64_t hi)
{
	uint64_t edge[2] = { lo, hi };

	if (!room(s, hi)) {
		return;
	}
	for (unsigned i = 0; i < 2; i++) {
		if (edge[i] > 0 && edge[i] < s->parsed &&
		    !(s->mark[edge[i]] & BOUND)) {
			fail(s, edge[i], "a mapping cuts a frame or Init");
		}
		s->mark[edge[i]] |= EDGE;
	}
	if (lo == 0 && hi > 0) {
		s->first = hi;
		check_first(s);
	}
}

/* --- acknowledgments ------------------------------------------------------ */

uint64_t stream_opened(struct stream *s)
{
	while (s->n_opened < s->n_frames &&
	       seal_opened(s->frame[s->n_opened].hash)) {
		s->opened = s->frame[s->n_opened++].end;
	}
	return s->opened;
}

void stream_data_ack(struct stream *s, uint64_t off)
{
	if (off <= stream_opened(s) ||
	    (s->has_fin && off == s->fin + 1 && s->fin == s->opened)) {
		s->acked = max_u64(s->acked, off);
		return;
	}
	world_fail(s->w,
		   "conn %u %s: DATA_ACK up to stream offset %llu, opened "
		   "only before %llu",
		   s->conn, s->side ? "client" : "server",
		   (unsigned long long)off, (unsigned long long)s->opened);
}
