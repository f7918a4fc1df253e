#include "tests/lib/sealtap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stack/base/check.h"
#include "stack/crypt/crypt.h"
#include "stack/wire/tcp_hdr.h"

#define require(t, cond) \
	((cond) ? (void)0 : broken(#cond, (t)->packets))

static void broken(const char *what, unsigned nr)
{
	fprintf(stderr, "sealtap: not so, packet %u: %s\n", nr, what);
	abort();
}

void sealtap_init(struct sealtap *t)
{
	memset(t, 0, sizeof(*t));
	for (unsigned i = 0; i < 2; i++) {
		struct sealtap_dir *d = &t->dir[i];

		d->stream = malloc(SEALTAP_STREAM);
		d->seen = calloc(SEALTAP_STREAM / 8, 1);
		d->map = malloc(SEALTAP_MAPS * sizeof(*d->map));
		check(d->stream && d->seen && d->map);
	}
}

void sealtap_fini(struct sealtap *t)
{
	for (unsigned i = 0; i < 2; i++) {
		free(t->dir[i].stream);
		free(t->dir[i].seen);
		free(t->dir[i].map);
	}
}

/* --- packets --------------------------------------------------------------- */

/* index of the subflow; a SYN begins one */
static unsigned sub_of(struct sealtap *t, const struct mpair_pkt *p)
{
	uint16_t client = p->from ? p->seg.t.local.port :
				    p->seg.t.remote.port;
	uint16_t server = p->from ? p->seg.t.remote.port :
				    p->seg.t.local.port;
	unsigned i = 0;

	for (i = 0; i < t->n_sub; i++) {
		if (t->sub[i].port[0] == client &&
		    t->sub[i].port[1] == server && t->sub[i].link == p->link) {
			break;
		}
	}
	check(i < SEALTAP_SUBS);
	if (i == t->n_sub) {
		t->n_sub++;
		t->sub[i].port[0] = client;
		t->sub[i].port[1] = server;
		t->sub[i].link = p->link;
	}
	if (p->seg.flags & TCP_SYN) {
		t->sub[i].isn[p->from] = p->seg.seq;
	}
	return i;
}

static void note_map(struct sealtap *t, struct sealtap_dir *d, uint64_t off,
		     uint32_t len)
{
	t->mapped = true;
	if (off + len > SEALTAP_STREAM) {
		return;
	}
	for (unsigned i = d->n_map; i > 0 && i + 64 > d->n_map; i--) {
		if (d->map[i - 1].off == off && d->map[i - 1].len == len) {
			return; /* declared again */
		}
	}
	if (d->n_map < SEALTAP_MAPS) {
		d->map[d->n_map++] = (struct sealtap_map){ (uint32_t)off, len };
	}
}

static void note_octets(struct sealtap *t, struct sealtap_dir *d, uint64_t off,
			const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n && off + i < SEALTAP_STREAM; i++) {
		uint64_t at = off + i;
		uint8_t bit = (uint8_t)(1 << (at & 7));

		if (d->seen[at / 8] & bit) {
			require(t, d->stream[at] == p[i]);
		}
		d->seen[at / 8] |= bit;
		d->stream[at] = p[i];
	}
	if (off + n > d->top) {
		d->top = off + n;
	}
}

/* smtcp(7), Init messages: PSH on the last octet of one */
static void check_push(struct sealtap *t, struct sealtap_dir *d, uint64_t off,
		       const struct mpair_pkt *p)
{
	if (t->resumed) {
		return;
	}
	if (off == 0 && p->seg.len >= 8) {
		d->init = be32_get(p->seg.data + 4);
	}
	require(t, off + p->seg.len != d->init || p->seg.flags & TCP_PSH);
}

/* the stream offset of the segment's first octet */
static uint64_t place(struct sealtap *t, const struct mpair_pkt *p,
		      uint32_t ssn)
{
	const struct mp_opts *o = &p->seg.opts.mp;
	struct sealtap_dir *d = &t->dir[p->from];
	uint64_t off;

	if (o->have & MP_HAVE(MP_OPT_CAPABLE) && o->capable.len >= 22) {
		require(t, o->capable.len == 22); /* no checksum */
		note_map(t, d, 0, o->capable.data_len);
		return ssn - 1;
	}
	if (!(o->have & MP_HAVE(MP_OPT_DSS)) || !o->dss.map ||
	    o->dss.infinite) {
		t->bare++;
		return ssn - 1;
	}
	require(t, !o->dss.has_csum);
	if (!d->have_base) {
		/* the first subflow begins in step with the stream */
		d->base = o->dss.dsn - (o->dss.ssn - 1);
		d->have_base = true;
	}
	off = o->dss.dsn - d->base;
	/* whoever may have to fall back keeps the identity (smtcp(7)) */
	require(t, t->n_sub > 1 || (uint32_t)off == o->dss.ssn - 1);
	require(t, ssn - o->dss.ssn < o->dss.data_len);
	require(t, ssn - o->dss.ssn + p->seg.len <= o->dss.data_len);
	note_map(t, d, off, o->dss.data_len);
	return off + (ssn - o->dss.ssn);
}

void sealtap_packet(struct sealtap *t, const struct mpair_pkt *p)
{
	unsigned sub = sub_of(t, p);
	uint64_t off;

	if (!p->seg.len || p->seg.flags & TCP_SYN) {
		require(t, !(p->seg.flags & TCP_SYN) || !p->seg.len);
		return;
	}
	t->packets++;
	require(t, !(p->seg.flags & TCP_URG));
	off = place(t, p, p->seg.seq - t->sub[sub].isn[p->from]);
	note_octets(t, &t->dir[p->from], off, p->seg.data, p->seg.len);
	check_push(t, &t->dir[p->from], off, p);
}

/* --- the stream as a whole -------------------------------------------------- */

static uint64_t known_upto(const struct sealtap_dir *d)
{
	uint64_t at = 0;

	while (at < d->top && at < SEALTAP_STREAM &&
	       d->seen[at / 8] & (1 << (at & 7))) {
		at++;
	}
	return at;
}

static void set_bit(uint8_t *bits, uint64_t at)
{
	bits[at / 8] |= (uint8_t)(1 << (at & 7));
}

static bool has_bit(const uint8_t *bits, uint64_t at)
{
	return bits[at / 8] & (1 << (at & 7));
}

/* marks where frames begin; returns where the last known one ends */
static uint64_t walk(struct sealtap *t, unsigned dir, uint8_t *begins)
{
	struct sealtap_dir *d = &t->dir[dir];
	uint64_t end = known_upto(d), at = 0;

	set_bit(begins, 0);
	if (!t->resumed && end >= 8) {
		require(t, be32_get(d->stream) ==
				   (dir ? CRYPT_INIT2_MAGIC :
					  CRYPT_INIT1_MAGIC));
		d->init = be32_get(d->stream + 4);
		at = d->init;
		set_bit(begins, at);
	}
	while (at + CRYPT_FRAME_HDR <= end) {
		size_t n = crypt_frame_len(d->stream + at);

		require(t, n >= CRYPT_FRAME_OVERHEAD && n <= 16384);
		if (at + n > end) {
			break;
		}
		d->frames++;
		d->empty += n == CRYPT_FRAME_OVERHEAD;
		d->rekeys += d->stream[at] & CRYPT_FRAME_REKEY;
		d->data += n - CRYPT_FRAME_OVERHEAD;
		d->longest = n > d->longest ? (uint32_t)n : d->longest;
		at += n;
		set_bit(begins, at);
	}
	return at;
}

void sealtap_check(struct sealtap *t)
{
	for (unsigned i = 0; i < 2; i++) {
		struct sealtap_dir *d = &t->dir[i];
		uint8_t *begins = calloc(SEALTAP_STREAM / 8 + 1, 1);
		uint64_t end;

		check(begins);
		end = walk(t, i, begins);
		for (unsigned k = 0; k < d->n_map; k++) {
			uint64_t lo = d->map[k].off, hi = lo + d->map[k].len;

			if (hi > end) {
				continue;
			}
			require(t, has_bit(begins, lo) && has_bit(begins, hi));
			require(t, lo >= d->init || hi == d->init);
		}
		free(begins);
	}
}
